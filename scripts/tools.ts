/**
 * Tools that are run through npx, pinned here and not in the lock file: their builds are per platform, and who
 * only runs the gate needs none of them.
 */
const versions = {
  oxlint: '1.94.0',
  'oxlint-tsgolint': '7.0.2007',
  oxfmt: '0.78.0',
  knip: '6.44.2',
} as const

/** The command line of a tool, with the packages it needs. */
export function npx(packages: readonly (keyof typeof versions)[], ...command: readonly string[]): readonly string[] {
  const wanted = packages.map((name) => `--package=${name}@${versions[name]}`)
  return ['npx', '--yes', '--prefer-offline', ...wanted, ...command]
}
