import type { Kind, Noted } from '../list/entry.ts'
import type { MalSession } from '../session.ts'
import { keyOf } from './plan.ts'

interface Named {
  readonly kind: Kind
  readonly id: number
}

/** Entries as they are now; `undefined` where one is not on the list. */
export type Present = (named: Named) => Noted | undefined

/** The largest page of a list. */
const PAGE = 1000

/**
 * Reads how some entries are now, with as few requests as there are: one by one, or all of the list where that is less.
 * One by one they come with their comments.
 *
 * @param sizes How many entries each list had when it was last read.
 */
export async function readPresent(
  mal: MalSession,
  named: readonly Named[],
  sizes: Readonly<Partial<Record<Kind, number>>> = {},
): Promise<Present> {
  const present = new Map<string, Noted | undefined>()
  for (const [kind, few] of Map.groupBy(named, ({ kind }) => kind)) {
    const pages = Math.ceil((sizes[kind] ?? PAGE) / PAGE)
    const isWorthAll = few.length > Math.max(1, pages)
    const missing = isWorthAll ? await readAll(mal, kind, few, present) : few
    for (const one of missing) present.set(keyOf(one), (await mal.entry(kind, one.id, 'bulk')).noted)
  }
  return (one) => present.get(keyOf(one))
}

/** Answers those about which a list that was not read to its end says nothing. */
async function readAll(
  mal: MalSession,
  kind: Kind,
  named: readonly Named[],
  present: Map<string, Noted | undefined>,
): Promise<readonly Named[]> {
  const { entries, truncated } = await mal.wholeList(kind, '@me', { fresh: true })
  for (const { work, noted } of entries) present.set(keyOf(work), noted)
  return truncated ? named.filter((one) => !present.has(keyOf(one))) : []
}
