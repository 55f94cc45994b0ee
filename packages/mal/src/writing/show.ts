import { countOf } from '../list/count.ts'
import { blank, type Kind } from '../list/entry.ts'
import { oneLine } from '../list/one-line.ts'
import { changed, differencesOf } from './fields.ts'
import type { Item } from './item.ts'
import { countItems, type Operation } from './operation.ts'
import type { Draft } from './plan.ts'
import type { Ended, Undone } from './operations.ts'

/** Rows of a table that are shown; the rest is counted. */
const ROWS = 50

/** What is to become of one entry: `score 7 → 8, tags none → classic`. */
export function changeOf({ before, change }: Item): string {
  if (!change) return 'removed'
  const differences = differencesOf({ ...blank, comments: '', ...before }, changed(before, change))
  const told = differences.map(({ label, from, to }) => `${label} ${valueOf(from)} → ${valueOf(to)}`)
  // What they are is not told by lists, and read when the plan is carried out.
  const isUnseen = before !== undefined && before.comments === undefined && change.comments !== undefined
  const text = [...told, ...(isUnseen ? [`comments → ${valueOf(change.comments ?? '')}`] : [])].join(', ')
  return before ? text : `added: ${text}`
}

/** Values are the user's own words or MyAnimeList's, and stay short: comments may be pages. */
function valueOf(value: string | number | boolean): string {
  const text = oneLine(String(value))
  if (text === '') return 'none'
  return text.length > 60 ? `"${text.slice(0, 60).toWellFormed()}…"` : text
}

/** The changes of a plan as a table, one line for each, and what is not in it. */
export function draftLines({ items, unchanged, refused, hints }: Draft): string[] {
  return [
    `${countOf(items.length, 'entry changes', 'entries change')}, ${unchanged} already as wanted, ${refused.length} left out`,
    ...firstOf(items.map((item) => `${nameOf(item)}: ${changeOf(item)}`)),
    ...summaryOf(items),
    ...firstOf(refused.map((one) => `left out: ${nameOf(one)}: ${oneLine(one.why)}`)),
    ...hints.slice(0, HINTS).map((hint) => `hint: ${oneLine(hint)}`),
    ...(hints.length > HINTS ? [`and ${hints.length - HINTS} more hints`] : []),
  ]
}

const HINTS = 5

/** For programs: the same, in the form of `draftShape`. */
export function showDraft({ items, unchanged, refused, hints }: Draft) {
  return {
    total: items.length,
    unchanged,
    changes: items.slice(0, ROWS).map((item) => ({ ...refOf(item), change: changeOf(item) })),
    left_out: refused.slice(0, ROWS).map((one) => ({ ...refOf(one), why: one.why })),
    left_out_total: refused.length,
    hints: hints.slice(0, HINTS),
  }
}

/** What became of an operation: what it did in numbers, and each item that was not done. */
export function endedLines({ operation, items, rolledBack }: Ended): string[] {
  const { done = 0, failed = 0, left = 0, waiting = 0, begun = 0 } = countItems(items)
  const open = waiting + begun
  return [
    `${operation.title}: ${done} of ${items.length} done, ${failed} failed, ${left} left alone, ${open} not yet`,
    ...(operation.stoppedBy === undefined ? [] : [`It stopped: ${oneLine(operation.stoppedBy)}`]),
    ...(open > 0 ? [`resume_operation ${operation.id} goes on with the ${open} that are left.`] : []),
    ...firstOf(troubles(items).map((item) => `${item.state}: ${nameOf(item)}: ${oneLine(item.why ?? '')}`)),
    ...(rolledBack ? ['Because something failed, what was done was taken back:', ...undoneLines(rolledBack)] : []),
    ...(done > 0 && !rolledBack ? [`mal_undo ${operation.id} takes back what was done.`] : []),
  ]
}

/** For programs, in the form of `endedShape`. */
export function showEnded({ operation, items, rolledBack }: Ended) {
  const { done = 0, failed = 0, left = 0, waiting = 0, begun = 0 } = countItems(items)
  return {
    operation_id: operation.id,
    state: operation.state,
    done,
    failed,
    left_alone: left,
    not_yet: waiting + begun,
    stopped_by: operation.stoppedBy,
    troubles: troubles(items)
      .slice(0, ROWS)
      .map((item) => ({ ...refOf(item), state: item.state, why: item.why ?? '' })),
    rolled_back_by: rolledBack?.outcome?.operation.id,
  }
}

export function undoneLines({ undone, draft, outcome }: Undone): string[] {
  const kept = firstOf(draft.refused.map((one) => `not undone: ${nameOf(one)}: ${oneLine(one.why)}`))
  if (!outcome?.items.length)
    return [`${undone.title}: nothing was undone`, ...draftLines({ ...draft, refused: [] }), ...kept]
  return [...endedLines(outcome), ...kept]
}

/** For programs, in short: what is shown in full is in the lines. */
export function showUndone({ undone, draft, outcome }: Undone) {
  const { done = 0, failed = 0, waiting = 0, begun = 0 } = countItems(outcome?.items ?? [])
  return {
    undone: undone.id,
    operation_id: outcome?.operation.id,
    done,
    failed,
    not_yet: waiting + begun,
    kept: draft.refused.slice(0, ROWS).map((one) => `${nameOf(one)}: ${one.why}`),
  }
}

export function showOperation({ id, title, state, madeAt, size, counts, undoneBy, undoes }: Operation) {
  return {
    id,
    title,
    state,
    made_at: new Date(madeAt).toISOString(),
    size,
    done: counts?.done,
    undone_by: undoneBy,
    undoes,
  }
}

/** One line for each operation. */
export function operationLine(operation: Operation): string {
  const { id, title, state, madeAt, size, counts, undoes, undoneBy } = operation
  const numbers = Object.entries(counts ?? {}).map(([name, count]) => `${count} ${name}`)
  const notes = [
    ...(undoneBy === undefined ? [] : [`undone by ${undoneBy}`]),
    ...(undoes === undefined ? [] : [`undid ${undoes}`]),
  ]
  const facts = [state, `${size} items`, ...(numbers.length > 0 ? [numbers.join(', ')] : []), ...notes]
  return `${id} ${new Date(madeAt).toISOString().slice(0, 16)} ${oneLine(title)} (${facts.join('; ')})`
}

function troubles(items: readonly Item[]): Item[] {
  return items.filter(({ state }) => state === 'failed' || state === 'left')
}

/** How often each change of a status or a score occurs, where the table is longer than what is shown of it. */
function summaryOf(items: readonly Item[]): string[] {
  if (items.length <= ROWS) return []
  const counts = new Map<string, number>()
  for (const item of items) counts.set(changeOf(item), (counts.get(changeOf(item)) ?? 0) + 1)
  const most = [...counts].toSorted(([, a], [, b]) => b - a).slice(0, HINTS)
  return [`in all: ${most.map(([change, count]) => `${count} times ${change}`).join('; ')}`]
}

function firstOf(lines: readonly string[]): string[] {
  return lines.length > ROWS ? [...lines.slice(0, ROWS), `and ${lines.length - ROWS} more`] : [...lines]
}

function nameOf({ kind, id, title }: { readonly kind: Kind; readonly id: number; readonly title: string }): string {
  return `${oneLine(title)} (${kind} ${id})`
}

function refOf({ kind, id, title }: { readonly kind: Kind; readonly id: number; readonly title: string }) {
  return { kind, id, title }
}
