import type { ListEntry, WholeList } from '../list/entry.ts'
import { compareWithCommunity, type Deviation } from './community.ts'
import { droppedPercent, makersOf, rankFavourites, type Favourite } from './makers.ts'
import { meanOf, medianOf, percentOf, round, spreadOf, sumOf } from './numbers.ts'
import { divide, scoresOf, type Share } from './shares.ts'
import { hoursLeft, hoursOf, repeatedOf } from './time.ts'

/** Figures about a whole list, in the words of the answer. */
export interface Statistics {
  readonly total: number
  readonly scored: number
  readonly mean_score: number | undefined
  readonly median_score: number | undefined
  /** Standard deviation of the scores. */
  readonly score_spread: number | undefined
  /** Completed among all that was begun. */
  readonly completed_percent: number | undefined
  /** Dropped among all that was completed or dropped. */
  readonly dropped_percent: number | undefined
  /** Episodes watched or chapters read, without repeats. */
  readonly units: number
  readonly volumes: number
  /** Entries that were repeated, how often in all, and about how many episodes or chapters that were. */
  readonly repeated: { readonly entries: number; readonly times: number; readonly units: number }
  readonly time: Time
  readonly backlog: Backlog
  readonly by: Readonly<Record<string, readonly Share[]>>
  /** Studios or authors. */
  readonly favourites: readonly Favourite[]
  readonly versus_community: Deviation | undefined
}

type Time = {
  readonly hours: number
  readonly days: number
  /** Entries whose length MyAnimeList does not know; they add nothing. */
  readonly unknown: number
}

/** What is planned or on hold. */
type Backlog = Time & {
  readonly entries: number
  /** Episodes or chapters still to go, where their number is known. */
  readonly units: number
}

const FAVOURITES = 10
const FURTHEST = 5

/** Counts a list. Nothing here asks anybody: the same entries give the same figures. */
export function computeStatistics({ kind, entries }: WholeList): Statistics {
  const scores = scoresOf(entries)
  return {
    total: entries.length,
    scored: scores.length,
    mean_score: round(meanOf(scores)),
    median_score: medianOf(scores),
    score_spread: round(spreadOf(scores)),
    completed_percent: completedPercent(entries),
    dropped_percent: droppedPercent(entries),
    units: sumOf(entries, ({ noted }) => noted.progress),
    volumes: sumOf(entries, ({ noted }) => noted.volumes),
    repeated: {
      entries: entries.filter(({ noted }) => noted.timesRepeated > 0).length,
      times: sumOf(entries, ({ noted }) => noted.timesRepeated),
      units: sumOf(entries, repeatedOf),
    },
    time: timeOf(entries, hoursOf),
    backlog: backlogOf(entries),
    by: divide(kind, entries),
    favourites: rankFavourites(entries, makersOf(kind)).slice(0, FAVOURITES),
    versus_community: compareWithCommunity(entries, FURTHEST),
  }
}

/** Whether it only stands on the list to be begun some day. */
export function isPlanned({ noted }: ListEntry): boolean {
  return noted.status.startsWith('plan_to_')
}

function completedPercent(entries: readonly ListEntry[]): number | undefined {
  const begun = entries.filter((entry) => !isPlanned(entry))
  return percentOf(begun.filter(({ noted }) => noted.status === 'completed').length, begun.length)
}

function timeOf(entries: readonly ListEntry[], hours: (entry: ListEntry) => number | undefined): Time {
  const total = sumOf(entries, hours)
  return {
    hours: round(total),
    days: round(total / 24),
    unknown: entries.filter((entry) => hours(entry) === undefined).length,
  }
}

function backlogOf(all: readonly ListEntry[]): Backlog {
  const entries = all.filter((entry) => isPlanned(entry) || entry.noted.status === 'on_hold')
  return {
    entries: entries.length,
    units: sumOf(entries, ({ work, noted }) => work.units && Math.max(0, work.units - noted.progress)),
    ...timeOf(entries, hoursLeft),
  }
}
