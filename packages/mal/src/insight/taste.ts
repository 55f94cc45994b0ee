import { statuses, type Kind, type ListEntry, type WholeList } from '../list/entry.ts'
import { oneLine } from '../list/one-line.ts'
import { compareNames, groupBy, share } from './shares.ts'

/** A list as a model reads it with few tokens: every entry, in the order in which taste shows. */
export interface TasteExport {
  /** What the rows are made of. */
  readonly columns: string
  /** What single letters in the rows mean; empty where all is written out. */
  readonly letters: { readonly types: Letters; readonly genres: Letters }
  readonly groups: readonly TasteGroup[]
}

export interface TasteGroup {
  readonly status: string
  readonly count: number
  /** Best score first, then by title; a row such as `8:` begins those with that score. */
  readonly rows: readonly string[]
}

/** By letter. */
export type Letters = Readonly<Record<string, string>>

/**
 * Groups by status and by score, best first, and writes each entry as one row. The short rows hold what taste is judged
 * from, 300 of them in under 4,000 tokens: status and score stand once for a group, types and genres are one letter,
 * years two digits, and progress stands only where it is not what the status says. The whole rows hold everything else
 * as well.
 */
export function exportTaste({ kind, entries }: WholeList, fields: 'compact' | 'all'): TasteExport {
  const types = lettersFor(entries, ({ work }) => (work.mediaType === undefined ? [] : [work.mediaType]))
  const genres = lettersFor(entries, ({ work }) => work.genres)
  const rowOf = fields === 'all' ? wholeRow : (entry: ListEntry) => shortRow(entry, { types, genres })
  return {
    columns: fields === 'all' ? WHOLE : SHORT,
    letters: fields === 'all' ? { types: {}, genres: {} } : { types: named(types), genres: named(genres) },
    groups: [...groupBy(entries, ({ noted }) => [noted.status])]
      .sort(([one], [other]) => placeOf(kind, one) - placeOf(kind, other))
      .map(([status, group]) => ({ status, count: group.length, rows: rowsOf(group, rowOf) })),
  }
}

/** Where taste shows best comes first; a status that is new comes last. */
function placeOf(kind: Kind, status: string): number {
  const [now, completed, onHold, dropped, later] = statuses[kind]
  const place = [completed, now, onHold, dropped, later].findIndex((known) => known === status)
  return place === -1 ? statuses[kind].length : place
}

function rowsOf(group: readonly ListEntry[], rowOf: (entry: ListEntry) => string): string[] {
  const byScore = [...groupBy(group, ({ noted }) => [String(noted.score ?? 0)])]
  return byScore
    .sort(([one], [other]) => Number(other) - Number(one))
    .flatMap(([score, entries]) => [
      score === '0' ? 'not scored:' : `${score}:`,
      ...entries.toSorted((one, other) => compareNames(one.work.title, other.work.title)).map(rowOf),
    ])
}

const SHORT = 'id|title|year in two digits and letter of the type|letters of the genres|progress, where not obvious'

function shortRow({ work, noted }: ListEntry, { types, genres }: Record<'types' | 'genres', Codes>): string {
  const year = work.year === undefined ? '' : String(work.year % 100).padStart(2, '0')
  const obvious = noted.status === 'completed' ? (work.units ?? noted.progress) : 0
  return row([
    work.id,
    work.title,
    `${year}${types.get(work.mediaType ?? '') ?? ''}`,
    work.genres.map((genre) => genres.get(genre)).join(''),
    noted.progress === obvious ? '' : progressOf({ work, noted }),
  ])
}

const WHOLE = 'id|title|type|year|progress|community mean|genres|own tags|started|finished|times repeated'

function wholeRow({ work, noted }: ListEntry): string {
  return row([
    work.id,
    work.title,
    work.mediaType,
    work.year,
    progressOf({ work, noted }),
    work.mean,
    work.genres.join(', '),
    noted.tags.join(', '),
    noted.startDate,
    noted.finishDate,
    noted.timesRepeated || undefined,
  ])
}

function progressOf({ work, noted }: ListEntry): string {
  return `${noted.progress}/${work.units ?? '?'}`
}

/** Bars and line ends in a title would end its column; at the end of a row nothing stands for nothing. */
function row(columns: readonly (string | number | undefined)[]): string {
  return columns
    .map((column) => oneLine(String(column ?? '')).replaceAll('|', '/'))
    .join('|')
    .replace(/\|+$/, '')
}

/** Letters by name. */
type Codes = ReadonlyMap<string, string>

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/**
 * One letter for each name, one of its own where that is free. The most frequent ones choose first; those who find no
 * letter left are written out.
 */
function lettersFor(entries: readonly ListEntry[], namesOf: (entry: ListEntry) => readonly string[]): Codes {
  const codes = new Map<string, string>()
  const free = new Set(ALPHABET)
  for (const { name } of share(entries, namesOf)) {
    const wanted = `${name.toUpperCase()}${name.toLowerCase()}${ALPHABET}`
    const letter = wanted.split('').find((candidate) => free.has(candidate))
    if (letter !== undefined) free.delete(letter)
    codes.set(name, letter ?? `(${name})`)
  }
  return codes
}

function named(codes: Codes): Letters {
  return Object.fromEntries([...codes].map(([name, letter]) => [letter, name]))
}
