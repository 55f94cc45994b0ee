import { z } from 'zod'
import type { ListEntry } from '../api/shapes.ts'
import { answer, done, readOnly, warningOf, type Reading, type Register } from './answer.ts'
import { prepared } from './schema.ts'
import { compact, oneLine } from './show.ts'

const COLUMNS = ['score', 'title', 'id', 'type', 'year', 'watched', 'episodes', 'mean', 'genres'] as const

const Output = z.object({
  total: z.int(),
  truncated: z.boolean().describe('Whether the list goes on beyond what was read'),
  warning: z.string().optional(),
  columns: z.array(z.string()).describe('What the values of each row are, in order'),
  groups: z.array(
    z.object({
      status: z.string(),
      count: z.int(),
      rows: z.array(z.array(z.union([z.string(), z.number(), z.null()]))).describe('Best score first'),
    }),
  ),
})

const config = {
  title: 'Export for taste analysis',
  description:
    "The user's whole anime list in a compact table, grouped by status, best score first: the raw material to " +
    'judge taste from or to recommend with. Nothing is computed or left out. Score 0 means not scored, an empty ' +
    'field not known. For figures instead of titles use get_user_stats.',
  inputSchema: prepared(z.object({})),
  outputSchema: prepared(Output),
  annotations: readOnly,
}

export const registerAnalyzeTaste: Register = (mcp, needs) => {
  mcp.registerTool('analyze_taste', config, (_args, ctx) => answer(needs, ctx, exportList))
}

async function exportList(mal: Reading) {
  const list = await mal.wholeList()
  const warning = warningOf(list)
  const groups = groupByStatus(list.entries)
  const total = list.entries.length
  return done(
    compact({
      total,
      truncated: list.truncated,
      warning,
      columns: COLUMNS,
      groups: groups.map(({ status, entries }) => ({ status, count: entries.length, rows: entries.map(rowOf) })),
    }),
    [
      ...(warning === undefined ? [] : [warning]),
      `${total} entries. Tab-separated: ${COLUMNS.join(', ')}.`,
      ...groups.flatMap(({ status, entries }) => [`## ${status} (${entries.length})`, ...entries.map(textOf)]),
    ],
  )
}

/** The order in which a reader wants them; whatever status is new comes last. */
const ORDER = ['completed', 'watching', 'on_hold', 'dropped', 'plan_to_watch']

function groupByStatus(all: readonly ListEntry[]): { status: string; entries: ListEntry[] }[] {
  const groups = new Map<string, ListEntry[]>(ORDER.map((status) => [status, []]))
  for (const entry of all) {
    const group = groups.get(entry.list.status)
    if (group) group.push(entry)
    else groups.set(entry.list.status, [entry])
  }
  return [...groups]
    .filter(([, entries]) => entries.length > 0)
    .map(([status, entries]) => ({ status, entries: entries.sort(byScore) }))
}

function byScore(one: ListEntry, other: ListEntry): number {
  return (other.list.score ?? 0) - (one.list.score ?? 0) || one.title.localeCompare(other.title, 'en')
}

function rowOf({ list, ...anime }: ListEntry): (string | number | null)[] {
  return [
    list.score ?? 0,
    anime.title,
    anime.id,
    anime.mediaType ?? null,
    anime.year ?? null,
    list.watched,
    anime.episodes ?? null,
    anime.mean ?? null,
    anime.genres.join(', '),
  ]
}

function textOf(entry: ListEntry): string {
  return rowOf(entry)
    .map((value) => oneLine(String(value ?? '')))
    .join('\t')
}
