import { z } from 'zod'
import { MalProblem } from '../api/problem.ts'
import { kinds, type Kind, type Noted } from '../list/entry.ts'
import { oneLine } from '../list/one-line.ts'
import type { Change } from '../session.ts'
import { cleanTags } from '../writing/fields.ts'
import { failurePolicies } from '../writing/operation.ts'
import type { Wanted } from '../writing/plan.ts'
import { anyChange, readAnyChange, tagList } from './change.ts'
import { resolveAll } from './resolve.ts'
import { workRef } from './schema.ts'
import { tool } from './tool.ts'
import { chooseEntries, choiceInput, planOutput, tellPlan } from './writing.ts'

const common = {
  toolset: 'bulk' as const,
  effect: 'writes' as const,
  needsStorage: true,
  output: planOutput,
}
const onFailure = z
  .enum(failurePolicies)
  .default('continue')
  .describe('When one entry fails: go on, stop, or take back what was done')

/** Changes many entries in the same way. */
export const planBulkUpdate = tool({
  ...common,
  name: 'plan_bulk_update',
  title: 'Plan a change of many entries',
  description:
    'Plans the same change for many list entries, chosen by a query, by ids or from an earlier operation, and shows ' +
    'each as before → after. Nothing is changed until apply_plan.',
  input: z.object({ ...choiceInput, change: anyChange, on_failure: onFailure }),
  async run(call, { change: given, on_failure, ...choice }) {
    const change = readAnyChange(choice.kind, given)
    if (Object.keys(change).length === 0) throw new MalProblem('nothing_to_change')
    const { lists, ids, words } = await chooseEntries(call, choice)
    const title = `Set ${Object.keys(given).join(', ').replaceAll('_', ' ')} of ${words}`
    const wanted = ids.map((id) => changing(choice.kind, id, () => change))
    return tellPlan(call, { title, wanted, lists, onFailure: on_failure })
  },
})

/** Puts many works on a list. */
export const addEntries = tool({
  ...common,
  name: 'add_entries',
  title: 'Plan to add many works',
  description:
    'Plans to put works on a list, by id or title, all with the same status, score and so on. What is on the list ' +
    'already is left alone, and a title that is not clear is named and left out. Nothing is changed until apply_plan.',
  output: planOutput.extend({
    unclear: z.array(z.object({ named: z.string(), why: z.string() })).describe('Not in the plan; call again with ids'),
  }),
  input: z.object({
    kind: z.enum(kinds).default('anime'),
    works: z.array(workRef).min(1).max(500).describe('Each title costs a search'),
    change: anyChange.default({}),
    on_failure: onFailure,
  }),
  async run(call, { kind, works, change: given, on_failure: policy }) {
    const change = readAnyChange(kind, given)
    const { found, unclear } = await resolveAll(call, kind, works)
    const lists = { [kind]: await call.mal.wholeList(kind) }
    const wanted = found.map(({ id, title }): Wanted => ({ kind, id, title, how: 'add', become: () => change }))
    const told = await tellPlan(call, { title: `Add ${found.length} ${kind}`, wanted, lists, onFailure: policy })
    return {
      data: { ...told.data, unclear },
      lines: [...told.lines, ...unclear.map(({ named, why }) => oneLine(`not in the plan: "${named}": ${why}`))],
    }
  },
})

/** Takes many entries off a list. */
export const deleteEntries = tool({
  ...common,
  name: 'delete_entries',
  title: 'Plan to remove many entries',
  description:
    'Plans to remove list entries, chosen by a query, by ids or from an earlier operation. Nothing is removed until ' +
    'apply_plan, and mal_undo brings all of it back, comments too.',
  input: z.object({ ...choiceInput, on_failure: onFailure }),
  async run(call, { on_failure: policy, ...choice }) {
    const { lists, ids, words } = await chooseEntries(call, choice)
    const wanted = ids.map((id) => changing(choice.kind, id, () => undefined))
    return tellPlan(call, { title: `Remove ${words}`, wanted, lists, onFailure: policy })
  },
})

/** Adds, removes and renames tags. */
export const editTags = tool({
  ...common,
  name: 'edit_tags',
  title: 'Plan a change of tags',
  description:
    'Plans to add, remove or rename tags of many entries and leaves their other tags as they are. Nothing is changed ' +
    'until apply_plan.',
  input: z.object({
    ...choiceInput,
    add: tagList.default([]),
    remove: tagList.default([]),
    rename: z.object({ from: z.string().min(1).max(255), to: z.string().min(1).max(255) }).optional(),
    on_failure: onFailure,
  }),
  async run(call, { add, remove, rename, on_failure: policy, ...choice }) {
    if (add.length + remove.length === 0 && !rename) throw new MalProblem('nothing_to_change')
    const { lists, ids, words } = await chooseEntries(call, choice)
    const edit = { add: cleanTags(add), remove: cleanTags(remove), rename }
    const wanted = ids.map((id) =>
      changing(choice.kind, id, (noted) => ({ tags: editedTags(noted?.tags ?? [], edit) })),
    )
    return tellPlan(call, { title: `Edit tags of ${words}`, wanted, lists, onFailure: policy })
  },
})

export interface TagEdit {
  readonly add: readonly string[]
  readonly remove: readonly string[]
  readonly rename?: { readonly from: string; readonly to: string } | undefined
}

/** Tags are found however they are written in capitals; what is added is written as it was given. */
export function editedTags(tags: readonly string[], { add, remove, rename }: TagEdit): string[] {
  const gone = new Set(remove.map((tag) => tag.toLowerCase()))
  const from = rename?.from.trim().toLowerCase()
  const renamed = tags.map((tag) => (rename && tag.toLowerCase() === from ? rename.to.trim() : tag))
  const kept = renamed.filter((tag) => !gone.has(tag.toLowerCase()))
  const present = new Set(kept.map((tag) => tag.toLowerCase()))
  return cleanTags([...kept, ...add.filter((tag) => !present.has(tag.toLowerCase()))])
}

function changing(kind: Kind, id: number, become: (noted: Noted | undefined) => Change | undefined): Wanted {
  return { kind, id, how: 'change', become }
}
