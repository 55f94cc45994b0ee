import { isEquality, type Operator } from './operators.ts'

/** A day, a month or a year in UTC, from its first moment up to but without the next one's; or an age. */
export interface Span {
  readonly from: number
  readonly to: number
  /** Written as an age: less of it is later. */
  readonly isAge: boolean
}

/** Reads `2024`, `2024-05`, `2024-05-31`, `today`, `yesterday`, or an age such as `30d`, `2w`, `6m`, `1y`. */
export function parseDate(text: string, now: number): Span | undefined {
  const age = /^(\d{1,4})(h|d|w|m|y)$/i.exec(text)
  if (age) return ageOf(Number(age[1]), (age[2] ?? '').toLowerCase(), now)
  const word = text.toLowerCase()
  if (word === 'today') return spanOf(isoDay(now))
  if (word === 'yesterday') return spanOf(isoDay(now - DAY))
  return /^\d{4}(-\d{2}){0,2}$/.test(text) ? spanOf(text) : undefined
}

/** The span a date of an entry covers: MyAnimeList knows some only to the month or the year. */
function spanOf(text: string): Span | undefined {
  const [, year, month = '00', day = '00'] = /^(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?/.exec(text) ?? []
  if (year === undefined || year === '0000' || Number(month) > 12 || Number(day) > 31) return undefined
  const [y, m, d] = [Number(year), Number(month), Number(day)]
  if (m === 0) return span(utc(y, 0, 1), utc(y + 1, 0, 1))
  if (d === 0) return span(utc(y, m - 1, 1), utc(y, m, 1))
  return span(utc(y, m - 1, d), utc(y, m - 1, d + 1))
}

interface Bounds {
  readonly operator: Operator
  readonly low: Span | undefined
  readonly high: Span | undefined
}

/** Compares where the entry's date begins, or the very moment where it tells one. */
export function compareDate(text: string, { operator, low, high }: Bounds): boolean {
  const at = momentOf(text)
  if (at === undefined) return false
  if (isEquality(operator)) {
    return (low === undefined || isAtLeast(at, low)) && (high === undefined || isAtMost(at, high))
  }
  if (low === undefined) return true
  if (operator === '>=') return isAtLeast(at, low)
  if (operator === '<=') return isAtMost(at, low)
  return operator === '>' ? !isAtMost(at, low) : !isAtLeast(at, low)
}

/** An age of at least 30 days is a moment at most 30 days back. */
function isAtLeast(at: number, { from, isAge }: Span): boolean {
  return isAge ? at <= from : at >= from
}

function isAtMost(at: number, { from, to, isAge }: Span): boolean {
  return isAge ? at >= from : at < to
}

/** The moment of a whole time, or the first of a date. */
export function momentOf(text: string): number | undefined {
  if (!text.includes('T')) return spanOf(text)?.from
  const moment = Date.parse(text)
  return Number.isNaN(moment) ? undefined : moment
}

const DAY = 86_400_000
const milliseconds: Readonly<Record<string, number>> = { h: 3_600_000, d: DAY, w: 7 * DAY }

/** Months and years are those of the calendar; a day that a month does not have is its last. */
function ageOf(count: number, unit: string, now: number): Span {
  const exact = milliseconds[unit]
  if (exact !== undefined) return { from: now - count * exact, to: now, isAge: true }
  const then = new Date(now)
  const day = then.getUTCDate()
  then.setUTCDate(1)
  then.setUTCMonth(then.getUTCMonth() - (unit === 'y' ? 12 * count : count))
  then.setUTCDate(Math.min(day, new Date(utc(then.getUTCFullYear(), then.getUTCMonth() + 1, 0)).getUTCDate()))
  return { from: then.getTime(), to: now, isAge: true }
}

function span(from: number, to: number): Span {
  return { from, to, isAge: false }
}

/** `Date.UTC` takes the years up to 99 for those of the last century. */
function utc(year: number, month: number, day: number): number {
  return new Date(0).setUTCFullYear(year, month, day)
}

function isoDay(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}
