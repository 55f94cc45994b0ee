import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Where whole lists are written to, for the one person whose machine this is. */
export interface Exports {
  /**
   * Writes a file piece by piece; it stands there whole or not at all.
   * @returns its path
   */
  write(name: string, pieces: Iterable<string | Uint8Array>, signal: AbortSignal): Promise<string>
}

/** @param folder made when it is first needed; nobody else may read it */
export function createExports(folder: string): Exports {
  return {
    async write(name, pieces, signal) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const path = join(folder, name.replaceAll(/[^\w.-]/g, '_'))
      const unfinished = `${path}.${randomUUID()}`
      try {
        await pipeline(Readable.from(pieces), createWriteStream(unfinished, { mode: 0o600, flush: true }), { signal })
        await rename(unfinished, path)
      } finally {
        await rm(unfinished, { force: true })
      }
      return path
    },
  }
}
