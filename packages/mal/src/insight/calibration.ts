import type { ListEntry } from '../list/entry.ts'
import { differencesOf, type Difference } from './community.ts'
import { meanOf, medianOf, round, spreadOf } from './numbers.ts'
import { scoresOf } from './shares.ts'

/** How the user's scale is used, and what its scores are worth elsewhere: data to judge from, no advice. */
export interface Calibration {
  readonly scored: number
  readonly mean: number | undefined
  readonly median: number | undefined
  readonly spread: number | undefined
  /** How much of the scale is used: 1 all ten scores alike, 0 a single one (normalized entropy). */
  readonly evenness: number
  /** 10 to 1, those in use. */
  readonly scores: readonly ScoreMeaning[]
  /** Where the score is furthest from what the user's own scale says of such a mean: worth a second look. */
  readonly out_of_line: readonly Difference[]
}

export interface ScoreMeaning {
  readonly score: number
  readonly count: number
  /** Standard deviations above or below the user's own mean. */
  readonly z: number
  /** Of the user's scores, how many per hundred lie below it; equals count half. */
  readonly percentile: number
  /** The community's mean at the same percentile of the same entries: what the community would have given. */
  readonly community: number | undefined
  /** Where it would stand if all of 1 to 10 were used evenly. */
  readonly evenly: number
}

const SECOND_LOOKS = 10

/** Describes the user's scale over all scored entries. */
export function calibrate(entries: readonly ListEntry[]): Calibration {
  const scores = scoresOf(entries)
  const [mean, spread] = [meanOf(scores), spreadOf(scores)]
  const counts = Array.from({ length: 10 }, (_, index) => scores.filter((score) => score === 10 - index).length)
  return {
    scored: scores.length,
    mean: round(mean),
    median: medianOf(scores),
    spread: round(spread),
    evenness: evennessOf(counts),
    scores: meaningsOf(entries, counts),
    out_of_line: outOfLine(entries),
  }
}

/** Shannon's entropy of how often each score is given, of what ten would have at most. */
function evennessOf(counts: readonly number[]): number {
  const total = counts.reduce((all, count) => all + count, 0)
  const shares = counts.filter((count) => count > 0).map((count) => count / total)
  const entropy = shares.reduce((sum, share) => sum - share * Math.log(share), 0)
  return round(entropy / Math.log(10))
}

function meaningsOf(entries: readonly ListEntry[], counts: readonly number[]): ScoreMeaning[] {
  const scores = scoresOf(entries)
  const [mean = 0, spread = 0] = [meanOf(scores), spreadOf(scores)]
  const means = entries
    .flatMap(({ work, noted }) => (noted.score === undefined ? [] : (work.mean ?? [])))
    .sort((one, other) => one - other)
  return counts.flatMap((count, index): ScoreMeaning[] => {
    if (count === 0) return []
    const score = 10 - index
    const below = scores.filter((other) => other < score).length
    const share = (below + count / 2) / scores.length
    return [
      {
        score,
        count,
        z: spread === 0 ? 0 : round((score - mean) / spread),
        percentile: Math.round(share * 1000) / 10,
        community: round(means[Math.floor(share * means.length)]),
        evenly: round(1 + share * 9),
      },
    ]
  })
}

/**
 * Entries whose score is furthest from the line that runs best through all scores over the community's means. Against
 * that line a harsh or a narrow scale counts for nothing; only what is odd for this user remains.
 */
function outOfLine(entries: readonly ListEntry[]): Difference[] {
  const pairs = entries.flatMap(({ work: { mean }, noted: { score } }) =>
    mean === undefined || score === undefined ? [] : [{ mean, score }],
  )
  const [x, y] = [meanOf(pairs.map(({ mean }) => mean)), meanOf(pairs.map(({ score }) => score))]
  const variance = pairs.reduce((sum, { mean }) => sum + (mean - (x ?? 0)) ** 2, 0)
  if (x === undefined || y === undefined || pairs.length < 10 || variance === 0) return []
  const slope = pairs.reduce((sum, { mean, score }) => sum + (mean - x) * (score - y), 0) / variance
  return differencesOf(entries, ({ work }) =>
    work.mean === undefined ? undefined : round(Math.max(1, Math.min(10, y + slope * (work.mean - x)))),
  )
    .sort((one, other) => Math.abs(other.difference) - Math.abs(one.difference) || one.id - other.id)
    .slice(0, SECOND_LOOKS)
}
