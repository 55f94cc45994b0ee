import { MalProblem } from '../api/problem.ts'
import type { Kind } from '../list/entry.ts'
import { readCsv, writeCsv, type TableOptions } from './csv.ts'
import { decode } from './decode.ts'
import { fileLimits, type FileLimits, type ListFile } from './file.ts'
import { readJson, writeJson } from './json.ts'
import { writeMarkdown } from './markdown.ts'
import { writePage, type PageOptions } from './page/page.ts'
import { readXml } from './xml/read.ts'
import { writeXml } from './xml/write.ts'

/** A form that lists come and go in. */
export interface Format {
  readonly extension: string
  readonly mimeType: string
  /** The whole file, in pieces: a long list never stands in memory as one text. */
  readonly write: (list: ListFile, options: PageOptions & TableOptions) => Iterable<string>
  /** Absent where the form is for people only. */
  readonly read?: (text: string, limits: FileLimits, kind?: Kind) => ListFile | Promise<ListFile>
}

export const formats = {
  xml: { extension: 'xml', mimeType: 'application/xml', write: writeXml, read: readXml },
  csv: { extension: 'csv', mimeType: 'text/csv', write: writeCsv, read: readCsv },
  json: { extension: 'json', mimeType: 'application/json', write: writeJson, read: readJson },
  markdown: { extension: 'md', mimeType: 'text/markdown', write: writeMarkdown },
  html: { extension: 'html', mimeType: 'text/html', write: writePage },
} as const satisfies Record<string, Format>

export type FormatName = keyof typeof formats
export const formatNames = ['xml', 'csv', 'json', 'markdown', 'html'] as const satisfies readonly FormatName[]

/**
 * Reads a list from a file, packed or not, whatever form it has.
 *
 * @param kind what it holds, where the file does not tell
 * @throws {MalProblem} `file_unreadable`, `file_too_large`
 */
export async function readListFile(file: Uint8Array, kind?: Kind, limits: FileLimits = fileLimits): Promise<ListFile> {
  const { text, troubles } = await decode(file, limits)
  if (text.trim() === '') throw new MalProblem('file_unreadable', { says: 'It is empty.' })
  const list = await reader(text)(text, limits, kind)
  return { ...list, troubles: [...troubles, ...list.troubles] }
}

/** Told by how it begins: names and types of files are often wrong. */
function reader(text: string): NonNullable<Format['read']> {
  const start = text
    .slice(0, 1000)
    .replace(/^\uFEFF/, '')
    .trimStart()
  if (start.startsWith('<')) return readXml
  return start.startsWith('{') || start.startsWith('[') ? readJson : readCsv
}
