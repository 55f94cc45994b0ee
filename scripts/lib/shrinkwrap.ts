/** One package of a lock file. */
export interface Locked {
  readonly version?: string
  readonly link?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
  readonly [more: string]: unknown
}

/** The packages of a lock file by the paths where they are installed. */
export type Lock = Readonly<Record<string, Locked>>

export interface Published extends Locked {
  readonly name: string
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
}

/**
 * The lock of a package that is published: of the repository's, what one workspace needs, as it was tested. npm obeys
 * it wherever the package is installed.
 *
 * @throws {Error} where the lock file has no package for something that is needed
 * @see {@link https://docs.npmjs.com/cli/v11/configuring-npm/npm-shrinkwrap-json npm-shrinkwrap.json}
 */
export function shrinkwrap(lock: Lock, workspace: string, manifest: Published) {
  const tree = treeOf(lock, workspace)
  const kept = new Map<string, Locked>()
  keep('', manifest)
  const packages = Object.fromEntries([...kept].sort(([one], [other]) => (one < other ? -1 : 1)))
  const { name, version } = manifest
  return { name, version, lockfileVersion: 3, requires: true, packages: { '': manifest, ...packages } }

  function keep(path: string, needing: Locked): void {
    for (const [name, optional] of needs(needing)) {
      const found = find(tree, path, name)
      if (found === undefined && !optional) throw new Error(`the lock file has no ${name} for ${path || manifest.name}`)
      const entry = found === undefined ? undefined : tree[found]
      if (found === undefined || entry === undefined || kept.has(found)) continue
      const { dev: _, devOptional: __, peer: ___, ...rest } = entry
      kept.set(found, rest)
      keep(found, entry)
    }
  }
}

/** The tree as it would lie under the workspace, whose own packages go before those it shares. */
function treeOf(lock: Lock, workspace: string): Lock {
  const own = `${workspace}/`
  const entries = Object.entries(lock).filter(([, { link }]) => link !== true)
  const shared = entries.filter(([path]) => path.startsWith('node_modules/'))
  const mine = entries.flatMap(([path, entry]) => (path.startsWith(own) ? [[path.slice(own.length), entry]] : []))
  return Object.fromEntries([...shared, ...mine])
}

function needs({ dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta }: Locked) {
  const names = (record: Readonly<Record<string, string>> = {}) => Object.keys(record)
  return new Map([
    ...names(peerDependencies).map((name) => [name, peerDependenciesMeta?.[name]?.optional === true] as const),
    ...names(dependencies).map((name) => [name, false] as const),
    ...names(optionalDependencies).map((name) => [name, true] as const),
  ])
}

/** Where a package that needs another finds it: below itself, or below one of those it is in. */
function find(tree: Lock, path: string, name: string): string | undefined {
  for (let at = path; ; at = at.slice(0, Math.max(at.lastIndexOf('/node_modules/'), 0))) {
    const candidate = `${at === '' ? '' : `${at}/`}node_modules/${name}`
    if (candidate in tree) return candidate
    if (at === '') return undefined
  }
}
