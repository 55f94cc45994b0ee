import { resolve } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** Where the command was typed. `npm run` changes to the package's directory and leaves the first in INIT_CWD. */
export function startDirectoryOf(environment: Environment): string {
  return environment['INIT_CWD'] || process.cwd()
}

/** The data directory of a gate, as an absolute path: SEKISHO_DATA, or `.sekisho` where the command was typed. */
export function dataDirectoryOf(environment: Environment): string {
  return resolve(startDirectoryOf(environment), environment['SEKISHO_DATA'] || '.sekisho')
}
