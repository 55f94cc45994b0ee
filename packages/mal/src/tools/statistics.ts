import type { ListEntry } from '../api/shapes.ts'

/** How often something occurs on a list, and how it was scored. */
export interface Share {
  readonly name: string
  readonly count: number
  /** The user's own mean over the scored ones among them. */
  readonly mean_score?: number
}

export interface Statistics {
  readonly total: number
  readonly scored: number
  readonly mean_score?: number
  readonly by_status: Share[]
  readonly by_score: Share[]
  readonly by_genre: Share[]
  readonly by_media_type: Share[]
  readonly by_decade: Share[]
  readonly top_studios: Share[]
  readonly episodes_watched: number
  readonly episodes_rewatched: number
  readonly watch_time: WatchTime
  readonly versus_community?: Deviation
}

export interface WatchTime {
  readonly hours: number
  readonly days: number
  /** Entries with watched episodes whose length MyAnimeList does not know; they add nothing to the hours. */
  readonly entries_without_length: number
}

/** The user's scores beside everybody's, over the entries that have both. */
export interface Deviation {
  readonly compared: number
  readonly mean_difference: number
  readonly mean_absolute_difference: number
  readonly liked_more: Difference[]
  readonly liked_less: Difference[]
}

export interface Difference {
  readonly id: number
  readonly title: string
  readonly score: number
  readonly community_mean: number
  readonly difference: number
}

const TOP_STUDIOS = 15
const FURTHEST = 5

/** Counts a list. Nothing here asks anybody: the same entries give the same figures. */
export function computeStatistics(entries: readonly ListEntry[]): Statistics {
  const scores = entries.flatMap(({ list }) => list.score ?? [])
  const deviation = deviate(entries)
  return {
    total: entries.length,
    scored: scores.length,
    ...(scores.length > 0 && { mean_score: round(meanOf(scores)) }),
    by_status: share(entries, ({ list }) => [list.status]),
    by_score: byScore(entries),
    by_genre: share(entries, ({ genres }) => genres),
    by_media_type: share(entries, ({ mediaType }) => [mediaType ?? 'unknown']),
    by_decade: share(entries, ({ year }) => [decadeOf(year)]).sort((one, other) => compare(one.name, other.name)),
    top_studios: share(entries, ({ studios }) => studios).slice(0, TOP_STUDIOS),
    episodes_watched: sum(entries, ({ list }) => list.watched),
    episodes_rewatched: sum(entries, rewatched),
    watch_time: watchTime(entries),
    ...(deviation && { versus_community: deviation }),
  }
}

/** The most frequent first; of two equally frequent ones the earlier in the alphabet. */
function share(entries: readonly ListEntry[], namesOf: (entry: ListEntry) => readonly string[]): Share[] {
  const found = new Map<string, { count: number; scores: number[] }>()
  for (const entry of entries) {
    for (const name of new Set(namesOf(entry))) {
      const group = found.get(name) ?? { count: 0, scores: [] }
      group.count += 1
      if (entry.list.score !== undefined) group.scores.push(entry.list.score)
      found.set(name, group)
    }
  }
  return [...found]
    .map(([name, { count, scores }]) => ({
      name,
      count,
      ...(scores.length > 0 && { mean_score: round(meanOf(scores)) }),
    }))
    .sort((one, other) => other.count - one.count || compare(one.name, other.name))
}

/** All of 10 to 1, so that a gap is seen. */
function byScore(entries: readonly ListEntry[]): Share[] {
  return Array.from({ length: 10 }, (_, index) => 10 - index).map((score) => ({
    name: String(score),
    count: entries.filter(({ list }) => list.score === score).length,
  }))
}

function watchTime(entries: readonly ListEntry[]): WatchTime {
  const seconds = sum(entries, (entry) => (entry.list.watched + rewatched(entry)) * (entry.episodeSeconds ?? 0))
  return {
    hours: round(seconds / 3600),
    days: round(seconds / 86_400),
    entries_without_length: entries.filter(
      ({ list, episodeSeconds }) => list.watched > 0 && episodeSeconds === undefined,
    ).length,
  }
}

/** Complete rewatches; how far a rewatch under way has come is not known. */
function rewatched({ list, episodes }: ListEntry): number {
  return list.timesRewatched * (episodes ?? list.watched)
}

function deviate(entries: readonly ListEntry[]): Deviation | undefined {
  const differences = entries.flatMap(({ id, title, mean, list: { score } }): Difference[] =>
    score === undefined || mean === undefined
      ? []
      : [{ id, title, score, community_mean: mean, difference: round(score - mean) }],
  )
  if (differences.length === 0) return undefined
  const sorted = differences.toSorted((one, other) => other.difference - one.difference || one.id - other.id)
  return {
    compared: differences.length,
    mean_difference: round(meanOf(differences.map(({ difference }) => difference))),
    mean_absolute_difference: round(meanOf(differences.map(({ difference }) => Math.abs(difference)))),
    liked_more: sorted.filter(({ difference }) => difference > 0).slice(0, FURTHEST),
    liked_less: sorted
      .filter(({ difference }) => difference < 0)
      .slice(-FURTHEST)
      .toReversed(),
  }
}

function decadeOf(year: number | undefined): string {
  return year === undefined ? 'unknown' : `${Math.floor(year / 10) * 10}s`
}

function sum(entries: readonly ListEntry[], valueOf: (entry: ListEntry) => number): number {
  return entries.reduce((total, entry) => total + valueOf(entry), 0)
}

function meanOf(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}
