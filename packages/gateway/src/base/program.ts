import { realpathSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { problem } from './problem.ts'

/** What modules end with: `.ts` as they are written, `.js` in the published package. */
const EXTENSION = extname(import.meta.filename)

/** How the command line is called: by its name where the package is installed, through npm in the repository. */
export const COMMAND = EXTENSION === '.ts' ? 'npm run sekisho --' : 'sekisho'

/** Whether a module is the program that was started. `import.meta.main` tells it from Node 24.2 on only. */
export function isProgram(module: string): boolean {
  const [, program] = process.argv
  return program !== undefined && realpathSync(program) === fileURLToPath(module)
}

/** Where the module `name` lies that stands beside another: a process or a thread of its own is begun with it. */
export function moduleBeside(module: string, name: string): string {
  return fileURLToPath(new URL(name + EXTENSION, module))
}

/** The oldest Node that has all the gate is made of. */
export const OLDEST_NODE = '22.13.0'

/**
 * Refuses an older one before it fails at something that it does not have.
 *
 * @throws {Problem} `gate.node_too_old`
 */
export function requireNode(version: string): void {
  const numbersOf = (text: string) => text.split('.').map(Number)
  const [major = 0, minor = 0] = numbersOf(version)
  const [oldestMajor = 0, oldestMinor = 0] = numbersOf(OLDEST_NODE)
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor))
    throw problem('gate.node_too_old', { version, oldest: OLDEST_NODE })
}
