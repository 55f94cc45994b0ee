import { z } from 'zod'
import { affinityNote, compareLists, type Comparison, type Recommendation } from '../insight/affinity.ts'
import { biasBy, compareWithCommunity as deviate, type Deviation } from '../insight/community.ts'
import { oneLine } from '../list/one-line.ts'
import { differenceLine } from './get-user-stats.ts'
import { userName } from './schema.ts'
import { tool } from './tool.ts'
import { differences, figure, kindInput, showWhole, signed, wholeLines, wholeShape } from './whole.ts'

const most = z.int().min(1).max(100).default(10).describe('Titles per row of titles')

const recommendations = z.array(
  z.object({ id: z.int(), title: z.string(), score: z.int(), community_mean: figure, planned: z.boolean() }),
)

/** Two whole lists, of which the other must be public. */
export const compareWithUser = tool({
  name: 'compare_with_user',
  toolset: 'insight',
  title: 'Compare with another user',
  description:
    "Compares the user's list with another user's public one: affinity, what is shared, the largest disagreements, and " +
    'what each scored best that the other has not begun.',
  effect: 'reads',
  input: z.object({ kind: kindInput, user: userName.describe('MyAnimeList user name'), most }),
  output: z.object({
    ...wholeShape,
    their_total: z.int(),
    their_truncated: z.boolean(),
    affinity: figure.describe('-100 to 100'),
    affinity_note: z.string(),
    shared: z.int(),
    both_scored: z.int(),
    both_planned: z.int(),
    only_mine: z.int(),
    only_theirs: z.int(),
    my_mean: figure,
    their_mean: figure,
    mean_absolute_difference: figure,
    liked_more: differences.describe('I like more than they do'),
    liked_less: differences,
    for_me: recommendations,
    for_them: recommendations,
  }),
  async run({ mal }, { kind, user, most }) {
    // Theirs first: where it is private, nothing else is read.
    const theirs = await mal.wholeList(kind, user)
    const mine = await mal.wholeList(kind)
    const comparison = compareLists(mine, theirs, most)
    return {
      data: {
        ...showWhole(mine),
        their_total: theirs.entries.length,
        their_truncated: theirs.truncated,
        affinity_note: affinityNote,
        ...comparison,
      },
      lines: wholeLines(mine, linesOf(comparison, oneLine(user))),
    }
  },
})

function linesOf(comparison: Comparison, user: string): string[] {
  const recommended = (all: readonly Recommendation[]) =>
    all
      .map(({ id, title, score, planned }) => `${oneLine(title)} (id ${id}, ${score}${planned ? ', planned' : ''})`)
      .join('; ') || 'nothing'
  return [
    `Affinity with ${user}: ${comparison.affinity ?? 'none to compute'} over ${comparison.both_scored} works both scored. ` +
      affinityNote,
    `Shared: ${comparison.shared} (${comparison.both_planned} planned by both); only mine: ${comparison.only_mine}; only ` +
      `theirs: ${comparison.only_theirs}`,
    `Means over the shared: mine ${comparison.my_mean ?? '-'}, theirs ${comparison.their_mean ?? '-'}, apart by ` +
      `${comparison.mean_absolute_difference ?? '-'}`,
    `I like more: ${comparison.liked_more.map(differenceLine).join('; ') || 'nothing'}`,
    `They like more: ${comparison.liked_less.map(differenceLine).join('; ') || 'nothing'}`,
    `From them for me: ${recommended(comparison.for_me)}`,
    `From me for them: ${recommended(comparison.for_them)}`,
  ]
}

const biases = z.array(z.object({ name: z.string(), compared: z.int(), mean_difference: z.number() }))

/** The own scores beside everybody's means. */
export const compareWithCommunity = tool({
  name: 'compare_with_community',
  toolset: 'insight',
  title: 'Compare with the community',
  description:
    "The user's scores against MyAnimeList's means: how far apart, in which direction, for which genres, types and " +
    'decades, and the titles where they differ most.',
  effect: 'reads',
  input: z.object({ kind: kindInput, most }),
  output: z.object({
    ...wholeShape,
    compared: z.int(),
    mean_difference: figure.describe('Above 0: scores higher than the community'),
    mean_absolute_difference: figure,
    correlation: figure,
    spread: figure,
    community_spread: figure,
    median_popularity: figure.describe('The larger, the less known'),
    by_genre: biases.describe('From 3 scores on'),
    by_type: biases,
    by_decade: biases,
    liked_more: differences,
    liked_less: differences,
  }),
  async run({ mal }, { kind, most }) {
    const list = await mal.wholeList(kind)
    const deviation: Partial<Deviation> = deviate(list.entries, most) ?? {}
    const { compared = 0, liked_more = [], liked_less = [] } = deviation
    const by = {
      by_genre: biasBy(list.entries, ({ work }) => work.genres),
      by_type: biasBy(list.entries, ({ work }) => (work.mediaType === undefined ? [] : [work.mediaType])),
      by_decade: biasBy(list.entries, ({ work }) =>
        work.year === undefined ? [] : [`${Math.floor(work.year / 10) * 10}s`],
      ),
    }
    const row = (all: readonly { name: string; compared: number; mean_difference: number }[]) =>
      all.map((one) => `${oneLine(one.name)} ${signed(one.mean_difference)} (${one.compared})`).join(', ') || 'too few'
    return {
      data: { ...showWhole(list), ...deviation, compared, liked_more, liked_less, ...by },
      lines: wholeLines(list, [
        deviationLine(deviation),
        `By genre: ${row(by.by_genre)}`,
        `By type: ${row(by.by_type)}`,
        `By decade: ${row(by.by_decade)}`,
        `Liked more: ${liked_more.map(differenceLine).join('; ') || 'nothing'}`,
        `Liked less: ${liked_less.map(differenceLine).join('; ') || 'nothing'}`,
      ]),
    }
  },
})

function deviationLine({ compared = 0, mean_difference: mean = 0, ...rest }: Partial<Deviation>): string {
  return (
    `${compared} compared: ${signed(mean)} on average, ${rest.mean_absolute_difference ?? '-'} apart, correlation ` +
    `${rest.correlation ?? '-'}; spread ${rest.spread ?? '-'} against ${rest.community_spread ?? '-'}; the middle of the ` +
    `list is at place ${rest.median_popularity ?? '-'} by popularity`
  )
}
