import type { Noted } from '../list/entry.ts'
import type { Change, MalSession } from '../session.ts'
import { changeTo, differencesOf, isSame, pickFields } from './fields.ts'
import type { Item } from './item.ts'
import { describeChange } from './carry-out.ts'
import { itemOf, type Draft, type Refused } from './plan.ts'
import { readPresent, type Present } from './present.ts'
import type { Operation } from './operation.ts'

/**
 * Reads how the entries of an operation are now. Where it changed comments they are read one by one: lists do not tell
 * comments, and somebody may have written new ones.
 */
export async function readForUndo(
  mal: MalSession,
  items: readonly Item[],
  sizes: Operation['sizes'],
): Promise<Present> {
  const meant = items.filter(wasChanged)
  const [closely, others] = [meant.filter(changedComments), meant.filter((item) => !changedComments(item))]
  const present = await readPresent(mal, others, sizes)
  const seen = new Map<Item, Noted | undefined>()
  for (const item of closely) seen.set(item, (await mal.entry(item.kind, item.id, 'bulk')).noted)
  const close = new Map([...seen].map(([{ kind, id }, noted]) => [`${kind} ${id}`, noted]))
  return (named) => {
    const key = `${named.kind} ${named.id}`
    return close.has(key) ? close.get(key) : present(named)
  }
}

/**
 * Makes the plan that takes an operation back: each entry as it was before, but only where it still is as the operation
 * left it. What was changed since is named, and overwritten only by `force`.
 */
export function planUndo(items: readonly Item[], present: Present, { force }: { readonly force: boolean }): Draft {
  const planned: Item[] = []
  const refused: Refused[] = []
  let unchanged = 0
  for (const item of items.filter(wasChanged)) {
    const now = present(item)
    const { change, kept } = takeBack(item, now, force)
    if (kept !== undefined) refused.push({ kind: item.kind, id: item.id, title: item.title, why: kept })
    if (change === 'remove') planned.push(itemOf(item, item.title, now, undefined))
    else if (change !== undefined && Object.keys(change).length > 0) planned.push(itemOf(item, item.title, now, change))
    else if (kept === undefined) unchanged += 1
  }
  return { items: planned, unchanged, refused, hints: [] }
}

/** Whether there is anything to take back. */
function wasChanged({ state, after }: Item): boolean {
  return state === 'done' || (state === 'failed' && after !== undefined)
}

function changedComments({ before, after }: Item): boolean {
  return (
    before !== undefined &&
    after !== undefined &&
    differencesOf(before, after).some(({ field }) => field === 'comments')
  )
}

interface TakenBack {
  readonly change?: Change | 'remove' | undefined
  /** What is not taken back, and why. */
  readonly kept?: string
}

/** What brings one entry back to `before`, given how it is now. */
function takeBack({ before, after }: Item, now: Noted | undefined, force: boolean): TakenBack {
  if (isSame(now, before)) return {}
  if (before === undefined) {
    return force || isSame(now, after) ? { change: 'remove' } : { kept: `changed since: ${describeChange(after, now)}` }
  }
  if (now === undefined) {
    return force || after === undefined
      ? { change: changeTo(undefined, before) }
      : { kept: 'removed from the list since' }
  }
  if (force) return { change: changeTo(now, before) }
  if (after === undefined) return { kept: `changed since: ${describeChange(after, now)}` }
  return takeBackFields(before, after, now)
}

/** Each field for itself: who has watched another episode since still gets their old score back. */
function takeBackFields(before: Noted, after: Noted, now: Noted): TakenBack {
  const ours = differencesOf(before, after).map(({ field }) => field)
  const since = differencesOf(after, now).filter(({ field }) => ours.includes(field))
  const theirs = new Set(since.map(({ field }) => field))
  // What somebody has put back already needs nothing.
  const wanted = new Set(differencesOf(now, before).map(({ field }) => field))
  const change = pickFields(before, (name) => ours.includes(name) && !theirs.has(name) && wanted.has(name))
  const lost = since.filter(({ field }) => wanted.has(field))
  return {
    change,
    ...(lost.length > 0 && {
      kept: `changed since: ${lost.map(({ label, from, to }) => `${label} ${from} → ${to}`).join(', ')}`,
    }),
  }
}
