import Papa from 'papaparse'
import { MalProblem } from '../api/problem.ts'
import { kinds, type Kind, type Noted, type Work } from '../list/entry.ts'
import { createTroubles, workOf, type FileEntry, type FileLimits, type ListFile, type Troubles } from './file.ts'
import { saidDate, saidNoted, saidScore, type Said } from './said.ts'
import { readCount, readFlag, readTags, writeTags } from './values.ts'
import { readStatus } from './xml/words.ts'

/** One column: its name, and how a cell of it is written and read. */
interface Column {
  readonly name: string
  readonly aliases?: readonly string[]
  readonly write: (entry: FileEntry) => string | number | undefined
  /** What a cell says, `undefined` where it cannot be read. Columns without are only to be looked at. */
  readonly read?: (cell: string, kind: Kind) => Said | undefined
}

const columns: readonly Column[] = [
  { name: 'kind', write: ({ work }) => work.kind },
  {
    name: 'id',
    aliases: ['mal_id', 'anime_id', 'manga_id', 'series_animedb_id', 'manga_mangadb_id'],
    write: ({ work }) => work.id,
    read: (cell) => {
      const id = readCount(cell)
      return id ? { work: { id } } : undefined
    },
  },
  { name: 'title', aliases: ['series_title', 'name'], write: ({ work }) => work.title, read: ofWork('title', asText) },
  { name: 'title_english', write: ({ work }) => work.englishTitle, read: ofWork('englishTitle', asText) },
  { name: 'media_type', write: ({ work }) => work.mediaType, read: ofWork('mediaType', asText) },
  { name: 'year', write: ({ work }) => work.year, read: ofWork('year', readCount) },
  {
    name: 'units',
    aliases: ['episodes', 'chapters'],
    write: ({ work }) => work.units,
    read: ofWork('units', readCount),
  },
  { name: 'volumes', write: ({ work }) => work.volumes, read: ofWork('volumes', readCount) },
  { name: 'genres', write: ({ work }) => work.genres.join(', ') },
  { name: 'community_mean', write: ({ work }) => work.mean },
  {
    name: 'status',
    aliases: ['my_status'],
    write: ({ noted }) => noted.status,
    read: (cell, kind) => saidNoted('status', readStatus(kind, cell)),
  },
  { name: 'score', aliases: ['my_score'], write: ({ noted }) => noted.score, read: saidScore },
  {
    name: 'progress',
    aliases: ['my_watched_episodes', 'my_read_chapters'],
    write: ({ noted }) => noted.progress,
    read: ofNoted('progress', readCount),
  },
  { name: 'volumes_read', write: ({ noted }) => noted.volumes, read: ofNoted('volumes', readCount) },
  { name: 'is_repeating', write: ({ noted }) => flag(noted.isRepeating), read: ofNoted('isRepeating', readFlag) },
  { name: 'times_repeated', write: ({ noted }) => noted.timesRepeated, read: ofNoted('timesRepeated', readCount) },
  { name: 'repeat_value', write: ({ noted }) => noted.repeatValue, read: ofNoted('repeatValue', upTo(5)) },
  { name: 'priority', write: ({ noted }) => noted.priority, read: ofNoted('priority', upTo(2)) },
  { name: 'start_date', write: ({ noted }) => noted.startDate, read: (cell) => saidDate('startDate', cell) },
  { name: 'finish_date', write: ({ noted }) => noted.finishDate, read: (cell) => saidDate('finishDate', cell) },
  { name: 'tags', write: ({ noted }) => noted.tags && writeTags(noted.tags), read: ofNoted('tags', readTags) },
  { name: 'comments', write: ({ noted }) => noted.comments, read: unlessEmpty('comments') },
  { name: 'updated_at', write: ({ noted }) => noted.updatedAt, read: unlessEmpty('updatedAt') },
]

/** What stands between cells: where numbers are written with a comma, spreadsheets expect a semicolon. */
export const separators = { comma: ',', semicolon: ';', tab: '\t' } as const
export type Separator = keyof typeof separators

export interface TableOptions {
  /** @default comma */
  readonly separator?: Separator | undefined
}

/**
 * A table for spreadsheets, piece by piece: UTF-8 with its mark, every cell in quotes. What a spreadsheet would take
 * for a formula begins with an apostrophe, which reading takes away again: at the beginning of a cell, and wherever one
 * would begin for a spreadsheet that expects another separator.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc4180 RFC 4180}
 * @see {@link https://owasp.org/www-community/attacks/CSV_Injection CSV injection}
 */
export function* writeCsv(list: ListFile, { separator = 'comma' }: TableOptions = {}): Generator<string> {
  const row = (cells: readonly string[]) =>
    `${Papa.unparse([cells.slice()], { quotes: true, delimiter: separators[separator] })}\r\n`
  yield `\uFEFF${row(columns.map(({ name }) => name))}`
  for (const entry of list.entries) yield row(columns.map(({ write }) => guard(String(write(entry) ?? ''))))
}

/**
 * Reads a table whose first row names its columns, in any order and with any of `,`, `;` and tab between them. What
 * has no column is not spoken of.
 *
 * @throws {MalProblem} `file_unreadable` where no column holds ids, `file_too_large` with more rows than are allowed
 */
export function readCsv(text: string, limits: FileLimits, asked?: Kind): ListFile {
  const { data, errors } = Papa.parse<string[]>(text.replace(/^\uFEFF/, ''), {
    skipEmptyLines: 'greedy',
    preview: limits.entries + 2,
  })
  const [head = [], ...rows] = data
  const names = head.map((name) => name.trim().toLowerCase())
  const known = names.map((name) => columns.find((one) => one.name === name || one.aliases?.includes(name)))
  if (!known.some((column) => column?.name === 'id')) throw new MalProblem('file_unreadable')
  if (rows.length > limits.entries) {
    throw new MalProblem('file_too_large', { says: `At most ${limits.entries} rows are read.` })
  }
  const kindAt = names.indexOf('kind')
  const kind = asked ?? kinds.find((one) => one === rows[0]?.[kindAt]?.trim()) ?? guessKind(names)

  const troubles = createTroubles()
  for (const { row: at, message, code } of errors) {
    if (code !== 'UndetectableDelimiter') troubles.add(`row ${(at ?? 0) + 1}`, message)
  }
  for (const [place, name] of names.entries()) {
    if (!known[place]) troubles.add(`column ${place + 1}`, `"${name.slice(0, 60)}" is none that is known`)
  }
  const entries = rows.flatMap((cells, place) => {
    const where = `row ${place + 2}`
    const own = cells[kindAt]?.trim()
    if (kindAt >= 0 && own && own !== kind) {
      troubles.add(where, `an entry of kind ${own.slice(0, 60)} in a file of ${kind} was left out`)
      return []
    }
    return readRow({ cells, known, kind, where }, troubles)
  })
  return { kind, owner: undefined, entries, troubles: troubles.all() }
}

interface Row {
  readonly cells: readonly string[]
  readonly known: readonly (Column | undefined)[]
  readonly kind: Kind
  readonly where: string
}

function readRow({ cells, known, kind, where }: Row, troubles: Troubles): readonly FileEntry[] {
  const work: Partial<Work> = {}
  const noted: Partial<Noted> = {}
  for (const [place, column] of known.entries()) {
    const cell = cells[place]
    if (!column?.read || cell === undefined) continue
    const said = column.read(unguard(cell), kind)
    const what = said ? said.note : 'cannot be read and was left out'
    if (what !== undefined) troubles.add(where, `${column.name} "${cell.slice(0, 60)}" ${what}`)
    Object.assign(work, said?.work)
    Object.assign(noted, said?.noted)
  }
  const { id, title = '' } = work
  return id ? [{ work: workOf(kind, id, title, work), noted }] : []
}

function guessKind(names: readonly string[]): Kind {
  return names.some((name) => /manga|chapter|volumes_read/.test(name)) ? 'manga' : 'anime'
}

function ofWork<Key extends 'title' | 'englishTitle' | 'mediaType' | 'year' | 'units' | 'volumes'>(
  key: Key,
  read: (cell: string) => NonNullable<Work[Key]> | undefined,
) {
  return (cell: string): Said | undefined => {
    const value = read(cell)
    return value === undefined ? undefined : { work: value === 0 || value === '' ? {} : { [key]: value } }
  }
}

function ofNoted<Key extends keyof Noted>(key: Key, read: (cell: string) => Noted[Key] | undefined) {
  return (cell: string) => saidNoted(key, read(cell))
}

/** An empty cell says nothing: comments are mostly not known. */
function unlessEmpty(key: 'comments' | 'updatedAt') {
  return (cell: string): Said => ({ noted: cell === '' ? {} : { [key]: cell } })
}

function upTo(largest: number) {
  return (cell: string): number | undefined => {
    const value = readCount(cell)
    return value !== undefined && value <= largest ? value : undefined
  }
}

function asText(cell: string): string {
  return cell
}

function flag(value: boolean | undefined): string | undefined {
  return value === undefined ? undefined : value ? 'yes' : 'no'
}

/**
 * Every text has one guarded form, and only guarded forms have an apostrophe there: so it can be taken back. Behind a
 * separator, a quote or the end of a line a cell may begin for whoever reads the file with other rules.
 */
const FORMULA = "'*[=+\\-@＝＋－＠]"
const BEHIND = '(?<=[,;\\t\\r\\n"])'
const UNGUARDED = new RegExp(`^(?=${FORMULA}|'*[\\t\\r\\n])|${BEHIND}(?=${FORMULA})`, 'g')
const GUARDED = new RegExp(`^'(?=${FORMULA}|'*[\\t\\r\\n])|${BEHIND}'(?=${FORMULA})`, 'g')

function guard(cell: string): string {
  return cell.replaceAll(UNGUARDED, "'")
}

function unguard(cell: string): string {
  return cell.replaceAll(GUARDED, '')
}
