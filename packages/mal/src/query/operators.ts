import type { Kind, ListEntry } from '../list/entry.ts'
import type { Field } from './fields.ts'

/** What a query is read against. */
export interface World {
  readonly kind: Kind
  /** In milliseconds. */
  readonly now: number
}

export type Condition = (entry: ListEntry) => boolean

export type Operator = ':' | '=' | '!=' | '<' | '<=' | '>' | '>=' | '~'

/** Which comparisons a field of each type takes. */
export const operators = {
  number: [':', '=', '!=', '<', '<=', '>', '>='],
  date: [':', '=', '!=', '<', '<=', '>', '>='],
  text: [':', '~', '=', '!='],
  words: [':', '=', '!=', '~'],
  flag: [':', '=', '!='],
} as const satisfies Record<Field['type'], readonly Operator[]>

/** Comparisons that take ranges, `none` and `any`. */
export function isEquality(operator: Operator): boolean {
  return operator === ':' || operator === '=' || operator === '!='
}
