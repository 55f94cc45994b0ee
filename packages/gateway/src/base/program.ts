import { realpathSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

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
