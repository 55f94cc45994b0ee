import ICAL from 'ical.js'
import { expect, test } from 'vitest'
import { writeCalendar } from '../../src/formats/calendar.ts'
import { makeEntry } from '../support/entries.ts'

const title = 'mika’s anime'
const airing = (id: number, more: object = {}) =>
  makeEntry(
    id,
    {
      title: `Sea; lights, \\ and\nmore ${id}`,
      state: 'currently_airing',
      startDate: '2026-10-03',
      broadcast: { day: 'saturday', time: '01:30' },
      episodeSeconds: 1440,
      units: 12,
      ...more,
    },
    { status: 'watching', progress: 3 },
  )

test('R0-50b: a calendar that another program reads, right on both sides of summer time', () => {
  const now = Date.parse('2026-10-10T00:00:00Z')
  const { text, events, shows } = writeCalendar([airing(1)], { title, now, weeks: 4, timeZone: 'Europe/Berlin' })
  expect({ events, shows }).toEqual({ events: 4, shows: 1 })
  const read = eventsOf(text)
  expect(read.map(({ start, end }) => [start, end])).toEqual([
    // Saturday 01:30 in Japan is Friday evening in Berlin: 18:30 in summer time, 17:30 after it.
    ['2026-10-16T16:30:00Z', '2026-10-16T16:54:00Z'],
    ['2026-10-23T16:30:00Z', '2026-10-23T16:54:00Z'],
    ['2026-10-30T16:30:00Z', '2026-10-30T16:54:00Z'],
    ['2026-11-06T16:30:00Z', '2026-11-06T16:54:00Z'],
  ])
  expect(read.map(({ description }) => /\d+:30 [AP]M/.exec(description.replaceAll('\u202f', ' '))?.[0])).toEqual([
    '6:30 PM',
    '6:30 PM',
    '5:30 PM',
    '5:30 PM',
  ])
  expect(read[0]?.summary).toBe('Sea; lights, \\ and more 1 – episode 3 of 12')
  expect(text.split('\r\n').every((line) => Buffer.byteLength(line) <= 75)).toBe(true)
})

test('a calendar that is made again keeps the ids of its days, and ends with the last episode', () => {
  const first = writeCalendar([airing(1)], {
    title,
    now: Date.parse('2026-12-01T00:00:00Z'),
    weeks: 8,
    timeZone: 'UTC',
  })
  const again = writeCalendar([airing(1)], {
    title,
    now: Date.parse('2026-12-08T00:00:00Z'),
    weeks: 8,
    timeZone: 'UTC',
  })
  const ids = eventsOf(first.text).map(({ id }) => id)
  expect(ids).toEqual(['2026-12-05', '2026-12-12', '2026-12-19'].map((day) => `mal-anime-1-${day}@sekisho`))
  expect(eventsOf(again.text).map(({ id }) => id)).toEqual(ids.slice(1))
})

test('without an hour it takes the day in Japan; without a day, or over, it is left out', () => {
  const entries = [
    airing(1, { broadcast: { day: 'sunday', time: undefined } }),
    airing(2, { broadcast: { day: 'other', time: undefined } }),
    airing(3, { state: 'finished_airing' }),
    airing(4, { broadcast: undefined }),
  ]
  const now = Date.parse('2026-10-10T00:00:00Z')
  const { text } = writeCalendar(entries, { title, now, weeks: 1, timeZone: 'America/New_York' })
  expect(text).toContain('DTSTART;VALUE=DATE:20261011')
  expect(eventsOf(text)).toHaveLength(1)
})

function eventsOf(text: string) {
  const calendar = new ICAL.Component(ICAL.parse(text))
  return calendar.getAllSubcomponents('vevent').map((component) => {
    const event = new ICAL.Event(component)
    return {
      id: event.uid,
      start: event.startDate.toString(),
      end: event.endDate.toString(),
      summary: event.summary,
      description: event.description,
    }
  })
}
