import type { Kind, Noted } from '../list/entry.ts'
import type { Change } from '../session.ts'
import { words } from './words.ts'

/** The form of a change, under the names that MyAnimeList takes: others it overlooks without a word. */
export function formOf(kind: Kind, change: Change): URLSearchParams {
  const { progress, volumes, isRepeating, timesRepeated, repeatValue } = words[kind]
  const given: readonly (readonly [string | undefined, string | number | boolean | undefined])[] = [
    ['status', change.status],
    ['score', change.score],
    [progress.written, change.progress],
    [volumes, change.volumes],
    [isRepeating, change.isRepeating],
    [timesRepeated, change.timesRepeated],
    [repeatValue, change.repeatValue],
    ['priority', change.priority],
    ['start_date', change.startDate],
    ['finish_date', change.finishDate],
    ['tags', change.tags?.join(',')],
    ['comments', change.comments],
  ]
  const form = new URLSearchParams()
  for (const [name, value] of given) if (name !== undefined && value !== undefined) form.set(name, String(value))
  return form
}

/** What of a change the answer does not show, in words: `score is 7, asked was 8`. */
export function missedOf(change: Change, noted: Noted): string[] {
  return checks.flatMap(([name, asked, is]) => {
    const wanted = asked(change)
    const got = is(noted)
    return wanted === undefined || wanted === got ? [] : [`${name} is ${show(got)}, asked was ${show(wanted)}`]
  })
}

type Value = string | number | boolean

/** Each with 0, "" or [] where the entry has nothing. */
const checks: readonly (readonly [string, (change: Change) => Value | undefined, (noted: Noted) => Value])[] = [
  ['status', (change) => change.status, (noted) => noted.status],
  ['score', (change) => change.score, (noted) => noted.score ?? 0],
  ['progress', (change) => change.progress, (noted) => noted.progress],
  ['volumes', (change) => change.volumes, (noted) => noted.volumes],
  ['repeating', (change) => change.isRepeating, (noted) => noted.isRepeating],
  ['times repeated', (change) => change.timesRepeated, (noted) => noted.timesRepeated],
  ['repeat value', (change) => change.repeatValue, (noted) => noted.repeatValue],
  ['priority', (change) => change.priority, (noted) => noted.priority],
  ['start date', (change) => change.startDate, (noted) => noted.startDate ?? ''],
  ['finish date', (change) => change.finishDate, (noted) => noted.finishDate ?? ''],
  ['tags', (change) => change.tags && tagsOf(change.tags), (noted) => tagsOf(noted.tags)],
  ['comments', (change) => change.comments?.trim(), (noted) => (noted.comments ?? '').trim()],
]

/** MyAnimeList keeps tags as one text with commas, trims each, and may keep them in another order. */
function tagsOf(tags: readonly string[]): string {
  const each = tags.flatMap((tag) => tag.split(',')).map((tag) => tag.trim())
  return [...new Set(each.filter((tag) => tag !== ''))].sort().join(',')
}

function show(value: Value): string {
  return value === '' ? 'empty' : String(value)
}
