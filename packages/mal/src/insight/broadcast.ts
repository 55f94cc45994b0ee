import type { Work } from '../list/entry.ts'

/** One showing of an anime in Japan. */
export interface Showing {
  /** In milliseconds; midnight in Japan where the time of day is not known. */
  readonly at: number
  readonly hasTime: boolean
  /** Estimated: one episode a week since it began, which no break and no double episode is taken from. */
  readonly episode: number | undefined
}

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** Japan has kept one offset and no summer time since 1951. */
const JAPAN = 9 * HOUR

const days = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']

/**
 * The showings of a weekly anime from one moment up to, but without, another. None where it is over, before it begins,
 * after its last episode, or where MyAnimeList names no weekday. Where it should have been over before `from`, by our
 * count, and MyAnimeList says that it still runs, there were breaks: it goes on, and which episode it is nobody knows.
 */
export function showingsOf(work: Work, from: number, to: number): Showing[] {
  const day = days.indexOf(work.broadcast?.day ?? '')
  if (day === -1 || work.state === 'finished_airing') return []
  const time = minutesOf(work.broadcast?.time)
  const last = work.units ?? Infinity
  const isLate = work.state === 'currently_airing' && (episodeAt(work, from) ?? 0) > last
  const showings: Showing[] = []
  for (let midnight = weekdayFrom(from - DAY, day); midnight < to; midnight += 7 * DAY) {
    const at = midnight + (time ?? 0) * 60_000
    const counted = episodeAt(work, midnight)
    const isOn = counted === undefined ? hasBegun(work, midnight) : counted >= 1 && (isLate || counted <= last)
    if (!isOn || at < from || at >= to) continue
    showings.push({ at, hasTime: time !== undefined, episode: isLate ? undefined : counted })
  }
  return showings
}

/** The first midnight in Japan at or after a moment that begins the given weekday. */
function weekdayFrom(moment: number, day: number): number {
  const days = Math.ceil((moment + JAPAN) / DAY)
  // The first day of 1970 was a Thursday.
  return (days + ((((day - days - 4) % 7) + 7) % 7)) * DAY - JAPAN
}

/** `23:30`; programme tables count the small hours on, as `25:30`. */
function minutesOf(time: string | undefined): number | undefined {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(time ?? '') ?? []
  return hours === undefined ? undefined : Number(hours) * 60 + Number(minutes)
}

/** The showing nearest to the start date is the first: a night's programme may be dated by the day before. */
function episodeAt(work: Work, midnight: number): number | undefined {
  const start = startOf(work)
  return start === undefined ? undefined : Math.round((midnight - start) / (7 * DAY)) + 1
}

/** Where its start is known to the month or the year only, it begins with that. */
function hasBegun({ startDate }: Work, midnight: number): boolean {
  if (startDate === undefined) return true
  return new Date(midnight + JAPAN).toISOString().slice(0, startDate.length) >= startDate
}

function startOf({ startDate }: Work): number | undefined {
  return /^\d{4}-\d{2}-\d{2}$/.test(startDate ?? '') ? Date.parse(`${startDate}T00:00:00+09:00`) : undefined
}
