import type { Kind, Noted } from '../../list/entry.ts'
import type { FileEntry } from '../file.ts'
import { saidDate, saidNoted, saidScore, type Said } from '../said.ts'
import { readCount, readFlag, readTags, writeDate, writeTags } from '../values.ts'
import { mediaTypeWord, priorities, readMediaType, readScale, readStatus, repeatValues, statusWord } from './words.ts'

/** One element of an entry. */
export interface XmlField {
  readonly name: string
  readonly aliases?: readonly string[]
  /** What people wrote: it stands in CDATA. */
  readonly isText?: boolean
  /** What it says, `undefined` where it cannot be read. Without, it is one that the API does not tell. */
  readonly read?: (text: string) => Said | undefined
  /** What stands in one that the API does not tell, for somebody who never touched it. */
  readonly usual?: string
  /** Its text in a file that is made anew; `undefined` leaves it out. */
  readonly write: (entry: FileEntry) => string | undefined
}

/** The elements of an entry in the order in which MyAnimeList writes them. */
export const xmlFields: Readonly<Record<Kind, readonly XmlField[]>> = {
  anime: [
    id('series_animedb_id', ['anime_animedb_id', 'anime_mediadb_id', 'series_mediadb_id']),
    title('series_title'),
    mediaType('series_type'),
    total('series_episodes', 'units'),
    untold('my_id', '0'),
    count('my_watched_episodes', 'progress'),
    date('my_start_date', 'startDate'),
    date('my_finish_date', 'finishDate'),
    untold('my_rated', ''),
    score(),
    untold('my_storage', ''),
    untold('my_storage_value', '0.00'),
    status('anime'),
    comments(),
    count('my_times_watched', 'timesRepeated'),
    scale('my_rewatch_value', 'repeatValue', repeatValues),
    scale('my_priority', 'priority', priorities),
    tags(),
    repeating('my_rewatching', ['0', '1']),
    untold('my_rewatching_ep', '0'),
    untold('my_discuss', '1'),
    untold('my_sns', 'default'),
    untold('update_on_import', '0'),
  ],
  manga: [
    id('manga_mangadb_id', ['series_mangadb_id', 'manga_mediadb_id', 'series_mediadb_id']),
    title('manga_title', ['series_title']),
    total('manga_volumes', 'volumes', ['series_volumes', 'manga_num_volumes']),
    total('manga_chapters', 'units', ['series_chapters', 'manga_num_chapters']),
    untold('my_id', '0'),
    count('my_read_volumes', 'volumes'),
    count('my_read_chapters', 'progress'),
    date('my_start_date', 'startDate'),
    date('my_finish_date', 'finishDate'),
    untold('my_scanalation_group', '', true),
    score(),
    untold('my_storage', ''),
    untold('my_retail_volumes', '0'),
    status('manga'),
    comments(),
    count('my_times_read', 'timesRepeated'),
    tags(),
    scale('my_priority', 'priority', priorities),
    scale('my_reread_value', 'repeatValue', repeatValues),
    repeating('my_rereading', ['NO', 'YES']),
    untold('my_discuss', 'YES'),
    untold('my_sns', 'default'),
    untold('update_on_import', '0'),
  ],
}

/** The name it has, or one of the names that other programs give it. */
export function fieldNamed(kind: Kind, name: string): XmlField | undefined {
  return byName[kind].get(name.toLowerCase())
}

const byName = { anime: namesOf('anime'), manga: namesOf('manga') } satisfies Record<Kind, Map<string, XmlField>>

function namesOf(kind: Kind): Map<string, XmlField> {
  return new Map(
    xmlFields[kind].flatMap((field) => [field.name, ...(field.aliases ?? [])].map((name) => [name, field] as const)),
  )
}

function id(name: string, aliases: readonly string[]): XmlField {
  return {
    name,
    aliases,
    read: (text) => {
      const number = readCount(text)
      return number ? { work: { id: number } } : undefined
    },
    write: ({ work }) => String(work.id),
  }
}

function title(name: string, aliases: readonly string[] = []): XmlField {
  return { name, aliases, isText: true, read: (text) => ({ work: { title: text } }), write: ({ work }) => work.title }
}

function mediaType(name: string): XmlField {
  return {
    name,
    read: (text) => ({ work: { mediaType: readMediaType(text) } }),
    write: ({ work }) => mediaTypeWord(work.mediaType),
  }
}

/** How long a work is; 0 is not known. */
function total(name: string, key: 'units' | 'volumes', aliases: readonly string[] = []): XmlField {
  return {
    name,
    aliases,
    read: (text) => {
      const number = readCount(text)
      return number === undefined ? undefined : { work: { [key]: number || undefined } }
    },
    write: ({ work }) => String(work[key] ?? 0),
  }
}

function untold(name: string, usual: string, isText = false): XmlField {
  return { name, isText, usual, write: ({ others }) => others?.[name] ?? usual }
}

function count(name: string, key: 'progress' | 'volumes' | 'timesRepeated'): XmlField {
  return noted(name, key, readCount, (value) => String(value ?? 0))
}

function date(name: string, key: 'startDate' | 'finishDate'): XmlField {
  return {
    name,
    read: (text) => saidDate(key, text),
    write: ({ noted }) => (key in noted ? writeDate(noted[key]) : undefined),
  }
}

function score(): XmlField {
  return {
    name: 'my_score',
    read: saidScore,
    write: ({ noted }) => ('score' in noted ? String(noted.score ?? 0) : undefined),
  }
}

function status(kind: Kind): XmlField {
  return noted(
    'my_status',
    'status',
    (text) => readStatus(kind, text),
    (value) => statusWord(value ?? ''),
  )
}

/** Comments that are not known are left out: an empty element says that there are none. */
function comments(): XmlField {
  return {
    ...noted(
      'my_comments',
      'comments',
      (text) => text,
      (value) => value,
    ),
    isText: true,
  }
}

function tags(): XmlField {
  return { ...noted('my_tags', 'tags', readTags, (value) => writeTags(value ?? [])), isText: true }
}

function scale(name: string, key: 'repeatValue' | 'priority', words: readonly string[]): XmlField {
  return noted(
    name,
    key,
    (text) => readScale(words, text),
    (value) => words[value ?? 0],
  )
}

function repeating(name: string, [no, yes]: readonly [string, string]): XmlField {
  return noted(name, 'isRepeating', readFlag, (value) => (value === true ? yes : no))
}

/** An element that says one thing a user noted. */
function noted<Key extends keyof Noted>(
  name: string,
  key: Key,
  read: (text: string) => Noted[Key] | undefined,
  write: (value: Noted[Key] | undefined) => string | undefined,
): XmlField {
  return {
    name,
    read: (text) => saidNoted(key, read(text)),
    write: (entry) => (key in entry.noted ? write(entry.noted[key]) : undefined),
  }
}
