import type { Lock, Locked } from './shrinkwrap.ts'

/** What a package says of itself where it is installed. */
export interface InstalledPackage {
  readonly license?: unknown
  readonly scripts?: Readonly<Record<string, string>>
  /** npm would compile it, though no script says so. */
  readonly buildsNatively: boolean
}

/** What anybody may use in what they sell, without more than naming whose it is. */
const ALLOWED = new Set(['MIT', 'Apache-2.0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0', 'Zlib'])

/** What tools may have besides: they are not part of what is published. */
const ALLOWED_FOR_TOOLS = new Set(['MPL-2.0', 'CC-BY-4.0'])

/** Packages whose manifest names a file that they do not bring along, and what they say in words. */
const READ: Readonly<Record<string, string>> = {
  '@modelcontextprotocol/server-everything': 'MIT',
  '@modelcontextprotocol/server-filesystem': 'MIT',
  '@modelcontextprotocol/server-memory': 'MIT',
  '@modelcontextprotocol/server-sequential-thinking': 'MIT',
}

/** Packages that may run a program when they are installed, and why. There is none so far. */
const SCRIPTS: Readonly<Record<string, string>> = {}

const HOOKS = ['preinstall', 'install', 'postinstall'] as const

/**
 * What is wrong with the packages of a lock file, a line each.
 *
 * @param installed the manifest at a path of the lock file, where it is installed
 */
export function findings(lock: Lock, installed: (path: string) => InstalledPackage | undefined): readonly string[] {
  return Object.entries(lock)
    .filter(([path, { link }]) => path.includes('node_modules/') && link !== true)
    .flatMap(([path, locked]) => {
      const manifest = installed(path)
      return [
        ...aboutLock(locked),
        ...aboutLicence(path, locked, manifest),
        ...aboutScripts(path, locked, manifest),
      ].map((says) => `${nameOf(path)}@${locked.version}: ${says}`)
    })
}

/** An entry names what is installed by its hash, and leaves to each machine where it comes from. */
function aboutLock({ integrity, resolved }: Locked): readonly string[] {
  return [
    ...(typeof integrity === 'string' && integrity.startsWith('sha512-') ? [] : ['the lock file has no hash of it']),
    ...(resolved === undefined ? [] : ['the lock file says where it comes from: npm install omits that, see .npmrc']),
  ]
}

function aboutLicence(path: string, locked: Locked, manifest: InstalledPackage | undefined): readonly string[] {
  const says = READ[nameOf(path)] ?? manifest?.license ?? locked['license']
  const allowed = (licence: string) =>
    ALLOWED.has(licence) || (locked['dev'] === true && ALLOWED_FOR_TOOLS.has(licence))
  if (typeof says === 'string' && isAllowed(says, allowed)) return []
  return [`its licence is not one of those allowed: ${typeof says === 'string' ? says : 'none is named'}`]
}

/** Reads an expression of SPDX, as far as packages write them: one level of OR, or of AND. */
function isAllowed(expression: string, allowed: (licence: string) => boolean): boolean {
  const plain = expression.replace(/^\((.*)\)$/, '$1')
  if (plain.includes(' OR ')) return plain.split(' OR ').some(allowed)
  return plain.split(' AND ').every(allowed)
}

function aboutScripts(path: string, locked: Locked, manifest: InstalledPackage | undefined): readonly string[] {
  const hooks = HOOKS.filter((hook) => manifest?.scripts?.[hook] !== undefined)
  const runs = hooks.length > 0 || manifest?.buildsNatively === true || locked['hasInstallScript'] === true
  return runs && SCRIPTS[nameOf(path)] === undefined
    ? [`it runs a program when it is installed (${hooks.join(', ')})`]
    : []
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
}
