import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { z } from 'zod'
import { ATTACKS } from './attacks.ts'
import { tryAttacks } from './attack-run.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const FOLDER = join(ATTACKS, 'mutants')

/** A defence, and what becomes of the source without it. */
const Mutant = z.strictObject({
  /** What is taken away. */
  takes: z.string(),
  /** Below the root of the repository. */
  file: z.string(),
  /** Stands exactly once in the file. */
  find: z.string(),
  replace: z.string(),
  /** The class of attacks that must notice, and which of its files. */
  class: z.string(),
  test: z.string(),
})
type Mutant = z.output<typeof Mutant>

/**
 * Takes one defence after the other away, in a copy of the sources, and tries the attacks that it is there for.
 *
 * @param only names of mutants; all of them where there are none
 * @returns for each whether an attack got through, as it must
 * @throws {Error} where a mutant does not fit the sources any more, of which `npm run check` tells before
 */
export async function tryMutants(only: readonly string[], say: (line: string) => void): Promise<boolean[]> {
  const chosen = (await readMutants()).filter(({ name }) => only.length === 0 || only.includes(name))
  await using copy = await copySources()
  const outcomes: boolean[] = []
  for (const { name, ...mutant } of chosen) {
    const restore = await apply(mutant, copy.root)
    const { tried, failed, trouble } = await tryAttacks(mutant.class, {
      root: copy.root,
      file: mutant.test,
      bail: true,
    })
    await restore()
    const caught = failed.length > 0 || (tried > 0 && trouble !== undefined)
    outcomes.push(caught)
    say(`${caught ? 'caught ' : 'MISSED '}  ${name.padEnd(18)} without ${mutant.takes}`)
    say(`           ${failed[0] ?? trouble ?? 'every attack was repelled all the same'}`)
  }
  return outcomes
}

/** The mutants that do not fit the sources any more; empty where all is well. */
export async function findStaleMutants(): Promise<string[]> {
  const mutants = await readMutants()
  const counts = mutants.map(
    async ({ file, find }) => (await readFile(join(ROOT, file), 'utf8')).split(find).length - 1,
  )
  const found = await Promise.all(counts)
  return mutants.flatMap(({ name, file }, index) =>
    found[index] === 1 ? [] : [`attacks/mutants/${name}.json: what it changes stands ${found[index]} times in ${file}`],
  )
}

async function readMutants(): Promise<(Mutant & { readonly name: string })[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.json')).sort()
  const texts = names.map(async (name) => ({ name, text: await readFile(join(FOLDER, name), 'utf8') }))
  return (await Promise.all(texts)).map(({ name, text }) => ({
    name: basename(name, '.json'),
    ...Mutant.parse(JSON.parse(text)),
  }))
}

/** Sources and tests; what is installed is shared. */
async function copySources() {
  const root = await mkdtemp(join(tmpdir(), 'sekisho-mutants-'))
  const left = new Set(['node_modules', '.git', '.data'])
  await cp(ROOT, root, { recursive: true, filter: (path) => !left.has(basename(path)) })
  const folders = ['.', 'packages/gateway', 'packages/kit', 'packages/mal', 'packages/playground']
  for (const folder of folders) {
    const installed = join(ROOT, folder, 'node_modules')
    await symlink(installed, join(root, folder, 'node_modules')).catch(() => {})
  }
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) }
}

async function apply({ file, find, replace }: Omit<Mutant, 'name'>, root: string): Promise<() => Promise<void>> {
  const path = join(root, file)
  const text = await readFile(path, 'utf8')
  if (text.split(find).length !== 2) throw new Error(`${file} has not exactly one “${find}”`)
  await writeFile(
    path,
    text.replace(find, () => replace),
  )
  return () => writeFile(path, text)
}
