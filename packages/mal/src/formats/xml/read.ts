import { setImmediate } from 'node:timers/promises'
import { Parser } from 'htmlparser2'
import { MalProblem } from '../../api/problem.ts'
import type { Kind, Noted, Work } from '../../list/entry.ts'
import { createTroubles, workOf, type FileEntry, type FileLimits, type ListFile } from '../file.ts'
import { fieldNamed, type XmlField } from './fields.ts'

/**
 * Reads MyAnimeList's XML as far as it goes: stray `&`, mixed-up words, other names for the same element, a file that
 * breaks off. An entry is taken whole or not at all. There is no DTD here, so that entities expand to nothing.
 *
 * @throws {MalProblem} `file_unreadable` where no list is in it, `file_too_large` where more entries are than allowed
 */
export async function readXml(text: string, limits: FileLimits): Promise<ListFile> {
  const reading = createReading(text, limits)
  const parser: Parser = new Parser(
    {
      onopentag: (name) => reading.open(name.toLowerCase(), parser.endIndex),
      ontext: (data) => reading.text(data),
      onclosetag: (name, isImplied) => reading.close(name.toLowerCase(), parser.endIndex, isImplied),
    },
    { xmlMode: true },
  )
  for (let from = 0; from < text.length; from += AT_ONCE) {
    // One more character, to see what comes behind the last one; places stay what they are.
    const piece = text.slice(from, from + AT_ONCE + 1).replaceAll(/<(?![a-z_/!?])/gi, STRAY)
    parser.write(piece.slice(0, AT_ONCE))
    await setImmediate()
  }
  parser.end()
  return reading.end()
}

/** Whoever else is served waits no longer than this much of a file takes. */
const AT_ONCE = 256 * 1024

/** Stands for a `<` that begins no tag, while the parser is at work: no text may hold this character. */
const STRAY = '\uFDD0'

/** A comment may hold elements of its own, closed or not; whatever goes deeper is an attack on the reader. */
const DEEPEST = 256

interface OpenEntry {
  readonly kind: Kind
  readonly line: number
  readonly work: Partial<Work>
  readonly noted: Partial<Noted>
  readonly others: Record<string, string>
}

interface OpenField {
  readonly name: string
  readonly line: number
  readonly from: number
  text: string
  holdsElements: boolean
}

function createReading(text: string, limits: FileLimits) {
  const entries: FileEntry[] = []
  const troubles = createTroubles()
  const lineOf = createLines(text)
  const owner = { id: undefined as number | undefined, name: undefined as string | undefined }
  let kind: Kind | undefined
  let depth = 0
  let headEnd = 0
  let lastEnd: number | undefined
  let entry: OpenEntry | undefined
  let field: OpenField | undefined
  let isWhole = false

  return { open, text: addText, close, end }

  function open(name: string, at: number): void {
    const line = lineOf(at)
    depth += 1
    if (depth > DEEPEST) throw new MalProblem('file_unreadable', { says: `Line ${line} nests too deep.` })
    if (name === 'anime' || name === 'manga') return openEntry(name, line)
    if (depth === 1 || name === 'myinfo') {
      headEnd = at + 1
      return
    }
    if (field && entry && !fieldNamed(entry.kind, name)) {
      field.holdsElements = true
      return
    }
    if (field) trouble(field.line, `${field.name} is not closed and was left out`)
    field = { name, line, from: at + 1, text: '', holdsElements: false }
  }

  function openEntry(name: Kind, line: number): void {
    if (entry) incomplete(entry)
    field = undefined
    kind ??= name
    entry = { kind: name, line, work: {}, noted: {}, others: {} }
  }

  function addText(data: string): void {
    if (field) field.text += data.replaceAll(STRAY, '<')
  }

  function close(name: string, at: number, isImplied: boolean): void {
    depth -= 1
    if (name === 'anime' || name === 'manga') closeEntry(at, isImplied)
    else if (name === 'myinfo') headEnd = text.indexOf('>', at) + 1
    else if (field?.name === name) closeField(field, at, isImplied)
    else if (depth === 0) isWhole = !isImplied
  }

  function closeField(closed: OpenField, at: number, isImplied: boolean): void {
    field = undefined
    const isEmptyTag = at + 1 === closed.from
    if (isImplied && !isEmptyTag) return trouble(closed.line, `${closed.name} is not closed and was left out`)
    if (!entry) return readOwner(closed)
    if (closed.holdsElements) closed.text = text.slice(closed.from, text.lastIndexOf('</', at))
    const known = fieldNamed(entry.kind, closed.name)
    if (!known?.read) return keep(closed, known, entry.others)
    const said = known.read(closed.text)
    if (!said) return trouble(closed.line, `${closed.name} "${shorten(closed.text)}" cannot be read and was left out`)
    if (said.note !== undefined) trouble(closed.line, `${closed.name} "${shorten(closed.text)}" ${said.note}`)
    Object.assign(entry.work, said.work)
    Object.assign(entry.noted, said.noted)
  }

  function keep({ name, text: value }: OpenField, known: XmlField | undefined, others: Record<string, string>): void {
    if (value !== known?.usual) others[name] = value
  }

  function readOwner(closed: OpenField): void {
    if (closed.name === 'user_id') owner.id = Number(closed.text) || undefined
    if (closed.name === 'user_name') owner.name = closed.text.trim() || undefined
    if (closed.name === 'user_export_type') kind ??= ({ 1: 'anime', 2: 'manga' } as const)[closed.text.trim()]
  }

  function closeEntry(at: number, isImplied: boolean): void {
    if (!entry) return
    if (isImplied) return incomplete(entry)
    const { line, work, noted, others, kind: entryKind } = entry
    entry = undefined
    field = undefined
    if (entryKind !== kind) return trouble(line, `an entry of kind ${entryKind} in a file of ${kind} was left out`)
    if (work.id === undefined) return trouble(line, `"${shorten(work.title ?? '')}" has no id and was left out`)
    if (entries.length >= limits.entries) {
      throw new MalProblem('file_too_large', { says: `At most ${limits.entries} entries are read.` })
    }
    const from = lastEnd ?? headEnd
    lastEnd = text.indexOf('>', at) + 1
    entries.push({
      work: workOf(entryKind, work.id, work.title ?? '', work),
      noted,
      ...(Object.keys(others).length > 0 && { others }),
      source: text.slice(from, lastEnd),
    })
  }

  function incomplete({ work, line }: OpenEntry): void {
    entry = undefined
    field = undefined
    trouble(line, `the entry ${work.id ?? ''} "${shorten(work.title ?? '')}" is not complete and was left out`)
  }

  function end(): ListFile {
    if (kind === undefined && headEnd === 0) throw new MalProblem('file_unreadable', { says: 'It is not XML.' })
    if (!isWhole) trouble(lineOf(text.length), 'the file breaks off here')
    const frame = { head: text.slice(0, headEnd), tail: text.slice(lastEnd ?? headEnd) }
    return { kind: kind ?? 'anime', owner, entries, troubles: troubles.all(), frame }
  }

  function trouble(line: number, what: string): void {
    troubles.add(`line ${line}`, what)
  }
}

/** The line of a place. Places are asked for from the front to the back, so that a long file is walked once. */
function createLines(text: string): (at: number) => number {
  let line = 1
  let next = text.indexOf('\n')
  return (at) => {
    while (next >= 0 && next < at) {
      line += 1
      next = text.indexOf('\n', next + 1)
    }
    return line
  }
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > 60 ? `${line.slice(0, 60)}…` : line
}
