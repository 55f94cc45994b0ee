import { hash } from 'node:crypto'
import { lstatSync, type Stats } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { problem } from './problem.ts'

/** A system keeps 104 (macOS) or 108 (Linux) bytes for the path, its final zero included. */
const LONGEST = 100

/**
 * Where the gate of a data directory takes the commands of its operator. Too long a path is replaced by a
 * short one that is made of it, in a directory of the user's own.
 *
 * @see unix(7), `sun_path`
 */
export function socketPathOf(dataDir: string): string {
  const path = join(resolve(dataDir), 'gate.sock')
  if (Buffer.byteLength(path) <= LONGEST) return path
  const name = hash('sha256', path, 'hex').slice(0, 16)
  return join(tmpdir(), `sekisho-${userInfo().uid}`, `${name}.sock`)
}

/**
 * Refuses a socket which somebody else could have put there, or could replace: whoever listens on it is told
 * tokens, and is believed.
 *
 * @throws {Problem} `gate.socket_unsafe`
 */
export function requireOwnSocket(socketPath: string): void {
  const directory = dirname(socketPath)
  if (!isOurs(lstatSync(directory))) throw problem('gate.socket_unsafe', { directory })
}

/**
 * Owned by this user or the superuser, and not writable by everybody. A group that may write was chosen by
 * somebody, as with the volumes of containers.
 */
function isOurs(directory: Stats): boolean {
  const self = process.getuid?.()
  if (self === undefined) return true
  return directory.isDirectory() && [self, 0].includes(directory.uid) && (directory.mode & 0o002) === 0
}
