import { MalProblem, type MalProblemCode } from '../api/problem.ts'
import type { Noted } from '../list/entry.ts'
import { oneLine } from '../list/one-line.ts'
import type { Urgency } from '#kit/queue'
import type { MalSession } from '../session.ts'
import { changed, differencesOf, isSame } from './fields.ts'
import type { Item } from './item.ts'
import { LEASE_MS, type Held, type Journal } from './journal.ts'
import { countItems, isOpen, type Operation } from './operation.ts'
import { readPresent } from './present.ts'

/** What a call gives to whoever writes on its behalf. */
export interface CarryOutNeeds {
  readonly mal: MalSession
  /** A person who waits goes before bulk work. */
  readonly urgency: Urgency
  readonly journal: Journal
  now(): number
  wait(ms: number, until?: AbortSignal): Promise<void>
  /** When to stop at the latest, in milliseconds since the epoch. */
  readonly deadline: number
  readonly signal: AbortSignal
  progress(done: number, total: number | undefined, message: string): Promise<void>
}

/** What became of an operation. */
export interface Outcome {
  readonly operation: Operation
  readonly items: readonly Item[]
}

/**
 * Carries out what is left of an operation that is held: item after item, each written down before its request goes out
 * and again with what came of it. It stops where it is told to, where time is short or where MyAnimeList does not let it
 * go on; what is left can be resumed. At least one item is carried out in each call, however short its time.
 *
 * What was changed since it was planned is left alone, unless `isFresh` says that it was planned just now.
 *
 * @throws {MalProblem} `operation_busy` where another process has taken over, `token_missing`, `token_rejected`
 */
export async function carryOut(needs: CarryOutNeeds, held: Held, { isFresh }: { isFresh: boolean }): Promise<Outcome> {
  const { stoppedBy, fatal } = await whileHeld(needs, held, () => work(needs, held, isFresh))
  const end = {
    state: held.items.some(isOpen) ? ('stopped' as const) : ('done' as const),
    counts: countItems(held.items),
    stoppedBy,
  }
  await held.release(end)
  if (fatal) throw fatal
  return { operation: { ...held.operation, ...end }, items: held.items }
}

/** Why it stopped before the end, and what the caller is to hear of as a failure. */
interface Stop {
  readonly stoppedBy?: string | undefined
  readonly fatal?: MalProblem
}

async function work(needs: CarryOutNeeds, held: Held, isFresh: boolean): Promise<Stop> {
  try {
    await settleDoubts(needs, held)
    if (!isFresh) await leaveWhatChanged(needs, held)
    return { stoppedBy: await carryOutItems(needs, held, isFresh) }
  } catch (error) {
    // Whoever has taken over writes from now on.
    if (error instanceof MalProblem && error.code === 'operation_busy') throw error
    const stoppedBy = whyStopped(needs, error)
    return error instanceof MalProblem && error.code.startsWith('token_') ? { stoppedBy, fatal: error } : { stoppedBy }
  }
}

/**
 * Finds out what became of the items that were about to be sent when somebody was cut off: each is read and compared,
 * and never blindly repeated.
 */
export async function settleDoubts({ mal }: Pick<CarryOutNeeds, 'mal'>, held: Held): Promise<void> {
  for (const [index, item] of held.items.entries()) {
    if (item.state !== 'begun') continue
    const { noted } = await mal.entry(item.kind, item.id, 'bulk')
    await held.write(index, judge(item, noted))
  }
}

/** What an item is, given how its entry is now. */
function judge(item: Item, now: Noted | undefined): Item {
  const { before, change } = item
  const isThere = change ? now !== undefined && isSame(now, changed(now, change)) : now === undefined
  if (isThere) return { ...item, state: 'done', after: now }
  if (isSame(now, before)) return { ...item, state: 'waiting' }
  return left(item, before, now)
}

async function leaveWhatChanged({ mal }: CarryOutNeeds, held: Held): Promise<void> {
  const waiting = [...held.items.entries()].filter(([, { state }]) => state === 'waiting')
  const present = await readPresent(
    mal,
    waiting.map(([, item]) => item),
    held.operation.sizes,
  )
  for (const [index, item] of waiting) {
    const now = present(item)
    if (!isSame(now, item.before)) held.set(index, left(item, item.before, now))
  }
}

function left(item: Item, before: Noted | undefined, now: Noted | undefined): Item {
  return { ...item, state: 'left', why: `it changed since: ${describeChange(before, now)}` }
}

/** `score 7 → 8, status watching → completed`; nobody's words are repeated in it but the user's own. */
export function describeChange(before: Noted | undefined, now: Noted | undefined): string {
  if (before === undefined || now === undefined) {
    return now ? `it is on the list now, as ${now.status}` : 'it is not on the list any more'
  }
  const differences = differencesOf(before, now)
  return differences.map(({ label, from, to }) => `${label} ${show(from)} → ${show(to)}`).join(', ')
}

function show(value: string | number | boolean): string {
  return value === '' ? 'none' : String(value)
}

/** Answers why it stopped before the end; `undefined` where it did not. */
async function carryOutItems(needs: CarryOutNeeds, held: Held, isFresh: boolean): Promise<string | undefined> {
  const { now, deadline, signal, progress } = needs
  const { items, operation } = held
  let slowest = RESERVE_MS
  let isFirst = true
  for (const [index, item] of items.entries()) {
    if (item.state !== 'waiting') continue
    await held.renew()
    signal.throwIfAborted()
    if (!isFirst && now() + slowest > deadline) return 'this call had no more time'
    const begunAt = now()
    const outcome = await carryOutItem(needs, held, index, isFresh)
    held.set(index, outcome)
    slowest = Math.max(slowest, now() - begunAt)
    isFirst = false
    await progress(index + 1, items.length, `${index + 1} of ${items.length}: ${oneLine(outcome.title)}`)
    if (outcome.state === 'failed' && operation.onFailure !== 'continue') {
      leaveRest(held)
      return undefined
    }
  }
  return undefined
}

/** What an answer needs that is given in time. */
const RESERVE_MS = 3_000

/**
 * Carries out one item, and answers it as it is then. Comments are not told in lists: where an entry is removed, or its
 * comments change, it is read first, so that they can be brought back.
 */
export async function carryOutItem(
  { mal, urgency }: Pick<CarryOutNeeds, 'mal' | 'urgency'>,
  held: Pick<Held, 'items' | 'write'>,
  index: number,
  isFresh: boolean,
): Promise<Item> {
  const planned = held.items[index]
  if (!planned) throw new RangeError('there is no such item')
  const { kind, id, change } = planned
  let before = planned.before
  const concernsComments = change === undefined || change.comments !== undefined
  if (before && concernsComments && (!isFresh || before.comments === undefined)) {
    const { noted } = await mal.entry(kind, id, urgency)
    if (!isSame(noted, before)) return left(planned, before, noted)
    before = noted
  }
  const item: Item = { ...planned, before, state: 'begun' }
  await held.write(index, item)
  try {
    if (!change) {
      await mal.remove(kind, id, urgency)
      return { ...item, state: 'done' }
    }
    const after = await mal.update(kind, id, change, urgency)
    return {
      ...item,
      state: 'done',
      after: { ...after, comments: after.comments ?? change.comments ?? before?.comments },
    }
  } catch (error) {
    if (!(error instanceof MalProblem) || !concernsItem.has(error.code)) throw error
    // What was taken in part is noted as it is now, so that it can be undone as well.
    const after = error.code === 'not_applied' ? (await mal.entry(kind, id, urgency)).noted : undefined
    return { ...item, state: 'failed', after, why: error.message }
  }
}

/** What is wrong with one item, and says nothing of the next. All else stops the operation. */
const concernsItem: ReadonlySet<MalProblemCode> = new Set(['not_found', 'bad_request', 'not_applied'])

/** After a failure that the others were not to survive. */
function leaveRest(held: Held): void {
  for (const [index, item] of held.items.entries()) {
    if (item.state === 'waiting') held.set(index, { ...item, state: 'left', why: 'another item failed before it' })
  }
}

function whyStopped({ signal, now, deadline }: CarryOutNeeds, error: unknown): string {
  if (error instanceof MalProblem) return error.message
  if (!signal.aborted) throw error
  return now() >= deadline ? 'this call had no more time' : 'it was cancelled'
}

/**
 * Does some work and says meanwhile, again and again, that somebody is at it, however long one item takes. Where another
 * process has taken over, whoever writes next finds that out.
 */
export async function whileHeld<Result>(
  { wait }: Pick<CarryOutNeeds, 'wait'>,
  held: Held,
  doIt: () => Promise<Result>,
): Promise<Result> {
  const over = new AbortController()
  const beating = (async () => {
    for (;;) {
      await wait(LEASE_MS / 3, over.signal)
      await held.renew()
    }
  })().catch(() => {})
  try {
    return await doIt()
  } finally {
    over.abort()
    await beating
  }
}
