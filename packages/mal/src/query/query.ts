import type { Kind, ListEntry } from '../list/entry.ts'
import { parseClauses } from './parse.ts'
import { sortBy, type SortKey } from './sort.ts'

/** A question to a list: which entries, and in which order. */
export interface Query {
  readonly kind: Kind
  /** As it was written. */
  readonly text: string
  readonly holds: (entry: ListEntry) => boolean
  /** Empty where the text names no order. */
  readonly sort: readonly SortKey[]
}

/**
 * Reads a query such as `status:completed score>=8 -genre:comedy year:2010..2019 sort:score desc,title`. An empty one
 * holds for everything.
 *
 * @param now What relative dates (`updated<30d`) count from, in milliseconds.
 * @throws {MalProblem} `bad_query`, naming the place, what stands there and what was expected.
 */
export function parseQuery(text: string, { kind, now }: { readonly kind: Kind; readonly now: number }): Query {
  return { kind, text, ...parseClauses(text, { kind, now }) }
}

export function matches(query: Query, entry: ListEntry): boolean {
  return query.holds(entry)
}

/**
 * The entries in the query's order, in a list of their own. What is not known comes last, whichever way it is sorted;
 * entries that are alike stay as they were.
 */
export function order(query: Query, entries: readonly ListEntry[]): ListEntry[] {
  return sortBy(query.sort, entries)
}
