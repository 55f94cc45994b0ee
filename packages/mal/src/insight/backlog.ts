import type { ListEntry } from '../list/entry.ts'
import { round } from './numbers.ts'
import { isPlanned } from './statistics.ts'
import { hoursLeft } from './time.ts'

/** What is taken first. */
export const orders = {
  mean: 'the community likes best',
  priority: 'the user gave the highest priority, then what the community likes best',
  shortest: 'takes the least time',
  oldest: 'has waited longest on the list',
} as const
export type BacklogOrder = keyof typeof orders

export interface BacklogRequest {
  /** All the hours there are. */
  readonly hours: number
  readonly hoursPerWeek: number
  readonly order: BacklogOrder
}

export interface BacklogPlan {
  readonly hours: number
  readonly hours_planned: number
  /** How many were there to choose from, and how many of them found no room. */
  readonly candidates: number
  readonly left_out: number
  /** Not considered: not out yet, or of unknown length. */
  readonly not_out: number
  readonly unknown_length: number
  readonly items: readonly PlannedItem[]
}

export interface PlannedItem {
  readonly id: number
  readonly title: string
  readonly status: string
  /** Episodes or chapters still to go. */
  readonly left: number | undefined
  readonly hours: number
  readonly community_mean: number | undefined
  readonly priority: number
  /** The weeks, from 1, in which it is begun and ended. */
  readonly from_week: number
  readonly to_week: number
}

/**
 * Fills the hours with what is planned or on hold, in the order asked for: whatever comes next and still fits whole is
 * taken. That leaves some hours empty now and then, which a search for the fullest plan would not; but every line of it
 * can be explained, and the best is never passed over for two that fill a gap better.
 */
export function planBacklog(
  entries: readonly ListEntry[],
  { hours, hoursPerWeek, order }: BacklogRequest,
): BacklogPlan {
  const waiting = entries.filter((entry) => isPlanned(entry) || entry.noted.status === 'on_hold')
  const out = waiting.filter(({ work }) => !work.state?.startsWith('not_yet_'))
  const measured = out.flatMap((entry) => {
    const needed = hoursLeft(entry)
    return needed === undefined ? [] : [{ entry, needed }]
  })
  const candidates = measured.filter(({ needed }) => needed > 0).sort(compareBy[order])

  let used = 0
  const items: PlannedItem[] = []
  for (const { entry, needed } of candidates) {
    if (used + needed > hours) continue
    items.push(itemOf(entry, { from: used, to: used + needed, hoursPerWeek }))
    used += needed
  }
  return {
    hours: round(hours),
    hours_planned: round(used),
    candidates: candidates.length,
    left_out: candidates.length - items.length,
    not_out: waiting.length - out.length,
    unknown_length: out.length - measured.length,
    items,
  }
}

interface Candidate {
  readonly entry: ListEntry
  readonly needed: number
}

/** What two have in common in everything named is settled by their ids, so that a plan comes out the same again. */
const compareBy: Readonly<Record<BacklogOrder, (one: Candidate, other: Candidate) => number>> = {
  mean: (one, other) => byMean(one, other) || byId(one, other),
  priority: (one, other) =>
    other.entry.noted.priority - one.entry.noted.priority || byMean(one, other) || byId(one, other),
  shortest: (one, other) => one.needed - other.needed || byMean(one, other) || byId(one, other),
  oldest: (one, other) => waitedSince(one) - waitedSince(other) || byId(one, other),
}

function byMean(one: Candidate, other: Candidate): number {
  return (other.entry.work.mean ?? 0) - (one.entry.work.mean ?? 0)
}

function byId(one: Candidate, other: Candidate): number {
  return one.entry.work.id - other.entry.work.id
}

/** MyAnimeList tells when an entry was last changed, not when it was put in. */
function waitedSince({ entry: { noted } }: Candidate): number {
  const since = Date.parse(noted.updatedAt ?? '')
  return Number.isNaN(since) ? Number.MAX_SAFE_INTEGER : since
}

function itemOf(
  { work, noted }: ListEntry,
  { from, to, hoursPerWeek }: { from: number; to: number; hoursPerWeek: number },
): PlannedItem {
  return {
    id: work.id,
    title: work.title,
    status: noted.status,
    left: work.units === undefined ? undefined : work.units - noted.progress,
    hours: round(to - from),
    community_mean: work.mean,
    priority: noted.priority,
    from_week: Math.floor(from / hoursPerWeek) + 1,
    to_week: Math.max(1, Math.ceil(to / hoursPerWeek)),
  }
}
