import { MalProblem } from '../api/problem.ts'
import type { Kind, WholeList, Work } from '../list/entry.ts'
import { lineOf } from './show.ts'
import type { ToolCall } from './tool.ts'
import { tried } from './tried.ts'

/** Searches want 3 characters at least and 64 at most. */
const SHORTEST = 3
const LONGEST = 64
const CANDIDATES = 10

/**
 * The id of a work that is named by its id, by its address at MyAnimeList or by a title. A title that is exactly one
 * work's wins; otherwise the person chooses, or the model is told what there is.
 *
 * @throws {MalProblem} `ambiguous` with the candidates, `no_such_title`
 */
export async function resolve(call: ToolCall, kind: Kind, named: string | number): Promise<number> {
  const id = readId(kind, named)
  if (id !== undefined) return id
  const title = String(named).trim()
  const found = await findByTitle(call, kind, title)
  const exact = found.filter((work) => titlesOf(work).includes(normal(title)))
  return chooseAmong(call, title, exact.length > 0 ? exact : found)
}

/**
 * The ids of entries of the own list, each named in one of these ways. Titles are looked for on the list alone, which
 * costs no request; one that is no entry's whole title may be a part of it.
 *
 * @throws {MalProblem} as {@link resolve}
 */
export async function resolveListed(
  call: ToolCall,
  { kind, entries }: WholeList,
  named: readonly (string | number)[],
): Promise<number[]> {
  let find: ReturnType<typeof indexOf> | undefined
  const ids: number[] = []
  for (const each of named) {
    const id = readId(kind, each)
    const title = String(each).trim()
    ids.push(id ?? (await chooseAmong(call, title, (find ??= indexOf(entries))(title))))
  }
  return ids
}

/** Every title is made comparable once, however many are looked for. */
function indexOf(entries: WholeList['entries']): (title: string) => Work[] {
  const titled = entries.map(({ work }) => ({ work, titles: titlesOf(work) }))
  const exact = new Map<string, Work[]>()
  for (const { work, titles } of titled) {
    for (const title of new Set(titles)) exact.set(title, [...(exact.get(title) ?? []), work])
  }
  return (named) => {
    const sought = normal(named)
    const parts = () => titled.filter(({ titles }) => titles.some((title) => title.includes(sought)))
    return (exact.get(sought) ?? parts().map(({ work }) => work)).slice(0, CANDIDATES)
  }
}

async function chooseAmong(call: ToolCall, title: string, candidates: readonly Work[]): Promise<number> {
  const [only] = candidates
  if (only === undefined) throw new MalProblem('no_such_title', { says: `It was "${title}".` })
  if (candidates.length === 1) return only.id
  const options = candidates.map((work) => ({ value: String(work.id), label: lineOf(work) }))
  const chosen = await call.choose(`Which one is meant by "${title}"?`, options)
  if (chosen !== undefined) return Number(chosen)
  throw new MalProblem('ambiguous', { says: candidates.map(lineOf).join('; ') })
}

export interface Resolved {
  readonly found: readonly { readonly id: number; readonly title: string | undefined }[]
  /** What no id was found for, as it was named, and why. */
  readonly unclear: readonly { readonly named: string; readonly why: string }[]
}

/**
 * The same for many, where one that is not clear does not stop the others.
 *
 * @throws {MalProblem} `ambiguous`, `no_such_title` where there is no other
 */
export async function resolveAll(call: ToolCall, kind: Kind, works: readonly (string | number)[]): Promise<Resolved> {
  const found: Resolved['found'][number][] = []
  const unclear: Resolved['unclear'][number][] = []
  for (const named of works) {
    const { value: id, problem } = await tried(() => resolve(call, kind, named))
    if (id !== undefined) found.push({ id, title: typeof named === 'string' ? named : undefined })
    else if (problem && (works.length === 1 || !unclearCodes.has(problem.code))) throw problem
    else if (problem) unclear.push({ named: String(named), why: problem.message })
  }
  return { found, unclear }
}

const unclearCodes: ReadonlySet<string> = new Set(['ambiguous', 'no_such_title'])

function readId(kind: Kind, named: string | number): number | undefined {
  if (typeof named === 'number') return named
  const digits = /^\s*(\d{1,9})\s*$/.exec(named) ?? new RegExp(`myanimelist\\.net/${kind}/(\\d{1,9})`).exec(named)
  return digits?.[1] === undefined ? undefined : Number(digits[1])
}

async function findByTitle({ mal }: ToolCall, kind: Kind, title: string): Promise<Work[]> {
  const letters = Array.from(title)
  if (letters.length >= SHORTEST) {
    const q = letters.slice(0, LONGEST).join('')
    const { items } = await mal.search(kind, { q, limit: CANDIDATES, offset: 0, nsfw: true })
    return items.map(({ work }) => work)
  }
  // Titles of one or two letters exist; the own list is where they can be found.
  const { entries } = await mal.wholeList(kind)
  return entries.map(({ work }) => work).filter((work) => titlesOf(work).includes(normal(title)))
}

function titlesOf({ title, englishTitle, japaneseTitle, synonyms }: Work): string[] {
  return [title, englishTitle, japaneseTitle, ...synonyms].flatMap((each) => (each === undefined ? [] : normal(each)))
}

/** Letters and digits alone, so that punctuation and width make no difference; all of it where nothing would be left. */
function normal(title: string): string {
  const text = title.normalize('NFKC').toLowerCase().trim()
  return text.replaceAll(/[^\p{L}\p{N}]+/gu, ' ').trim() || text
}
