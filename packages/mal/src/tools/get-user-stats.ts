import { z } from 'zod'
import type { Deviation, Difference } from '../insight/community.ts'
import type { Share } from '../insight/shares.ts'
import { computeStatistics, type Statistics } from '../insight/statistics.ts'
import { timeNote } from '../insight/time.ts'
import { countOf, entriesOf } from '../list/count.ts'
import type { Kind } from '../list/entry.ts'
import { oneLine } from '../list/one-line.ts'
import { tool } from './tool.ts'
import { figure, kindInput, showWhole, signed, wholeLines, wholeShape } from './whole.ts'

const figures = z.record(z.string(), z.number())

export const getUserStats = tool({
  name: 'get_user_stats',
  toolset: 'core',
  title: 'Statistics of a list',
  description:
    "Figures about the user's whole list: status, score, genre, type, decade and other distributions, studios or " +
    'authors, hours, backlog, repeats, scores against the community. For titles take analyze_taste.',
  effect: 'reads',
  input: z.object({ kind: kindInput, top: z.int().min(1).max(500).default(20).describe('Names per distribution') }),
  output: z.object({
    ...wholeShape,
    scored: z.int(),
    mean_score: figure,
    median_score: figure,
    score_spread: figure,
    completed_percent: figure,
    dropped_percent: figure,
    units: z.int().describe('Episodes or chapters'),
    volumes: z.int(),
    repeated: figures,
    time: z.looseObject({ hours: z.number(), days: z.number(), unknown: z.int(), note: z.string() }),
    backlog: figures,
    by: z.record(z.string(), z.array(z.object({ name: z.string(), count: z.int(), mean_score: figure }))),
    favourites: z
      .array(z.looseObject({ name: z.string(), shrunk_mean: z.number() }))
      .describe('Studios or authors; few scores are drawn to the own mean'),
    versus_community: z.looseObject({ compared: z.int(), mean_difference: z.number(), correlation: figure }).optional(),
  }),
  async run({ mal }, { kind, top }) {
    const list = await mal.wholeList(kind)
    const statistics = computeStatistics(list)
    return {
      data: {
        ...showWhole(list),
        ...statistics,
        time: { ...statistics.time, note: timeNote[kind] },
        by: firstOf(statistics.by, top),
      },
      lines: wholeLines(list, linesOf(kind, { ...statistics, by: firstOf(statistics.by, top) })),
    }
  },
})

function firstOf(by: Statistics['by'], top: number): Statistics['by'] {
  return Object.fromEntries(Object.entries(by).map(([name, shares]) => [name, shares.slice(0, top)]))
}

function linesOf(kind: Kind, statistics: Statistics): string[] {
  const { time, backlog, repeated, favourites, versus_community: deviation } = statistics
  const units = kind === 'anime' ? 'episodes' : 'chapters'
  return [
    `${statistics.total} ${kind}, ${statistics.scored} scored, mean ${statistics.mean_score ?? '-'}, median ` +
      `${statistics.median_score ?? '-'}, spread ${statistics.score_spread ?? '-'}`,
    `Of what was begun ${statistics.completed_percent ?? 0} % is completed; dropped: ${statistics.dropped_percent ?? 0} %`,
    ...Object.entries(statistics.by).map(([name, shares]) => `By ${name}: ${listed(shares)}`),
    `Done: ${statistics.units} ${units}${kind === 'manga' ? `, ${statistics.volumes} volumes` : ''}; ` +
      `repeated ${countOf(repeated.times, 'time', 'times')}, about ${repeated.units} ${units} again`,
    `Time: about ${time.hours} hours, ${time.days} days (${entriesOf(time.unknown)} of unknown length). ${timeNote[kind]}`,
    `Backlog: ${entriesOf(backlog.entries)}, ${backlog.units} ${units}, about ${backlog.hours} hours`,
    `Favourite ${kind === 'anime' ? 'studios' : 'authors'} (mean, drawn to the own mean where scores are few): ` +
      (favourites.map(({ name, shrunk_mean: mean, scored }) => `${oneLine(name)} ${mean} (${scored})`).join(', ') ||
        'none with 3 scores'),
    ...(deviation ? linesOfDeviation(deviation) : []),
  ]
}

function linesOfDeviation(deviation: Deviation): string[] {
  return [
    `Against the community (${deviation.compared} compared): ${signed(deviation.mean_difference)} on average, ` +
      `${deviation.mean_absolute_difference} apart, correlation ${deviation.correlation ?? '-'}`,
    `Liked more: ${deviation.liked_more.map(differenceLine).join('; ') || 'nothing'}`,
    `Liked less: ${deviation.liked_less.map(differenceLine).join('; ') || 'nothing'}`,
  ]
}

/** `Title 9 against 7.5 (+1.5)`. */
export function differenceLine({ title, score, other, difference }: Difference): string {
  return `${oneLine(title)} ${score} against ${other} (${signed(difference)})`
}

function listed(all: readonly Share[]): string {
  return all
    .map(({ name, count, mean_score: mean }) => `${oneLine(name)} ${count}${mean === undefined ? '' : ` (ø ${mean})`}`)
    .join(', ')
}
