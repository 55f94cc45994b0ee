import { spawnSync } from 'node:child_process'

/** The oldest Node that the package promises to run on. */
export const OLDEST_NODE = '22.13.0'

/** Finds where that Node is, fetched with npx; nothing where there is none for this system or no network. */
export function findOldestNode(): string | undefined {
  const from = `node-${process.platform}-${process.arch}@${OLDEST_NODE}`
  const args = ['--yes', '--prefer-offline', `--package=${from}`, '--', 'node', '-p', 'process.execPath']
  const { status, stdout } = spawnSync('npx', args, { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}
