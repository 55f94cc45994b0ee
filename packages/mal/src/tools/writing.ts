import { z } from 'zod'
import { MalProblem } from '../api/problem.ts'
import { kinds, type Kind, type ListEntry } from '../list/entry.ts'
import { matches, order, parseQuery } from '../query/query.ts'
import type { CarryOutNeeds } from '../writing/carry-out.ts'
import { createJournal, PLAN_MS } from '../writing/journal.ts'
import type { FailurePolicy, Operation } from '../writing/operation.ts'
import { ITEMS_MOST, planItems, type Draft, type Lists, type Wanted } from '../writing/plan.ts'
import { draftLines, showDraft } from '../writing/show.ts'
import { resolveListed } from './resolve.ts'
import { workRef } from './schema.ts'
import type { Told, ToolCall } from './tool.ts'

const ref = { kind: z.enum(kinds), id: z.int(), title: z.string() }

/** What became of an operation. */
export const endedShape = {
  operation_id: z.string(),
  state: z.string(),
  done: z.int(),
  failed: z.int(),
  left_alone: z.int(),
  not_yet: z.int(),
  stopped_by: z.string().optional(),
  troubles: z.array(z.object({ ...ref, state: z.string(), why: z.string() })),
  rolled_back_by: z.string().optional(),
}

/** What a plan would do. */
const draftShape = {
  total: z.int(),
  unchanged: z.int(),
  changes: z.array(z.object({ ...ref, change: z.string() })),
  left_out: z.array(z.object({ ...ref, why: z.string() })),
  left_out_total: z.int(),
  hints: z.array(z.string()),
}

export const planOutput = z.object({ plan_id: z.string().optional(), expires_at: z.string().optional(), ...draftShape })

/** Everything that writing needs of a call. @throws {MalProblem} `storage_off` */
export async function openWriting(call: ToolCall): Promise<CarryOutNeeds> {
  return { ...call, urgency: 'bulk', journal: createJournal({ storage: await call.storage(), now: call.now }) }
}

/** The same, `undefined` where nothing can be kept: what can be done without is done without. */
export async function tryWriting(call: ToolCall): Promise<CarryOutNeeds | undefined> {
  try {
    return await openWriting(call)
  } catch (error) {
    if (error instanceof MalProblem && error.code === 'storage_off') return undefined
    throw error
  }
}

export interface PlanRequest {
  /** What it does, in a few words. */
  readonly title: string
  readonly wanted: readonly Wanted[]
  readonly lists: Lists
  readonly onFailure: FailurePolicy
}

/**
 * Keeps a plan and shows it: what would change, what would not, and how to carry it out. Nothing is changed by it.
 *
 * @throws {MalProblem} `storage_off`, `too_many`
 */
export async function tellPlan(
  call: ToolCall,
  { title, wanted, lists, onFailure }: PlanRequest,
): Promise<Told<z.input<typeof planOutput>>> {
  const { journal } = await openWriting(call)
  const draft = planItems(lists, wanted)
  requireFew(draft.items.length)
  if (draft.items.length === 0) return { data: showDraft(draft), lines: ['Nothing to do.', ...draftLines(draft)] }
  const operation = await journal.add({ title, onFailure, sizes: sizesOf(lists) }, draft.items)
  return { data: { ...showPlan(operation), ...showDraft(draft) }, lines: planLines(operation, draft) }
}

function showPlan({ id, madeAt }: Operation) {
  return { plan_id: id, expires_at: new Date(madeAt + PLAN_MS).toISOString() }
}

function planLines({ id, title }: Operation, draft: Draft): string[] {
  return [
    `Plan ${id}: ${title}. Nothing was changed yet; apply_plan ${id} carries it out, within an hour.`,
    ...draftLines(draft),
  ]
}

function sizesOf(lists: Lists): Operation['sizes'] {
  return Object.fromEntries(Object.values(lists).map(({ kind, entries }) => [kind, entries.length]))
}

function requireFew(count: number): void {
  if (count > ITEMS_MOST) throw new MalProblem('too_many', { says: `It was ${count}, and may be ${ITEMS_MOST}.` })
}

/** How entries are chosen: by a query, by ids, or as an earlier operation named them. */
export const choiceInput = {
  kind: z.enum(kinds).default('anime'),
  query: z.string().max(1000).optional().describe('As in search_my_list: status:completed score>=8'),
  ids: z.array(workRef).min(1).max(ITEMS_MOST).optional().describe('Ids or titles on the list'),
  from_operation: z.string().max(20).optional().describe('The entries of an earlier plan or operation'),
}

export interface Choice {
  readonly kind: Kind
  readonly query?: string | undefined
  readonly ids?: readonly (string | number)[] | undefined
  readonly from_operation?: string | undefined
}

export interface Chosen {
  readonly lists: Lists
  readonly ids: readonly number[]
  /** What was chosen, in a few words. */
  readonly words: string
}

/**
 * The entries that are meant, with the list they are on, read in one pass.
 *
 * @throws {MalProblem} `bad_choice` where they are named in no way or in two, `bad_query`, `operation_unknown`
 */
export async function chooseEntries(call: ToolCall, choice: Choice): Promise<Chosen> {
  const { kind, query, ids, from_operation: from } = choice
  if ([query, ids, from].filter((way) => way !== undefined).length !== 1) throw new MalProblem('bad_choice')
  if (query?.trim() === '') throw new MalProblem('bad_choice')
  const list = await call.mal.wholeList(kind)
  const lists = { [kind]: list }
  if (ids) return { lists, ids: await resolveListed(call, list, ids), words: `${ids.length} ${kind} by name` }
  if (query !== undefined)
    return { lists, ids: idsOf(choose(call, kind, query, list.entries)), words: `${kind} ${query}` }
  const { journal } = await openWriting(call)
  const operation = await journal.require(from ?? '')
  const items = await journal.items(operation)
  const named = items.filter((item) => item.kind === kind).map(({ id }) => id)
  return { lists, ids: named, words: `the ${kind} of ${operation.id}` }
}

function choose(call: ToolCall, kind: Kind, text: string, entries: readonly ListEntry[]): ListEntry[] {
  const query = parseQuery(text, { kind, now: call.now() })
  return order(
    query,
    entries.filter((entry) => matches(query, entry)),
  )
}

function idsOf(entries: readonly ListEntry[]): number[] {
  return entries.map(({ work }) => work.id)
}

/**
 * Lets the person say yes or no to what cannot be done by accident. Where the client cannot ask, whoever called it has
 * asked already: its tools are marked as destructive.
 *
 * @throws {MalProblem} `declined`
 */
export async function requireConsent(call: ToolCall, question: string): Promise<void> {
  if (!call.canAsk) return
  const answer = await call.choose(question, [
    { value: 'yes', label: 'Yes, do it' },
    { value: 'no', label: 'No, leave everything as it is' },
  ])
  if (answer !== 'yes') throw new MalProblem('declined')
}
