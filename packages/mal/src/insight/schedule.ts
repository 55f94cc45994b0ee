import type { ListEntry } from '../list/entry.ts'
import { showingsOf } from './broadcast.ts'

/** A week of showings, by the days of the user. */
export interface Schedule {
  readonly time_zone: string
  readonly days: readonly { readonly date: string; readonly weekday: string; readonly showings: readonly Slot[] }[]
  /** On the list and running, but without a weekday. */
  readonly unscheduled: readonly { readonly id: number; readonly title: string }[]
}

export interface Slot {
  readonly id: number
  readonly title: string
  /** `HH:MM` for the user; absent where the hour is not known: the day is then the one in Japan. */
  readonly time: string | undefined
  readonly status: string
  /** Estimated from the first showing, one a week. */
  readonly episode: number | undefined
  readonly watched: number
}

const DAY = 86_400_000

/**
 * What is on in the seven days from today, where the user is: a showing at midnight in Japan is on the day before in
 * Europe, and in another hour when clocks change.
 *
 * @param timeZone A name of the IANA database.
 * @see {@link isTimeZone}
 */
export function computeSchedule(entries: readonly ListEntry[], timeZone: string, now: number): Schedule {
  const local = createLocalTime(timeZone)
  const dates = Array.from({ length: 7 }, (_, index) => dayAfter(local(now).date, index))
  const slots = entries.flatMap((entry) =>
    showingsOf(entry.work, now - 2 * DAY, now + 9 * DAY).map(({ at, hasTime, episode }) => ({
      at,
      date: hasTime ? local(at).date : dateInJapan(at),
      slot: slotOf(entry, { time: hasTime ? local(at).time : undefined, episode }),
    })),
  )
  return {
    time_zone: timeZone,
    days: dates.map((date) => ({
      date,
      weekday: weekdayOf(date),
      showings: slots
        .filter((one) => one.date === date)
        .sort((one, other) => one.at - other.at || one.slot.id - other.slot.id)
        .map(({ slot }) => slot),
    })),
    unscheduled: entries
      .filter(({ work }) => work.state === 'currently_airing' && !isWeekday(work.broadcast?.day))
      .map(({ work: { id, title } }) => ({ id, title })),
  }
}

export function isTimeZone(name: string): boolean {
  try {
    createLocalTime(name)
    return true
  } catch {
    return false
  }
}

function slotOf({ work, noted }: ListEntry, when: { time: string | undefined; episode: number | undefined }): Slot {
  return { id: work.id, title: work.title, ...when, status: noted.status, watched: noted.progress }
}

/** The date and the time of day that clocks show there at a moment. */
function createLocalTime(timeZone: string): (at: number) => { date: string; time: string } {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  })
  return (at) => {
    // Swedish dates are ISO dates: 2026-01-31 23:30.
    const [date = '', time = ''] = format.format(at).split(' ')
    return { date, time }
  }
}

function dateInJapan(at: number): string {
  return new Date(at + 9 * 3_600_000).toISOString().slice(0, 10)
}

/** Days of the calendar, which summer time makes no longer or shorter. */
function dayAfter(date: string, count: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + count * DAY).toISOString().slice(0, 10)
}

const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const

function weekdayOf(date: string): string {
  return weekdays[new Date(`${date}T00:00:00Z`).getUTCDay()] ?? ''
}

function isWeekday(day: string | undefined): boolean {
  return weekdays.some((weekday) => weekday === day)
}
