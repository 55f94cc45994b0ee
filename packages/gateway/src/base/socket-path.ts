import { hash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** What fits into a socket's address on every system, with its closing zero. */
const LONGEST = 100

/**
 * Where the gate of a data directory listens for its operator: in the directory, or, where its path is too
 * long for a socket, at a short path that only the directory decides.
 */
export function socketPathOf(dataDirectory: string): string {
  const directory = resolve(dataDirectory)
  const path = join(directory, 'gate.sock')
  if (Buffer.byteLength(path) <= LONGEST) return path
  return join(tmpdir(), `sekisho-${hash('sha256', directory, 'hex').slice(0, 16)}`, 'gate.sock')
}
