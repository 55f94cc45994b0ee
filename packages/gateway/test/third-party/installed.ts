import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const FOLDER = join(import.meta.dirname, 'servers')
const LOCK = join(FOLDER, '.installing')
/** A lock this old belongs to nobody any more. */
const LOCK_MS = 300_000

/** How long a test has to wait for an installation at worst. */
export const INSTALL_MS = 300_000

/**
 * Installs the servers of the folder `servers`, without their scripts, where they are not there as the lock file has them; of
 * several tests that want them at once, one does. Answers whether they are there: who works without a network has
 * everything else to test. In CI they have to be.
 */
export async function installed(): Promise<boolean> {
  for (;;) {
    if (isUpToDate()) return true
    if (!tryLock()) {
      await sleep(250)
      continue
    }
    try {
      if (isUpToDate()) return true
      const failure = await install()
      if (failure === undefined) return true
      if (process.env['CI'] === 'true') throw failure
      console.warn(`Servers of other people cannot be installed here: their tests are left out. ${failure.message}`)
      return false
    } finally {
      rmdirSync(LOCK)
    }
  }
}

/** Finds the program of a package, here or where the gate's own packages are. */
export function programOf(name: string): string {
  const own = join(FOLDER, 'node_modules', name, 'package.json')
  const file = existsSync(own) ? own : join(packagesOf(), name, 'package.json')
  const { bin }: { bin: string | Record<string, string> } = JSON.parse(readFileSync(file, 'utf8'))
  const [path = ''] = typeof bin === 'string' ? [bin] : Object.values(bin)
  return join(dirname(file), path)
}

/** Not every package says where its own description is, so another's place is taken. */
function packagesOf(): string {
  const sdk = createRequire(import.meta.url).resolve('@modelcontextprotocol/sdk/types.js')
  return sdk.slice(0, sdk.lastIndexOf('node_modules') + 'node_modules'.length)
}

function isUpToDate(): boolean {
  const [done, wanted] = [join(FOLDER, 'node_modules/.package-lock.json'), join(FOLDER, 'package-lock.json')]
  return existsSync(done) && statSync(done).mtimeMs >= statSync(wanted).mtimeMs
}

function tryLock(): boolean {
  try {
    mkdirSync(LOCK)
    return true
  } catch {
    const age = Date.now() - (statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (age > LOCK_MS) rmdirSync(LOCK)
    return false
  }
}

function install(): Promise<Error | undefined> {
  const words = ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  return new Promise((resolve) => {
    execFile('npm', words, { cwd: FOLDER, timeout: INSTALL_MS }, (error) => resolve(error ?? undefined))
  })
}
