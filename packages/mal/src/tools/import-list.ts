import { z } from 'zod'
import type { FileEntry } from '../formats/file.ts'
import type { Change } from '../session.ts'
import { changed, isSame } from '../writing/fields.ts'
import { readListFile } from '../formats/formats.ts'
import { importModes, takeOver, type ImportMode } from '../formats/take-over.ts'
import { kinds, type Kind, type Noted, type WholeList } from '../list/entry.ts'
import { failurePolicies } from '../writing/operation.ts'
import { ITEMS_MOST, type Wanted } from '../writing/plan.ts'
import { troubleLines } from './export-list.ts'
import { bytesOf } from './given-file.ts'
import { tool } from './tool.ts'
import { planOutput, tellPlan } from './writing.ts'

const COMMENTS =
  'Comments come along with other changes; where nothing else differs they are not compared, as lists do not tell them.'

/** Reads a file and plans what it changes: carrying it out is the plan's business. */
export const importList = tool({
  name: 'import_list',
  toolset: 'transfer',
  title: 'Plan an import',
  description:
    'Reads a list file (MyAnimeList XML, also gzip; CSV or JSON of export_list) and plans what it changes in the own ' +
    'list, each as before → after. Nothing is changed until apply_plan, and nothing is ever removed. Show the user ' +
    'what could not be read.',
  effect: 'writes',
  needsStorage: true,
  input: z.object({
    file: z.string().min(1).describe('What the file holds, never its path: its text, or base64 of its bytes'),
    kind: z.enum(kinds).default('anime').describe('Where the file does not tell'),
    mode: z
      .enum(importModes)
      .default('merge')
      .describe(
        'For entries on the list already. missing: leave them. merge: add what they lack, such as further progress. ' +
          'overwrite: whatever the file says',
      ),
    limit: z.int().min(1).max(ITEMS_MOST).default(ITEMS_MOST).describe('Entries of the file in one plan'),
    offset: z.int().min(0).default(0),
    on_failure: z.enum(failurePolicies).default('continue'),
  }),
  output: planOutput.extend({
    kind: z.enum(kinds),
    entries: z.int().describe('In the file'),
    next_offset: z.int().optional(),
    skipped: z.int().describe('On the list already, with mode missing'),
    unread: z.array(z.string()).describe('What could not be read, and where'),
  }),
  async run(call, { file, mode, limit, offset, on_failure: onFailure, kind: kindSaid }) {
    const read = await readListFile(bytesOf(file), kindSaid)
    const { kind, entries } = read
    const list = await call.mal.wholeList(kind)
    const part = entries.slice(offset, offset + limit)
    const wanted = wantedOf(part, list, mode)
    const title = `Import ${part.length} ${kind}, ${mode}`
    const told = await tellPlan(call, { title, wanted, lists: { [kind]: list }, onFailure })
    const next = offset + part.length < entries.length ? offset + part.length : undefined
    const skipped = part.length - wanted.length
    const unread = troubleLines(read)
    return {
      data: { ...told.data, kind, entries: entries.length, next_offset: next, skipped, unread },
      lines: [
        `The file holds ${entries.length} ${kind}${skipped > 0 ? `; ${skipped} are on the list already and stay as they are` : ''}.`,
        ...told.lines,
        ...(next === undefined ? [] : [`The file goes on: call again with offset ${next}.`]),
        ...(mode === 'overwrite' && part.some(({ noted }) => noted.comments) ? [COMMENTS] : []),
        ...(unread.length === 0 ? [] : ['Could not be read:', ...unread]),
      ],
    }
  },
})

function wantedOf(entries: readonly FileEntry[], list: WholeList, mode: ImportMode): Wanted[] {
  const known = new Set(list.entries.map(({ work }) => work.id))
  return entries
    .filter(({ work }) => mode !== 'missing' || !known.has(work.id))
    .map(({ work: { kind, id, title }, noted: said }) => ({
      kind,
      id,
      title,
      how: 'either',
      become: (noted) => changeFor(mode, kind, said, noted),
    }))
}

/** No change is no removal: an import removes nothing. Comments alone are none, since a list does not tell them. */
function changeFor(mode: ImportMode, kind: Kind, said: Partial<Noted>, noted: Noted | undefined): Change {
  const change = takeOver(mode, kind, said, noted) ?? {}
  return noted && isSame(noted, changed(noted, change)) ? {} : change
}
