import { z } from 'zod'
import { entriesOf } from '../list/count.ts'
import type { CarryOutNeeds } from '../writing/carry-out.ts'
import { goOn } from '../writing/operations.ts'
import { endedLines, operationLine, showEnded, showOperation } from '../writing/show.ts'
import { tool, type Told, type ToolCall } from './tool.ts'
import { endedShape, openWriting, requireConsent } from './writing.ts'

const common = {
  toolset: 'bulk' as const,
  effect: 'overwrites' as const,
  idempotent: true,
  needsStorage: true,
  output: z.object(endedShape),
}

/** Carries out a plan. */
export const applyPlan = tool({
  ...common,
  name: 'apply_plan',
  title: 'Carry out a plan',
  description:
    'Carries out a plan entry by entry, about one a second, and reports each that was not done. Entries that changed ' +
    'since the plan was shown are left alone. What one call has no time for is left to resume_operation.',
  input: z.object({ plan_id: z.string().max(20) }),
  run: (call, { plan_id: id }) => carryOutFor(call, id),
})

/** Goes on with what was interrupted. */
export const resumeOperation = tool({
  ...common,
  name: 'resume_operation',
  title: 'Go on with an operation',
  description:
    'Goes on with an operation that ran out of time, was cancelled, throttled or cut off by a crash. Nothing is done ' +
    'twice: what is in doubt is read first.',
  input: z.object({ operation_id: z.string().max(20) }),
  run: (call, { operation_id: id }) => carryOutFor(call, id),
})

/** Shows what was done, what can be resumed, and what can be undone. */
export const listOperations = tool({
  name: 'list_operations',
  toolset: 'bulk',
  title: 'Plans and operations',
  description: 'The latest plans and operations on the lists, newest first, with what can be resumed or undone.',
  effect: 'reads',
  needsStorage: true,
  input: z.object({ limit: z.int().min(1).max(100).default(20) }),
  output: z.object({
    operations: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        state: z.string(),
        made_at: z.string(),
        size: z.int(),
        done: z.int().optional(),
        undone_by: z.string().optional(),
        undoes: z.string().optional(),
      }),
    ),
  }),
  async run(call, { limit }) {
    const { journal } = await openWriting(call)
    const operations = (await journal.list()).slice(0, limit)
    const lines = operations.length === 0 ? ['No operations yet.'] : operations.map(operationLine)
    return { data: { operations: operations.map(showOperation) }, lines }
  },
})

async function carryOutFor(call: ToolCall, id: string): Promise<Told<z.input<typeof common.output>>> {
  const needs = await openWriting(call)
  await askAboutRemovals(call, needs, id)
  const ended = await goOn(needs, id)
  return { data: showEnded(ended), lines: endedLines(ended) }
}

/** What removes entries is asked about once more, where there is anybody to ask. */
async function askAboutRemovals(call: ToolCall, { journal }: CarryOutNeeds, id: string): Promise<void> {
  if (!call.canAsk) return
  const operation = await journal.require(id)
  const removals = (await journal.items(operation)).filter(({ change, state }) => !change && state === 'waiting')
  if (removals.length > 0) await requireConsent(call, `Remove ${entriesOf(removals.length)}? ${operation.title}`)
}
