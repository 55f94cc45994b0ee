import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, sep } from 'node:path'
import { scan, type Scan } from './imports.ts'

export const sourceFolder = join(import.meta.dirname, '../../src')

export interface SourceFile extends Scan {
  /** Seen from src/, with slashes: `http/edge.ts`. */
  readonly path: string
  /** The folder it is in, or its own name without `.ts` where it stands in src/ itself. */
  readonly room: string
  readonly lines: number
  /** The files of src/ that it imports. */
  readonly uses: readonly string[]
}

/** Reads every file of the gateway's source. */
export function readSource(): SourceFile[] {
  return readdirSync(sourceFolder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFile(name.split(sep).join('/')))
}

function readFile(path: string): SourceFile {
  const text = readFileSync(join(sourceFolder, path), 'utf8')
  const found = scan(text)
  const local = found.imports.flatMap(({ from }) => (from?.startsWith('.') ? [posix.join(dirname(path), from)] : []))
  return { ...found, path, room: roomOf(path), lines: text.split('\n').length - 1, uses: local }
}

/** The room of a file, from its path within src/. */
export function roomOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '') : path.replace(/\.ts$/, '')
}
