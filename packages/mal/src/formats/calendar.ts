import ical, { ICalCalendarMethod, ICalEventTransparency } from 'ical-generator'
import { showingsOf, type Showing } from '../insight/broadcast.ts'
import type { ListEntry, Work } from '../list/entry.ts'
import { oneLine } from '../list/one-line.ts'

export interface CalendarOptions {
  readonly title: string
  /** Now, in milliseconds: from here on. */
  readonly now: number
  readonly weeks: number
  /** A name of the IANA database: where the calendar is looked at. */
  readonly timeZone: string
}

export interface Calendar {
  readonly text: string
  readonly events: number
  readonly shows: number
}

const DAY = 86_400_000
const WEEK = 7 * DAY

/** Japan has kept one offset and no summer time since 1951. */
const JAPAN = 9 * 3_600_000

/** An episode whose length is not known. */
const USUAL_SECONDS = 24 * 60

/**
 * The episodes to come, as a calendar that every program takes. Moments are in UTC, so that they are right in any zone
 * and on both sides of summer time; an anime without an hour takes its whole day in Japan. An episode of one day keeps
 * its id, so that a calendar that is made again replaces the one before.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5545 RFC 5545}
 */
export function writeCalendar(entries: readonly ListEntry[], options: CalendarOptions): Calendar {
  const { title, now, weeks, timeZone } = options
  const calendar = ical({ name: oneLine(title), prodId: '//sekisho//mal//EN', method: ICalCalendarMethod.PUBLISH })
  calendar.x('X-WR-TIMEZONE', timeZone)
  const shows = new Set<number>()
  for (const { work, noted } of entries) {
    for (const showing of showingsOf(work, now, now + weeks * WEEK)) {
      shows.add(work.id)
      calendar.createEvent({
        ...whenOf(work, showing),
        id: `mal-anime-${work.id}-${dayInJapan(showing.at)}@sekisho`,
        stamp: new Date(now),
        summary: summaryOf(work, showing),
        description: describe(work, { watched: noted.progress, showing, timeZone }),
        url: `https://myanimelist.net/anime/${work.id}`,
        transparency: ICalEventTransparency.TRANSPARENT,
      })
    }
  }
  return { text: calendar.toString(), events: calendar.length(), shows: shows.size }
}

function whenOf({ episodeSeconds }: Work, { at, hasTime }: Showing) {
  if (hasTime) return { start: new Date(at), end: new Date(at + (episodeSeconds ?? USUAL_SECONDS) * 1000) }
  return { start: new Date(`${dayInJapan(at)}T00:00:00Z`), allDay: true }
}

function summaryOf(work: Work, { episode }: Showing): string {
  const number =
    episode === undefined ? '' : ` – episode ${episode}${work.units === undefined ? '' : ` of ${work.units}`}`
  return `${oneLine(work.title)}${number}`
}

function describe(
  work: Work,
  { watched, showing, timeZone }: { watched: number; showing: Showing; timeZone: string },
): string {
  const local = new Intl.DateTimeFormat('en', { timeZone, dateStyle: 'full', timeStyle: 'short' })
  return [
    showing.hasTime ? `${local.format(showing.at)}, ${timeZone}.` : 'The hour is not known; this is the day in Japan.',
    showing.episode === undefined ? '' : 'The number is an estimate: one episode a week since it began.',
    `Watched so far: ${watched}${work.units === undefined ? '' : ` of ${work.units}`}.`,
  ]
    .filter((line) => line !== '')
    .join('\n')
}

function dayInJapan(at: number): string {
  return new Date(at + JAPAN).toISOString().slice(0, 10)
}
