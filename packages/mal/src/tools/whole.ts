import { z } from 'zod'
import { kinds, type WholeList } from '../list/entry.ts'
import { warningOf } from './show.ts'

/** Which of the two lists. */
export const kindInput = z.enum(kinds).default('anime')

/** What every answer about a whole list says of it first. */
export const wholeShape = {
  kind: z.enum(kinds),
  total: z.int(),
  truncated: z.boolean(),
  warning: z.string().optional(),
}

/** In the form of `wholeShape`. */
export function showWhole(list: WholeList) {
  return { kind: list.kind, total: list.entries.length, truncated: list.truncated, warning: warningOf(list) }
}

/** The lines of an answer about a whole list, behind the warning if there is one. */
export function wholeLines(list: WholeList, lines: readonly string[]): string[] {
  const warning = warningOf(list)
  return warning === undefined ? [...lines] : [warning, ...lines]
}

/** A number with its sign, as a difference is read. */
export function signed(value: number): string {
  return value > 0 ? `+${value}` : String(value)
}

/** An optional figure: what is not known, and what there is nothing to compute from, is left out. */
export const figure = z.number().optional()

/** How two judges differ over one work. */
export const differences = z.array(
  z.object({ id: z.int(), title: z.string(), score: z.int(), other: z.number(), difference: z.number() }),
)
