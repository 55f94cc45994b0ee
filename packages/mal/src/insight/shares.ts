import type { Kind, ListEntry } from '../list/entry.ts'
import { meanOf, round } from './numbers.ts'

/** How often something occurs on a list, and how it was scored. */
export interface Share {
  readonly name: string
  readonly count: number
  /** The user's own mean over the scored ones among them. */
  readonly mean_score: number | undefined
}

/** A way to divide a list. An entry counts once for each name it has, and under `unknown` where it has none. */
interface Dimension {
  readonly name: string
  readonly only?: Kind
  readonly order?: 'name'
  namesOf(entry: ListEntry): readonly string[]
}

const dimensions: readonly Dimension[] = [
  { name: 'status', namesOf: ({ noted }) => [noted.status] },
  { name: 'genre', namesOf: ({ work }) => work.genres },
  { name: 'type', namesOf: ({ work }) => one(work.mediaType) },
  { name: 'decade', order: 'name', namesOf: ({ work }) => one(decadeOf(work.year)) },
  { name: 'season', only: 'anime', namesOf: ({ work }) => one(work.season) },
  { name: 'source', only: 'anime', namesOf: ({ work }) => one(work.source) },
  { name: 'rating', only: 'anime', namesOf: ({ work }) => one(work.rating) },
  { name: 'studio', only: 'anime', namesOf: ({ work }) => work.studios },
  { name: 'author', only: 'manga', namesOf: ({ work }) => work.authors },
]

/** How a list divides, by the name of what it is divided by; `score` runs from 10 to 1 without gaps. */
export function divide(kind: Kind, entries: readonly ListEntry[]): Readonly<Record<string, readonly Share[]>> {
  const mine = dimensions.filter(({ only }) => only === undefined || only === kind)
  return {
    score: byScore(entries),
    ...Object.fromEntries(
      mine.map(({ name, order, namesOf }) => {
        const shares = share(entries, (entry) => (namesOf(entry).length === 0 ? ['unknown'] : namesOf(entry)))
        return [name, order === 'name' ? shares.sort((a, b) => compareNames(a.name, b.name)) : shares]
      }),
    ),
  }
}

/** The most frequent first; of two equally frequent ones the earlier in the alphabet. */
export function share(entries: readonly ListEntry[], namesOf: (entry: ListEntry) => readonly string[]): Share[] {
  return [...groupBy(entries, namesOf)]
    .map(([name, group]) => ({ name, count: group.length, mean_score: round(meanOf(scoresOf(group))) }))
    .sort((one, other) => other.count - one.count || compareNames(one.name, other.name))
}

/** Entries by each name they have. */
export function groupBy(
  entries: readonly ListEntry[],
  namesOf: (entry: ListEntry) => readonly string[],
): Map<string, ListEntry[]> {
  const groups = new Map<string, ListEntry[]>()
  for (const entry of entries) {
    for (const name of new Set(namesOf(entry))) {
      const group = groups.get(name)
      if (group) group.push(entry)
      else groups.set(name, [entry])
    }
  }
  return groups
}

export function scoresOf(entries: readonly ListEntry[]): number[] {
  return entries.flatMap(({ noted }) => noted.score ?? [])
}

/** All of 10 to 1, so that a gap is seen. */
function byScore(entries: readonly ListEntry[]): Share[] {
  return Array.from({ length: 10 }, (_, index) => 10 - index).map((score) => ({
    name: String(score),
    count: entries.filter(({ noted }) => noted.score === score).length,
    mean_score: undefined,
  }))
}

function decadeOf(year: number | undefined): string | undefined {
  return year === undefined ? undefined : `${Math.floor(year / 10) * 10}s`
}

function one(name: string | undefined): string[] {
  return name === undefined ? [] : [name]
}

export function compareNames(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}
