import type { ListEntry } from '../list/entry.ts'
import { correlationOf, meanOf, medianOf, round, spreadOf } from './numbers.ts'
import { groupBy } from './shares.ts'

/** One entry where two judge differently. */
export interface Difference {
  readonly id: number
  readonly title: string
  readonly score: number
  /** The other's: the community's mean, or another user's score. */
  readonly other: number
  readonly difference: number
}

/** The user's scores beside everybody's, over the entries that have both. */
export type Deviation = {
  readonly compared: number
  /** Above 0: scores higher than the community. */
  readonly mean_difference: number
  readonly mean_absolute_difference: number
  /** Pearson's. */
  readonly correlation: number | undefined
  /** How wide the scores are spread, of the user and of the community's means. */
  readonly spread: number | undefined
  readonly community_spread: number | undefined
  /** The middle of the popularity ranks on the list: the larger, the less known are its titles. */
  readonly median_popularity: number | undefined
  readonly liked_more: readonly Difference[]
  readonly liked_less: readonly Difference[]
}

/** `undefined` where nothing has both a score and a mean. @param most How many of the largest differences are named. */
export function compareWithCommunity(entries: readonly ListEntry[], most: number): Deviation | undefined {
  const differences = differencesOf(entries, ({ work }) => work.mean)
  if (differences.length === 0) return undefined
  return {
    compared: differences.length,
    mean_difference: round(meanOf(differences.map(({ difference }) => difference)) ?? 0),
    mean_absolute_difference: round(meanOf(differences.map(({ difference }) => Math.abs(difference))) ?? 0),
    correlation: round(correlationOf(differences.map(({ score, other }) => [score, other]))),
    spread: round(spreadOf(differences.map(({ score }) => score))),
    community_spread: round(spreadOf(differences.map(({ other }) => other))),
    median_popularity: medianOf(entries.flatMap(({ work }) => work.popularity ?? [])),
    ...furthest(differences, most),
  }
}

/** How much better or worse than the community the user finds each genre (or whatever names there are). */
export function biasBy(entries: readonly ListEntry[], namesOf: (entry: ListEntry) => readonly string[]) {
  return [...groupBy(entries, namesOf)]
    .flatMap(([name, group]) => {
      const differences = differencesOf(group, ({ work }) => work.mean)
      const mean = meanOf(differences.map(({ difference }) => difference))
      return mean === undefined || differences.length < 3
        ? []
        : [{ name, compared: differences.length, mean_difference: round(mean) }]
    })
    .sort((one, other) => other.mean_difference - one.mean_difference)
}

/** Where both have a score, the largest difference upwards first. */
export function differencesOf(
  entries: readonly ListEntry[],
  otherOf: (entry: ListEntry) => number | undefined,
): Difference[] {
  return entries
    .flatMap((entry): Difference[] => {
      const { work, noted } = entry
      const other = otherOf(entry)
      if (noted.score === undefined || other === undefined) return []
      const { id, title } = work
      return [{ id, title, score: noted.score, other, difference: round(noted.score - other) }]
    })
    .sort((one, other) => other.difference - one.difference || one.id - other.id)
}

/** Those furthest apart on either side. */
export function furthest(sorted: readonly Difference[], most: number) {
  return {
    liked_more: sorted.filter(({ difference }) => difference > 0).slice(0, most),
    liked_less: sorted
      .filter(({ difference }) => difference < 0)
      .slice(-most)
      .toReversed(),
  }
}
