import type { Kind, ListEntry } from '../list/entry.ts'
import { meanOf, percentOf, round } from './numbers.ts'
import { compareNames, groupBy, scoresOf } from './shares.ts'

/** A studio or an author, a genre: how the user takes to what comes from it. */
export type Favourite = {
  readonly name: string
  readonly count: number
  readonly scored: number
  readonly mean_score: number
  /** The mean as far as so few scores can be believed: see {@link rankFavourites}. */
  readonly shrunk_mean: number
  /** Of those begun and ended one way or the other. */
  readonly dropped_percent: number | undefined
}

/** As many scores as the mean of the whole list counts for. */
const PRIOR = 5

/** The least number of scores to be ranked at all. */
const LEAST = 3

/** Studios of anime, authors of manga. */
export function makersOf(kind: Kind): (entry: ListEntry) => readonly string[] {
  return kind === 'anime' ? ({ work }) => work.studios : ({ work }) => work.authors
}

/**
 * The best first. One score of 10 makes no favourite: a mean of n scores is drawn towards the user's own mean over all,
 * as if that had been given 5 times more: (n × mean + 5 × overall) ÷ (n + 5). Under 3 scores there is no rank.
 */
export function rankFavourites(
  entries: readonly ListEntry[],
  namesOf: (entry: ListEntry) => readonly string[],
): Favourite[] {
  const overall = meanOf(scoresOf(entries)) ?? 0
  return [...groupBy(entries, namesOf)]
    .flatMap(([name, group]): Favourite[] => {
      const scores = scoresOf(group)
      const mean = meanOf(scores)
      if (mean === undefined || scores.length < LEAST) return []
      const shrunk = (scores.length * mean + PRIOR * overall) / (scores.length + PRIOR)
      return [
        {
          name,
          count: group.length,
          scored: scores.length,
          mean_score: round(mean),
          shrunk_mean: round(shrunk),
          dropped_percent: droppedPercent(group),
        },
      ]
    })
    .sort((one, other) => other.shrunk_mean - one.shrunk_mean || compareNames(one.name, other.name))
}

/** What was dropped among all that was completed or dropped. */
export function droppedPercent(entries: readonly ListEntry[]): number | undefined {
  const count = (status: string) => entries.filter(({ noted }) => noted.status === status).length
  return percentOf(count('dropped'), count('dropped') + count('completed'))
}
