import type { ListEntry } from '../list/entry.ts'
import { droppedPercent } from './makers.ts'
import { meanOf, round, sumOf } from './numbers.ts'
import { groupBy, scoresOf } from './shares.ts'
import { hoursOf, unitsOf } from './time.ts'

/** What was finished in one month or year. */
export interface Period {
  /** `YYYY-MM` or `YYYY`. */
  readonly period: string
  readonly completed: number
  /** Episodes or chapters of what was completed. */
  readonly units: number
  readonly mean_score: number | undefined
  /** Days of watching or reading up to the end of it, of all that was finished so far. */
  readonly cumulated_days: number
}

export interface Series {
  /** Without gaps, oldest first. */
  readonly periods: readonly Period[]
  /** Completed entries that no finish date puts anywhere. */
  readonly undated: number
}

/**
 * What was completed when, by the finish dates the user noted; MyAnimeList keeps no history, so that what was watched
 * of things never finished is in no period.
 */
export function computeSeries(entries: readonly ListEntry[], by: 'month' | 'year'): Series {
  const completed = entries.filter(({ noted }) => noted.status === 'completed')
  const groups = groupBy(completed, (entry) => periodOf(entry, by) ?? [])
  let hours = 0
  const periods = between(groups, by).map((period) => {
    const group = groups.get(period) ?? []
    hours += sumOf(group, hoursOf)
    return {
      period,
      completed: group.length,
      units: sumOf(group, unitsOf),
      mean_score: round(meanOf(scoresOf(group))),
      cumulated_days: round(hours / 24),
    }
  })
  return { periods, undated: completed.length - sumOf(periods, ({ completed }) => completed) }
}

/** How much of one season of new anime is on the list, and what became of it. */
export interface SeasonShare {
  /** `2024 fall`. */
  readonly season: string
  readonly entries: number
  readonly completed: number
  readonly dropped_percent: number | undefined
  readonly mean_score: number | undefined
}

/** The seasons in which anime of the list began, oldest first. */
export function computeSeasons(entries: readonly ListEntry[]): SeasonShare[] {
  return [...groupBy(entries, seasonOf)]
    .sort(([one], [other]) => seasonKey(one) - seasonKey(other))
    .map(([season, group]) => ({
      season,
      entries: group.length,
      completed: group.filter(({ noted }) => noted.status === 'completed').length,
      dropped_percent: droppedPercent(group),
      mean_score: round(meanOf(scoresOf(group))),
    }))
}

function periodOf({ noted }: ListEntry, by: 'month' | 'year'): string[] | undefined {
  const pattern = by === 'month' ? /^[1-9]\d{3}-(?:0[1-9]|1[0-2])/ : /^[1-9]\d{3}/
  const [period] = pattern.exec(noted.finishDate ?? '') ?? []
  return period === undefined ? undefined : [period]
}

/** From the first period to the last one. */
function between(groups: ReadonlyMap<string, unknown>, by: 'month' | 'year'): string[] {
  const known = [...groups.keys()].sort()
  const [first, last] = [known[0], known.at(-1)]
  if (first === undefined || last === undefined) return []
  const size = by === 'month' ? 12 : 1
  const number = (period: string) =>
    Number(period.slice(0, 4)) * size + (by === 'month' ? Number(period.slice(5)) - 1 : 0)
  const name = (index: number) =>
    by === 'month' ? `${Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, '0')}` : String(index)
  return Array.from({ length: number(last) - number(first) + 1 }, (_, index) => name(number(first) + index))
}

const seasons = ['winter', 'spring', 'summer', 'fall']

function seasonOf({ work }: ListEntry): string[] {
  return work.year === undefined || work.season === undefined ? [] : [`${work.year} ${work.season}`]
}

function seasonKey(season: string): number {
  const [year, name = ''] = season.split(' ')
  return Number(year) * 4 + seasons.indexOf(name)
}
