import { gzipSync } from 'node:zlib'
import { z } from 'zod'
import { fileEntryOf, listEntryOf, type FileEntry, type ListFile } from '../formats/file.ts'
import { formatNames, formats, readListFile } from '../formats/formats.ts'
import { countOf, entriesOf } from '../list/count.ts'
import { kinds, type Kind } from '../list/entry.ts'
import { oneLine } from '../list/one-line.ts'
import { matches, order, parseQuery } from '../query/query.ts'
import { bytesOf } from './given-file.ts'
import { userName } from './schema.ts'
import { warningOf } from './show.ts'
import { tool, type ToolCall, type ToldFile } from './tool.ts'

/** Comments come one request each. */
const COMMENTS_MOST = 100
const TROUBLES_SHOWN = 20
const ENTRIES_MOST = 5000
const ENTRIES_USUAL = 1000

export const exportList = tool({
  name: 'export_list',
  toolset: 'transfer',
  title: 'Export a list',
  description:
    'Writes a list into a file: xml (what MyAnimeList and other sites import), csv (spreadsheets), json (nothing is ' +
    'lost), markdown, or html (a self-contained page with charts, search and print). Give "file" to convert a list ' +
    'file instead of the own list. A long list comes in parts: call again with next_offset.',
  effect: 'reads',
  input: z.object({
    kind: z.enum(kinds).default('anime'),
    format: z.enum(formatNames).default('xml'),
    query: z.string().max(1000).optional().describe('Only what fits, e.g. status:completed score>=8 sort:title'),
    user: userName.optional().describe("Somebody else's public list"),
    file: z
      .string()
      .optional()
      .describe('What a list file to convert holds, never its path: its text, or base64 (gzip too)'),
    limit: z
      .int()
      .min(1)
      .max(ENTRIES_MOST)
      .optional()
      .describe(`Entries in one file: ${ENTRIES_USUAL} unless said, of html all up to ${ENTRIES_MOST}`),
    offset: z.int().min(0).default(0),
    covers: z.boolean().default(false).describe('html: show covers, loaded from MyAnimeList'),
    separator: z.enum(['comma', 'semicolon', 'tab']).optional().describe('csv: semicolon where numbers have a comma'),
    gzip: z.boolean().default(false),
    comments: z.boolean().default(false).describe(`With comments: one request an entry, at most ${COMMENTS_MOST}`),
  }),
  output: z.object({
    name: z.string(),
    mime_type: z.string(),
    count: z.int(),
    total: z.int(),
    bytes: z.int().optional(),
    has_more: z.boolean(),
    next_offset: z.int().optional(),
    path: z.string().optional().describe('Where the whole list was written on this machine'),
    warnings: z.array(z.string()),
  }),
  async run(call, args) {
    const { list, warnings } =
      args.file === undefined ? await ownList(call, args) : await givenList(args.file, args.kind)
    const found = filter(list.entries, { query: args.query, kind: list.kind, now: call.now() })
    const isWhole = call.exports !== undefined
    const limit = args.limit ?? (args.format === 'html' ? ENTRIES_MOST : ENTRIES_USUAL)
    const some = isWhole ? found : found.slice(args.offset, args.offset + limit)
    const entries = args.comments ? await withComments(call, some, warnings) : some
    const isSame = entries.length === list.entries.length && !args.comments
    const written = { ...list, entries, frame: isSame ? list.frame : undefined }

    const format = formats[args.format]
    const name = nameOf(list, format.extension, call.now())
    const pieces = format.write(written, {
      now: call.now(),
      covers: args.covers,
      separator: args.separator,
      localCovers: args.file === undefined ? localOrigin(call.account.host) : undefined,
      part: some.length < found.length ? { offset: args.offset, whole: found } : undefined,
    })
    const next = isWhole || args.offset + some.length >= found.length ? undefined : args.offset + some.length
    const data = { mime_type: format.mimeType, count: some.length, total: found.length, next_offset: next, warnings }
    const about = `${some.length} of ${entriesOf(found.length)}${next === undefined ? '' : `; more from offset ${next}`}`

    if (call.exports) {
      const path = await call.exports.write(name, pieces, call.signal)
      return { data: { ...data, name, path, has_more: false }, lines: [...warnings, `${path}: ${about}.`] }
    }
    const file = toldFile(name, format.mimeType, { pieces, gzip: args.gzip })
    const bytes = file.bytes?.byteLength ?? Buffer.byteLength(file.text ?? '')
    return {
      data: { ...data, name: file.name, mime_type: file.mimeType, bytes, has_more: next !== undefined },
      lines: [...warnings, `${file.name} (${bytes} bytes), attached: ${about}.`],
      files: [file],
    }
  },
})

interface Source {
  readonly list: ListFile
  readonly warnings: string[]
}

async function ownList(
  { mal }: ToolCall,
  args: { kind: Kind; user?: string | undefined; comments: boolean },
): Promise<Source> {
  const { kind, user } = args
  const [whole, owner] = await Promise.all([
    mal.wholeList(kind, user),
    user === undefined ? mal.me() : { id: undefined, name: user },
  ])
  const warning = warningOf(whole)
  const silent =
    user === undefined && !args.comments
      ? ['Comments are not in it: MyAnimeList tells them one by one (comments: true).']
      : []
  const list = {
    kind,
    owner: { id: owner.id, name: owner.name },
    entries: whole.entries.map(fileEntryOf),
    troubles: [],
  }
  return { list, warnings: [...(warning === undefined ? [] : [warning]), ...silent] }
}

async function givenList(file: string, kind: Kind): Promise<Source> {
  const list = await readListFile(bytesOf(file), kind)
  return { list, warnings: troubleLines(list) }
}

/** What could not be read, the first ones in words. */
export function troubleLines({ troubles }: ListFile): string[] {
  const lines = troubles.slice(0, TROUBLES_SHOWN).map(({ where, what }) => oneLine(`${where}: ${what}`))
  const more = troubles.length - lines.length
  return more > 0 ? [...lines, `… and ${more} more like these`] : lines
}

function filter(
  entries: readonly FileEntry[],
  { query: text, kind, now }: { query: string | undefined; kind: Kind; now: number },
): readonly FileEntry[] {
  if (text === undefined) return entries
  const query = parseQuery(text, { kind, now })
  const byList = new Map(entries.map((entry) => [listEntryOf(entry), entry]))
  return order(
    query,
    [...byList.keys()].filter((entry) => matches(query, entry)),
  ).flatMap((one) => byList.get(one) ?? [])
}

async function withComments(call: ToolCall, entries: readonly FileEntry[], warnings: string[]): Promise<FileEntry[]> {
  const told: FileEntry[] = []
  for (const entry of entries.slice(0, COMMENTS_MOST)) {
    const { noted } = await call.mal.entry(entry.work.kind, entry.work.id, 'bulk')
    told.push({ ...entry, source: undefined, noted: { ...entry.noted, comments: noted?.comments } })
    await call.progress(told.length, Math.min(entries.length, COMMENTS_MOST), 'comments read')
  }
  const rest = entries.slice(COMMENTS_MOST)
  if (rest.length > 0)
    warnings.push(`${countOf(rest.length, 'entry is', 'entries are')} without comments: ask for the next part.`)
  return [...told, ...rest]
}

/** Covers of an emulated MyAnimeList come without TLS, from its own address. Nothing else on this machine is asked. */
function localOrigin(host: string): string | undefined {
  return /^(127\.0\.0\.1|\[::1\]|localhost)(:\d+)?$/.test(host) ? `http://${host}` : undefined
}

/** `mika-animelist-2026-11-21.xml`, in letters that every system takes. */
function nameOf({ owner, kind }: ListFile, extension: string, now: number): string {
  const whose = owner?.name?.replaceAll(/[^\w-]+/g, '_').slice(0, 40)
  return `${whose ? `${whose}-` : ''}${kind}list-${new Date(now).toISOString().slice(0, 10)}.${extension}`
}

function toldFile(
  name: string,
  mimeType: string,
  { pieces, gzip }: { pieces: Iterable<string>; gzip: boolean },
): ToldFile {
  const text = [...pieces].join('')
  return gzip ? { name: `${name}.gz`, mimeType: 'application/gzip', bytes: gzipSync(text) } : { name, mimeType, text }
}
