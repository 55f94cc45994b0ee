/**
 * The known word that was probably meant: the one with the fewest letters to change, at most a third of it, rounded up.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: { readonly candidate: string; readonly changes: number } | undefined
  for (const candidate of known) {
    const changes = distance(word.toLowerCase(), candidate)
    if (changes < word.length && changes <= Math.ceil(candidate.length / 3) && changes < (best?.changes ?? Infinity)) {
      best = { candidate, changes }
    }
  }
  return best?.candidate
}

/** Levenshtein's distance: letters to change, add or take away. A far longer word is not measured. */
export function distance(from: string, to: string): number {
  if (from.length > to.length * 2) return Infinity
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (const [line, letter] of from.split('').entries()) {
    const next = [line + 1]
    for (const [column, other] of to.split('').entries()) {
      const replaced = (row[column] ?? 0) + Number(letter !== other)
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? Infinity
}
