import { statuses } from '../../list/entry.ts'
import type { FileEntry, ListFile } from '../file.ts'
import { fieldNamed, xmlFields, type XmlField } from './fields.ts'
import { statusWord } from './words.ts'

/**
 * MyAnimeList's XML, piece by piece. What came from such a file stands as it stood, byte by byte; everything else is
 * laid out as MyAnimeList does it.
 */
export function* writeXml(list: ListFile): Generator<string> {
  yield list.frame?.head ?? writeHead(list)
  for (const entry of list.entries) yield entry.source ?? write(entry)
  yield list.frame?.tail ?? '\n</myanimelist>\n'
}

function writeHead({ kind, owner, entries }: ListFile): string {
  const counts = new Map<string, number>()
  for (const { noted } of entries) counts.set(noted.status ?? '', (counts.get(noted.status ?? '') ?? 0) + 1)
  const lines = [
    element('user_id', String(owner?.id ?? '')),
    element('user_name', escape(owner?.name ?? '')),
    element('user_export_type', kind === 'anime' ? '1' : '2'),
    element(`user_total_${kind}`, String(entries.length)),
    ...statuses[kind].map((status) =>
      element(
        `user_total_${statusWord(status).toLowerCase().replaceAll(/[ -]/g, '')}`,
        String(counts.get(status) ?? 0),
      ),
    ),
  ]
  const info = lines.map((line) => `\t\t${line}\n`).join('')
  return `<?xml version="1.0" encoding="UTF-8" ?>\n<myanimelist>\n\n\t<myinfo>\n${info}\t</myinfo>\n`
}

function write(entry: FileEntry): string {
  const { kind } = entry.work
  const known = xmlFields[kind].flatMap((field) => {
    const text = field.write(entry)
    return text === undefined ? [] : [element(field.name, inner(field, text))]
  })
  const lines = [...known, ...strangers(entry)].map((line) => `\t\t${line}\n`)
  return `\n\t<${kind}>\n${lines.join('')}\t</${kind}>\n`
}

/** Elements that no version known here has. */
function strangers({ work: { kind }, others = {} }: FileEntry): readonly string[] {
  const names = Object.keys(others).filter((name) => fieldNamed(kind, name) === undefined && isName(name))
  return names.map((name) => element(name, escape(others[name] ?? '')))
}

function isName(name: string): boolean {
  return /^[a-z_][\w.-]*$/i.test(name)
}

function element(name: string, text: string): string {
  return `<${name}>${text}</${name}>`
}

function inner({ isText }: XmlField, text: string): string {
  if (isText !== true) return escape(text)
  return `<![CDATA[${printable(text).replaceAll(']]>', ']]]]><![CDATA[>')}]]>`
}

function escape(text: string): string {
  return printable(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** @see {@link https://www.w3.org/TR/xml/#charsets XML 1.0 §2.2}: other control characters cannot stand in a file. */
function printable(text: string): string {
  return text.toWellFormed().replaceAll(/[^\t\n\r\u0020-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
}
