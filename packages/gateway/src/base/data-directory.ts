import { accessSync, constants, mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { problem } from './problem.ts'
import { inWords } from './system-words.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Where the command was typed. `npm run` changes to the package's directory and leaves the first in INIT_CWD. */
export function startDirectoryOf(environment: Environment): string {
  return environment['INIT_CWD'] || process.cwd()
}

/** The data directory of a gate, as an absolute path: SEKISHO_DATA, or `.sekisho` where the command was typed. */
export function dataDirectoryOf(environment: Environment): string {
  return resolve(startDirectoryOf(environment), environment['SEKISHO_DATA'] || '.sekisho')
}

/**
 * Makes it where it is missing, for this user alone.
 *
 * @throws {Problem} `storage.unusable`
 */
export function makeDataDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw problem('storage.unusable', { place: directory, reason: inWords(cause), cause })
  }
}
