import { z } from 'zod'
import { MalProblem } from '../api/problem.ts'
import { lastToUndo, undo, type Undone } from '../writing/operations.ts'
import { draftLines, showUndone, undoneLines } from '../writing/show.ts'
import { tool } from './tool.ts'
import { openWriting } from './writing.ts'

/** Takes an operation back. */
export const malUndo = tool({
  name: 'mal_undo',
  toolset: 'core',
  title: 'Undo a change',
  description:
    'Puts entries back as they were before one of the last 100 operations: the latest unless one is named. What was ' +
    'changed since is shown and left alone, unless force. An undo can be undone.',
  effect: 'overwrites',
  idempotent: true,
  needsStorage: true,
  input: z.object({
    operation_id: z.string().max(20).optional(),
    force: z.boolean().default(false).describe('Also overwrite what was changed since'),
    dry_run: z.boolean().default(false),
  }),
  output: z.object({
    undone: z.string(),
    operation_id: z.string().optional(),
    done: z.int(),
    failed: z.int(),
    not_yet: z.int(),
    kept: z.array(z.string()),
  }),
  async run(call, { operation_id: named, force, dry_run: dryRun }) {
    const needs = await openWriting(call)
    const id = named ?? lastToUndo(await needs.journal.list())?.id
    if (id === undefined) throw new MalProblem('nothing_to_undo')
    const undone = await undo(needs, id, { force, dryRun })
    return { data: showUndone(undone), lines: dryRun ? wouldLines(undone) : undoneLines(undone) }
  },
})

function wouldLines({ undone, draft }: Undone): string[] {
  return [`To undo "${undone.title}" (${undone.id}):`, ...draftLines(draft)]
}
