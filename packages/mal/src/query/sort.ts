import type { ListEntry } from '../list/entry.ts'
import { momentOf } from './dates.ts'
import type { Field } from './fields.ts'
import { foldText } from './fold.ts'

export interface SortKey {
  readonly field: Field
  readonly descending: boolean
}

/** Sorts by one key after the other. What is not known comes last both ways; those that are alike stay as they were. */
export function sortBy(keys: readonly SortKey[], entries: readonly ListEntry[]): ListEntry[] {
  return entries
    .map((entry) => ({ entry, values: keys.map(({ field }) => valueOf(field, entry)) }))
    .sort((one, other) => {
      for (const [index, { descending }] of keys.entries()) {
        const result = compareValues(one.values[index], other.values[index], descending)
        if (result !== 0) return result
      }
      return 0
    })
    .map(({ entry }) => entry)
}

type Value = number | string | undefined

/** What a field sorts by: its first word where it has several, and its place where the words have an order. */
function valueOf(field: Field, entry: ListEntry): Value {
  switch (field.type) {
    case 'number':
      return field.read(entry)
    case 'date':
      return momentOf(field.read(entry) ?? '')
    case 'flag':
      return Number(field.read(entry))
    case 'text':
    case 'words': {
      const [first] = field.read(entry)
      const known = field.type === 'words' ? field.known?.[entry.work.kind] : undefined
      if (known !== undefined && first !== undefined) return Object.keys(known).indexOf(first)
      return first === undefined ? undefined : foldText(first)
    }
  }
}

function compareValues(one: Value, other: Value, descending: boolean): number {
  if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined)
  const result = one < other ? -1 : Number(one > other)
  return descending ? -result : result
}
