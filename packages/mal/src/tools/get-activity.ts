import { z } from 'zod'
import { computeSeasons, computeSeries } from '../insight/series.ts'
import { tool } from './tool.ts'
import { figure, kindInput, showWhole, wholeLines, wholeShape } from './whole.ts'

export const getActivity = tool({
  name: 'get_activity',
  toolset: 'insight',
  title: 'Activity over time',
  description:
    'What was completed in each month or year by the finish dates of the list, with episodes or chapters, mean score and ' +
    'days so far; or, by season, how much of each season of new anime is on the list and what became of it.',
  effect: 'reads',
  input: z.object({
    kind: kindInput,
    by: z.enum(['month', 'year', 'season']).default('month').describe('season: anime only'),
    last: z.int().min(1).max(1200).default(24).describe('So many periods, up to the newest'),
  }),
  output: z.object({
    ...wholeShape,
    by: z.string(),
    undated: z.int().optional().describe('Completed, without a finish date precise enough'),
    periods: z.array(
      z.object({
        period: z.string(),
        entries: z.int().optional(),
        completed: z.int(),
        units: z.int().optional(),
        mean_score: figure,
        cumulated_days: figure,
        dropped_percent: figure,
      }),
    ),
  }),
  async run({ mal }, { kind, by, last }) {
    const list = await mal.wholeList(kind)
    const { periods, undated } =
      by === 'season'
        ? {
            periods: computeSeasons(list.entries).map(({ season, ...rest }) => ({ period: season, ...rest })),
            undated: undefined,
          }
        : computeSeries(list.entries, by)
    const shown: readonly Shown[] = periods.slice(-last)
    return {
      data: { ...showWhole(list), by, undated, periods: shown },
      lines: wholeLines(list, [
        `By ${by}, ${shown.length} of ${periods.length}${undated === undefined ? '' : `; ${undated} completed entries have no such date`}`,
        ...shown.map(lineOf),
      ]),
    }
  },
})

interface Shown {
  readonly period: string
  readonly entries?: number
  readonly completed: number
  readonly units?: number
  readonly mean_score: number | undefined
  readonly cumulated_days?: number
  readonly dropped_percent?: number | undefined
}

function lineOf({ period, completed, mean_score: mean, ...rest }: Shown): string {
  const facts = [
    rest.entries === undefined ? undefined : `${rest.entries} on the list`,
    `${completed} completed`,
    rest.units === undefined ? undefined : `${rest.units} episodes or chapters`,
    mean === undefined ? undefined : `mean ${mean}`,
    rest.dropped_percent === undefined ? undefined : `${rest.dropped_percent} % dropped`,
    rest.cumulated_days === undefined ? undefined : `${rest.cumulated_days} days so far`,
  ]
  return `${period}: ${facts.filter((fact) => fact !== undefined).join(', ')}`
}
