import { Stryker } from '@stryker-mutator/core'
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'

/** What is tried in one go: beginning costs the tests of the room once, and what is not ended is not kept. */
const LINES_AT_ONCE = 400
const NOWHERE = 'postgres://nobody@127.0.0.1:9/none'

/**
 * The files of a room, as many together as are tried in one go. They come in no order that means anything, and always in
 * the same one: what there is time for is a fair choice.
 */
export function findParts(room: string, file = '**/*'): readonly (readonly string[])[] {
  const parts: string[][] = []
  let lines = Infinity
  const files = globSync(`packages/gateway/src/${room}/${file}.ts`)
  for (const each of files.sort((one, other) => shuffled(one).localeCompare(shuffled(other)))) {
    const length = readFileSync(each, 'utf8').split('\n').length
    if (lines + length > LINES_AT_ONCE) {
      parts.push([])
      lines = 0
    }
    parts.at(-1)?.push(each)
    lines += length
  }
  return parts
}

function shuffled(file: string): string {
  return createHash('sha256').update(file).digest('hex')
}

/** Tries every change there is to make in these files, and adds what came of it to what is kept. */
export async function tryChanges(room: string, files: readonly string[], kept: string): Promise<void> {
  // On the embedded database alone: the stores are the same, and each change costs a fraction of the time.
  Object.assign(process.env, { SEKISHO_MUTATION_ROOM: room, SEKISHO_TEST_POSTGRES: NOWHERE, CI: '' })
  const stryker = new Stryker({
    mutate: [...files],
    testRunner: 'vitest',
    vitest: { configFile: 'vitest.mutation.config.ts', related: false },
    plugins: ['@stryker-mutator/vitest-runner'],
    reporters: ['progress-append-only'],
    incremental: true,
    incrementalFile: kept,
    ignorePatterns: ['artifacts', '.sekisho', '.tmp', 'bench'],
    // Its way to read one needs an older compiler, and no path in ours has to be changed.
    tsconfigFile: 'none',
    // Words for people are what they are; only what decides is changed.
    mutator: { excludedMutations: ['StringLiteral'] },
    coverageAnalysis: 'perTest',
    // What runs once, as a module is loaded, would need every test anew for each change.
    ignoreStatic: true,
    concurrency: 1,
    // A test that waits for ever ends by itself before this; only code that never gives way does not.
    timeoutMS: 60_000,
    allowConsoleColors: false,
    tempDirName: `.tmp/mutation-${room}`,
    cleanTempDir: 'always',
  })
  await stryker.runMutationTest()
}

interface Change {
  readonly mutatorName: string
  readonly replacement?: string
  readonly status: string
  readonly location: { readonly start: Place; readonly end: Place }
}
interface Place {
  readonly line: number
  readonly column: number
}
interface Kept {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Change[] }>>
}

/** What cannot be tried says nothing about the tests. */
const NOT_COUNTED = ['Ignored', 'CompileError', 'RuntimeError']
const NOTICED = ['Killed', 'Timeout']

/** How many of a hundred changes were noticed, of all that were tried by now. */
export function readScore(kept: string) {
  const files = Object.values(readKept(kept).files)
  const all = files.flatMap(({ mutants }) => mutants).filter(({ status }) => !NOT_COUNTED.includes(status))
  const noticed = all.filter(({ status }) => NOTICED.includes(status)).length
  return {
    score: all.length === 0 ? 0 : (100 * noticed) / all.length,
    noticed,
    counted: all.length,
    files: files.length,
  }
}

/** A line for each change that no test noticed: where it is, what was there, and what was put in its place. */
export function showSurvivors(kept: string): readonly string[] {
  return Object.entries(readKept(kept).files).flatMap(([file, { source, mutants }]) =>
    mutants
      .filter(({ status }) => ![...NOT_COUNTED, ...NOTICED].includes(status))
      .map(({ status, location: { start, end }, mutatorName, replacement = mutatorName }) => {
        const was = source.split('\n').slice(start.line - 1, end.line)
        was.push(was.pop()?.slice(0, end.column - 1) ?? '')
        was[0] = was[0]?.slice(start.column - 1) ?? ''
        return `${status.padEnd(10)} ${file}:${start.line}:${start.column}  ${inOneLine(was.join(' '))}  →  ${inOneLine(replacement)}`
      }),
  )
}

function readKept(kept: string): Kept {
  return existsSync(kept) ? JSON.parse(readFileSync(kept, 'utf8')) : { files: {} }
}

function inOneLine(code: string): string {
  const line = code.replaceAll(/\s+/g, ' ')
  return line.length > 80 ? `${line.slice(0, 79)}…` : line
}
