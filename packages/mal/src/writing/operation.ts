import { z } from 'zod'
import { kinds } from '../list/entry.ts'
import { itemStates, type Item, type ItemState } from './item.ts'

/** What follows when one item fails: go on with the others, stop there, or take back what was done. */
export const failurePolicies = ['continue', 'stop', 'roll_back'] as const
export type FailurePolicy = (typeof failurePolicies)[number]

const Counts = z.partialRecord(z.enum(itemStates), z.number())

/**
 * One operation on the lists, from its plan on. `planned`: nothing was done yet. `running`: somebody carries it out, as
 * long as `leaseUntil` has not passed. `stopped`: it can be resumed. `done`: nothing is left of it.
 */
export const Operation = z.object({
  /** Later ones are larger, as text. */
  id: z.string(),
  /** What it does, in a few words. */
  title: z.string(),
  state: z.enum(['planned', 'running', 'stopped', 'done']),
  madeAt: z.number(),
  size: z.number(),
  onFailure: z.enum(failurePolicies),
  /** When whoever carries it out is taken for dead. */
  leaseUntil: z.number().optional(),
  /** Why it was stopped, in words. */
  stoppedBy: z.string().optional(),
  /** How many entries the lists had that it was planned from. */
  sizes: z.partialRecord(z.enum(kinds), z.number()).optional(),
  /** The operation it takes back. */
  undoes: z.string().optional(),
  /** The operation that took it back. */
  undoneBy: z.string().optional(),
  /** How many items are in which state, as of when it last stopped. */
  counts: Counts.optional(),
})
export type Operation = z.infer<typeof Operation>
export type Counts = z.infer<typeof Counts>

export function countItems(items: readonly Item[]): Counts {
  const counts: Partial<Record<ItemState, number>> = {}
  for (const { state } of items) counts[state] = (counts[state] ?? 0) + 1
  return counts
}

/** Whether anything of it is still to be done, or to be found out. */
export function isOpen({ state }: Item): boolean {
  return state === 'waiting' || state === 'begun'
}
