import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { problem } from '../base/problem.ts'
import { secret, type Secret } from '../base/secret.ts'
import type { World } from './world.ts'

/**
 * Finds the API key for a gate that is reached by its address: in a file, or in SEKISHO_KEY. Never in an
 * argument, which every process of the machine can read.
 *
 * @throws {Problem} `cli.key_missing`, `cli.file_unreadable`
 */
export async function requireKey(
  file: string | undefined,
  { environment, directory }: Pick<World, 'environment' | 'directory'>,
): Promise<Secret> {
  const text = file === undefined ? environment['SEKISHO_KEY'] : await readKeyFile(resolve(directory, file))
  const key = text?.trim()
  if (!key) throw problem('cli.key_missing')
  return secret(key)
}

async function readKeyFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw problem('cli.file_unreadable', { file, cause: error })
  }
}
