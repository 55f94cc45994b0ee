import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { z } from 'zod'

const TESTS = join(import.meta.dirname, '../../packages/gateway/test')
/** Where the attacks are, each class in a folder of its own. */
export const ATTACKS = join(TESTS, 'attacks')

const Row = z.strictObject({
  attack: z.string().min(1),
  /** Where it is known from: a section of a specification, a weakness by its CWE number. */
  source: z.string().min(1),
  stops: z.string().min(1),
  /** The file of the test, below the folder of tests. */
  test: z.string().min(1),
  /** Words of the test's title, which tell it from the others in the file. */
  title: z.string().min(1),
})

/** An attack that is tried by a test, and what stops it. */
export interface Attack extends z.output<typeof Row> {
  /** The folder that its row stands in. */
  readonly kind: string
}

/** The classes of attacks, by name. */
export function attackClasses(): string[] {
  const entries = readdirSync(ATTACKS, { withFileTypes: true })
  return entries.flatMap((entry) => (entry.isDirectory() && entry.name !== 'mutants' ? [entry.name] : [])).sort()
}

/**
 * All attacks, class by class, in the order of their rows.
 *
 * @throws {Error} naming the file whose rows are not what they should be
 */
export function readAttacks(): Attack[] {
  return attackClasses().flatMap((kind) => {
    const path = join(ATTACKS, kind, 'attacks.json')
    const rows = z.array(Row).safeParse(existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : [])
    if (!rows.success) throw new Error(`${path}: ${z.prettifyError(rows.error)}`)
    return rows.data.map((row) => ({ kind, ...row }))
  })
}

/** What does not fit: a row without its test, a test file that no row speaks of. Empty where all is well. */
export function findStaleAttacks(attacks: readonly Attack[]): string[] {
  const known = new Set(attacks.map(({ test }) => test))
  const files = readdirSync(ATTACKS, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.ts'))
  return [
    ...attacks.flatMap((attack) => troubleWith(attack) ?? []),
    ...files
      .map((name) => relative(TESTS, join(ATTACKS, name)))
      .filter((test) => !known.has(test))
      .map((test) => `${test}: no row of ${dirname(test)}/attacks.json names it`),
  ]
}

function troubleWith({ kind, attack, source, test, title }: Attack): string | undefined {
  const path = join(TESTS, test)
  if (!existsSync(path)) return `attacks/${kind}/attacks.json: ${test} is not there`
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((text) => text.includes(title))
  if (lines.length === 0) return `${test}: no test is called “${title}”`
  const namesIt = !test.startsWith('attacks/') || lines.some((line) => line.includes(`(${source})`))
  return namesIt ? undefined : `${test}: the title of “${attack}” does not name ${source}`
}
