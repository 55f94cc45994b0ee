import { hoursOf, repeatedOf } from '../../insight/time.ts'
import { statuses, type Kind } from '../../list/entry.ts'
import { listEntryOf, type FileEntry } from '../file.ts'
import { mediaTypeWord, statusWord } from '../xml/words.ts'

/** One bar of a chart. */
export interface Bar {
  readonly label: string
  readonly count: number
  /** The user's own mean score of what is counted. */
  readonly mean?: number | undefined
}

/** What the charts of a page show. */
export interface Figures {
  readonly total: number
  readonly byStatus: readonly (Bar & { readonly status: string })[]
  readonly scores: readonly Bar[]
  readonly mean: number | undefined
  readonly scored: number
  /** Episodes watched or chapters read, without repeats, as statistics count them. */
  readonly units: number
  /** About how many more of them were repeats. */
  readonly repeated: number
  /** Of anime: how long everything watched takes, repeats included, where the length of an episode is known. */
  readonly days: number | undefined
  readonly volumes: number
  readonly genres: readonly Bar[]
  readonly types: readonly Bar[]
  readonly decades: readonly Bar[]
  readonly finished: readonly Bar[]
}

export function countFigures(kind: Kind, entries: readonly FileEntry[]): Figures {
  const scores = entries.flatMap(({ noted }) => noted.score ?? [])
  const known = entries.map(listEntryOf)
  return {
    total: entries.length,
    byStatus: statusesOf(kind, entries).map((status) => ({
      status,
      label: statusWord(status),
      count: entries.filter(({ noted }) => noted.status === status).length,
    })),
    scores: Array.from({ length: 10 }, (_, place) => ({
      label: String(place + 1),
      count: scores.filter((score) => score === place + 1).length,
    })),
    mean: meanOf(scores),
    scored: scores.length,
    units: sum(known, ({ noted }) => noted.progress),
    repeated: sum(known, repeatedOf),
    days: kind === 'anime' ? sum(known, (entry) => hoursOf(entry) ?? 0) / 24 : undefined,
    volumes: sum(entries, ({ noted }) => noted.volumes ?? 0),
    genres: largest(tally(entries, ({ work }) => work.genres)),
    types: largest(tally(entries, ({ work }) => [mediaTypeWord(work.mediaType)])),
    decades: inOrder(tally(entries, ({ work }) => (work.year ? [`${Math.floor(work.year / 10) * 10}s`] : []))),
    finished: inOrder(tally(entries, ({ noted }) => noted.finishDate?.slice(0, 4) ?? [])).slice(-12),
  }
}

/** The states of a kind, and whatever else stands in the list. */
export function statusesOf(kind: Kind, entries: readonly FileEntry[]): readonly string[] {
  return [...new Set([...statuses[kind], ...entries.map(({ noted }) => noted.status ?? 'unknown')])]
}

function tally(entries: readonly FileEntry[], of: (entry: FileEntry) => readonly string[] | string): Bar[] {
  const groups = new Map<string, { count: number; scores: number[] }>()
  for (const entry of entries) {
    for (const label of [of(entry)].flat()) {
      const group = groups.get(label) ?? { count: 0, scores: [] }
      group.count += 1
      if (entry.noted.score !== undefined) group.scores.push(entry.noted.score)
      groups.set(label, group)
    }
  }
  return [...groups].map(([label, { count, scores }]) => ({ label, count, mean: meanOf(scores) }))
}

function largest(bars: Bar[]): readonly Bar[] {
  return bars.sort((a, b) => b.count - a.count || a.label.localeCompare(b.label)).slice(0, 10)
}

function inOrder(bars: Bar[]): readonly Bar[] {
  return bars.sort((a, b) => a.label.localeCompare(b.label))
}

function meanOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : sum(values, (value) => value) / values.length
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
