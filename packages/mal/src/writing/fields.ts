import { blank, type Noted } from '../list/entry.ts'
import type { Change } from '../session.ts'

/** A value as it is compared and shown: 0, "" and false stand for "nothing". */
type Value = string | number | boolean

/** What can be changed in an entry. `read` answers `undefined` where the value is not known. */
interface Field {
  readonly name: keyof Change
  /** As people and models read it. */
  readonly label: string
  read(noted: Noted): Value | undefined
  /** The part of a change that makes another entry equal to this one. */
  take(noted: Noted): Change
}

const fields: readonly Field[] = [
  field('status', 'status', (noted) => noted.status),
  field('score', 'score', (noted) => noted.score ?? 0),
  field('progress', 'progress', (noted) => noted.progress),
  field('volumes', 'volumes', (noted) => noted.volumes),
  field('isRepeating', 'repeating', (noted) => noted.isRepeating),
  field('timesRepeated', 'times repeated', (noted) => noted.timesRepeated),
  field('repeatValue', 'repeat value', (noted) => noted.repeatValue),
  field('priority', 'priority', (noted) => noted.priority),
  field('startDate', 'start date', (noted) => noted.startDate ?? ''),
  field('finishDate', 'finish date', (noted) => noted.finishDate ?? ''),
  {
    name: 'tags',
    label: 'tags',
    read: ({ tags }) => cleanTags(tags).toSorted().join(', '),
    take: ({ tags }) => ({ tags }),
  },
  {
    name: 'comments',
    label: 'comments',
    read: ({ comments }) => comments?.trim(),
    take: ({ comments }) => (comments === undefined ? {} : { comments }),
  },
]

/** One field in which two states of an entry differ. */
export interface Difference {
  readonly field: keyof Change
  readonly label: string
  readonly from: Value
  readonly to: Value
}

/** In what two states of one entry differ, in the order people read. What is not known of one of them does not. */
export function differencesOf(from: Noted, to: Noted): Difference[] {
  return fields.flatMap(({ name, label, read }) => {
    const [before, after] = [read(from), read(to)]
    return before === undefined || after === undefined || before === after
      ? []
      : [{ field: name, label, from: before, to: after }]
  })
}

/** Whether two states of an entry say the same; both may be "not on the list". When they were written does not count. */
export function isSame(one: Noted | undefined, other: Noted | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return differencesOf(one, other).length === 0
}

/** What has to be sent so that an entry becomes like `to`: all of it where there is none. */
export function changeTo(from: Noted | undefined, to: Noted): Change {
  const differing = from && new Set(differencesOf(from, to).map((difference) => difference.field))
  return pickFields(to, (name) => differing?.has(name) ?? true)
}

/** The part of a state that consists of some fields. */
export function pickFields(noted: Noted, isMeant: (name: keyof Change) => boolean): Change {
  const parts = fields.filter(({ name }) => isMeant(name)).map(({ take }) => take(noted))
  return Object.assign({}, ...parts)
}

/** What an entry is once a change of it was carried out. */
export function changed(before: Noted | undefined, change: Change): Noted {
  const { score, startDate, finishDate, tags, ...rest } = change
  return {
    ...(before ?? blank),
    ...rest,
    ...(score !== undefined && { score: score || undefined }),
    ...(startDate !== undefined && { startDate: startDate || undefined }),
    ...(finishDate !== undefined && { finishDate: finishDate || undefined }),
    ...(tags && { tags: cleanTags(tags) }),
  }
}

/** MyAnimeList keeps tags as one text with commas between them: a comma ends a tag, and none is there twice. */
export function cleanTags(tags: readonly string[]): string[] {
  const each = tags.flatMap((tag) => tag.split(',')).map((tag) => tag.trim())
  return [...new Set(each.filter((tag) => tag !== ''))]
}

function field(name: Exclude<keyof Change, 'tags' | 'comments'>, label: string, read: (noted: Noted) => Value): Field {
  return { name, label, read, take: (noted) => ({ [name]: read(noted) }) }
}
