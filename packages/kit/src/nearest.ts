/**
 * Finds the word that was probably meant: the one fewest slips of the finger away, at most a third of its
 * length, and not all of what was written. Case counts for nothing.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, slips: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.slips - b.slips)
  const best = ranked[0]
  const isNear = best && best.slips < word.length && best.slips <= Math.max(1, Math.floor(best.candidate.length / 3))
  return isNear ? best.candidate : undefined
}

/** The optimal string alignment distance (two letters exchanged are one slip). A far longer word is not measured. */
export function distance(from: string, to: string): number {
  if (from.length > 64) return Infinity
  const rows = [Array.from({ length: to.length + 1 }, (_, column) => column)]
  const cell = (row: number, column: number) => rows[row]?.[column] ?? Infinity
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    rows.push(current)
    for (let column = 1; column <= to.length; column++) {
      const other = from[row - 1] === to[column - 1] ? 0 : 1
      const exchanged = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      const edited = Math.min(cell(row - 1, column) + 1, cell(row, column - 1) + 1, cell(row - 1, column - 1) + other)
      current.push(exchanged ? Math.min(edited, cell(row - 2, column - 2) + 1) : edited)
    }
  }
  return cell(from.length, to.length)
}
