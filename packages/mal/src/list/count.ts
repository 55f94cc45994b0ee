/** A number with its word: `1 entry`, `2 entries`. */
export function countOf(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}

/** The usual thing to count on a list. */
export function entriesOf(count: number): string {
  return countOf(count, 'entry', 'entries')
}
