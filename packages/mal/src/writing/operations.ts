import { MalProblem } from '../api/problem.ts'
import { carryOut, settleDoubts, whileHeld, type CarryOutNeeds, type Outcome } from './carry-out.ts'
import type { Item } from './item.ts'
import { isHeld, type Held, type Journal } from './journal.ts'
import { countItems, type Operation } from './operation.ts'
import type { Draft } from './plan.ts'
import { planUndo, readForUndo } from './undo.ts'

/** What became of an operation, and of what took it back where it was to be taken back. */
export interface Ended extends Outcome {
  readonly rolledBack?: Undone | undefined
}

/** What became of taking an operation back; `outcome` is absent where nothing was done, or nothing could be. */
export interface Undone {
  readonly undone: Operation
  readonly draft: Draft
  readonly outcome: Outcome | undefined
}

/** Writes a plan down and carries it out at once. */
export async function carryOutNow(
  needs: CarryOutNeeds,
  plan: Pick<Operation, 'title' | 'onFailure'>,
  items: readonly Item[],
): Promise<Ended> {
  const { id } = await needs.journal.add(plan, items)
  return end(needs, await carryOut(needs, await needs.journal.take(id), { isFresh: true }))
}

/**
 * Carries out a plan, or what is left of an operation that was stopped.
 *
 * @throws {MalProblem} `operation_unknown`, `operation_busy`, `operation_over`
 */
export async function goOn(needs: CarryOutNeeds, id: string): Promise<Ended> {
  const held = await takeWhenFree(needs, id)
  const { operation, items } = held
  if (!isOver(operation, items)) return end(needs, await carryOut(needs, held, { isFresh: false }))
  await held.release({ state: 'done' })
  if (!isToRollBack({ operation, items })) throw new MalProblem('operation_over')
  return end(needs, { operation, items })
}

/**
 * Takes an operation back, which is an operation itself.
 *
 * @param how `force` overwrites what was changed since; with `dryRun` nothing is done but to say what would be.
 * @throws {MalProblem} `operation_unknown`, `operation_busy`, `operation_undone`
 */
export async function undo(
  needs: CarryOutNeeds,
  id: string,
  { force, dryRun }: { readonly force: boolean; readonly dryRun: boolean },
): Promise<Undone> {
  const { journal, mal } = needs
  const held = await takeWhenFree(needs, id)
  const { operation, items } = held
  const back: Operation = { ...held.before, leaseUntil: undefined }
  if (operation.undoneBy !== undefined && !force) {
    await held.release(back)
    throw new MalProblem('operation_undone', { says: `That was operation ${operation.undoneBy}.` })
  }
  const draft = await whileHeld(needs, held, async () => {
    await settleDoubts(needs, held)
    return planUndo(items, await readForUndo(mal, items, operation.sizes), { force })
  })
  // Where all is as it was before already, that is an undo as well: the next one goes further back.
  const isToCome = draft.unchanged === 0 && items.some(({ state }) => state === 'waiting')
  if (dryRun || (draft.items.length === 0 && (draft.refused.length > 0 || isToCome))) {
    await held.release(back)
    return { undone: operation, draft, outcome: undefined }
  }
  const { title, sizes } = operation
  const plan = await journal.add({ title: `Undo: ${title}`, onFailure: 'continue', undoes: id, sizes }, draft.items)
  // Taken before the other is let go: a crash in between leaves something that can be resumed.
  const undoing = await journal.take(plan.id)
  leaveRest(held)
  await held.release({ state: 'done', undoneBy: plan.id, counts: countItems(items) })
  const outcome = await carryOut(needs, undoing, { isFresh: true })
  await settleBelow(journal, operation)
  return { undone: operation, draft, outcome }
}

/**
 * What an undo had taken back counts again once that is undone, what it had taken back in its turn does not, and so on
 * down to the change that all of them are about.
 */
async function settleBelow(journal: Journal, undone: Operation): Promise<void> {
  if (undone.undoes === undefined) return
  const known = new Map((await journal.list()).map((operation) => [operation.id, operation]))
  let counts = true
  for (let by: Operation | undefined = undone; by?.undoes !== undefined; by = known.get(by.undoes)) {
    await journal.amend(by.undoes, { undoneBy: counts ? undefined : by.id })
    counts = !counts
  }
}

/** The operation that "undo" means when nobody says which: the last that is neither undone nor an undo itself. */
export function lastToUndo(operations: readonly Operation[]): Operation | undefined {
  return operations.find(({ state, undoes, undoneBy }) => {
    return state !== 'planned' && undoes === undefined && undoneBy === undefined
  })
}

/** Waits for the lease of whoever has it, who may have died; not for one that is renewed. */
async function takeWhenFree({ journal, now, wait, progress }: CarryOutNeeds, id: string): Promise<Held> {
  const operation = await journal.require(id)
  if (isHeld(operation, now())) {
    await progress(0, operation.size, 'waiting for whoever was carrying it out')
    await wait((operation.leaseUntil ?? 0) - now() + 1)
  }
  return journal.take(id)
}

/** What failed takes the rest back with it, where that was asked for. */
async function end(needs: CarryOutNeeds, outcome: Outcome): Promise<Ended> {
  if (!isToRollBack(outcome)) return outcome
  const rolledBack = await undo(needs, outcome.operation.id, { force: false, dryRun: false })
  return { ...outcome, rolledBack }
}

function isToRollBack({ operation, items }: Outcome): boolean {
  const { onFailure, undoneBy } = operation
  return onFailure === 'roll_back' && undoneBy === undefined && items.some(({ state }) => state === 'failed')
}

function isOver({ undoneBy }: Operation, items: readonly Item[]): boolean {
  return undoneBy !== undefined || !items.some(({ state }) => state === 'waiting' || state === 'begun')
}

function leaveRest(held: Held): void {
  for (const [index, item] of held.items.entries()) {
    if (item.state === 'waiting') held.set(index, { ...item, state: 'left', why: 'it was undone before it was begun' })
  }
}
