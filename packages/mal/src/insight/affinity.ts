import type { ListEntry, WholeList, Work } from '../list/entry.ts'
import { differencesOf, furthest, type Difference } from './community.ts'
import { correlationOf, meanOf, round } from './numbers.ts'
import { isPlanned } from './statistics.ts'

/** What the figure is, to be said beside it. */
export const affinityNote =
  "Affinity: Pearson's correlation of both users' scores over the works both have scored, times 100; -100 to 100. It " +
  'is how the users of MyAnimeList compute what profiles there show (the MALAffinity and Aniffinity libraries); ' +
  'MyAnimeList itself documents no formula. It tells whether two agree on what is better, not how high they score, and ' +
  'means little under some ten works.'

/** Two lists beside each other; `liked_more` and `liked_less` are mine against theirs. */
export interface Comparison {
  readonly affinity: number | undefined
  /** Works on both lists; on both and scored by both; on both and planned by both. */
  readonly shared: number
  readonly both_scored: number
  readonly both_planned: number
  readonly only_mine: number
  readonly only_theirs: number
  readonly my_mean: number | undefined
  readonly their_mean: number | undefined
  readonly mean_absolute_difference: number | undefined
  readonly liked_more: readonly Difference[]
  readonly liked_less: readonly Difference[]
  /** What they scored best that I have not begun; those on my list to be begun are marked. */
  readonly for_me: readonly Recommendation[]
  readonly for_them: readonly Recommendation[]
}

export interface Recommendation {
  readonly id: number
  readonly title: string
  /** Of whoever recommends it. */
  readonly score: number
  readonly community_mean: number | undefined
  readonly planned: boolean
}

/** Compares two lists of the same kind. @param most How many are named in each row of names. */
export function compareLists(mine: WholeList, theirs: WholeList, most: number): Comparison {
  const [myById, theirById] = [byId(mine), byId(theirs)]
  const shared = mine.entries.filter(({ work }) => theirById.has(work.id))
  const differences = differencesOf(shared, ({ work }) => theirById.get(work.id)?.noted.score)
  const pairs = differences.map(({ score, other }) => [score, other] as const)
  const correlation = correlationOf(pairs)
  return {
    affinity: correlation === undefined ? undefined : Math.round(correlation * 1000) / 10,
    shared: shared.length,
    both_scored: differences.length,
    both_planned: shared.filter((entry) => isPlanned(entry) && isPlannedOn(theirById, entry.work)).length,
    only_mine: mine.entries.length - shared.length,
    only_theirs: theirs.entries.length - shared.length,
    my_mean: round(meanOf(pairs.map(([score]) => score))),
    their_mean: round(meanOf(pairs.map(([, score]) => score))),
    mean_absolute_difference: round(meanOf(differences.map(({ difference }) => Math.abs(difference)))),
    ...furthest(differences, most),
    for_me: recommend(theirs, myById, most),
    for_them: recommend(mine, theirById, most),
  }
}

/** Scores below it recommend nothing. */
const GOOD = 8

/** The best of one list that the other has not begun: by score, then by what the community thinks of it. */
function recommend(from: WholeList, to: ReadonlyMap<number, ListEntry>, most: number): Recommendation[] {
  return from.entries
    .flatMap(({ work, noted }): Recommendation[] => {
      const isNew = !to.has(work.id)
      if ((noted.score ?? 0) < GOOD || (!isNew && !isPlannedOn(to, work))) return []
      const { id, title, mean } = work
      return [{ id, title, score: noted.score ?? 0, community_mean: mean, planned: !isNew }]
    })
    .sort((one, other) => other.score - one.score || (other.community_mean ?? 0) - (one.community_mean ?? 0))
    .slice(0, most)
}

function isPlannedOn(list: ReadonlyMap<number, ListEntry>, { id }: Work): boolean {
  const entry = list.get(id)
  return entry !== undefined && isPlanned(entry)
}

function byId({ entries }: WholeList): Map<number, ListEntry> {
  return new Map(entries.map((entry) => [entry.work.id, entry]))
}
