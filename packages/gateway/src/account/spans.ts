import { LANGUAGE } from '../pages/words.ts'

const UNITS = [
  ['year', 31_536_000_000],
  ['month', 2_592_000_000],
  ['week', 604_800_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

const spans = new Intl.RelativeTimeFormat(LANGUAGE)

/** Tells a moment by its distance, in the largest unit of which it is at least one: `in 3 weeks`, `2 hours ago`. */
export function fromNow(at: number, now: number): string {
  const distance = at - now
  const [unit, length] = UNITS.find(([, milliseconds]) => Math.abs(distance) >= milliseconds) ?? ['second', 1_000]
  return spans.format(Math.trunc(distance / length), unit)
}
