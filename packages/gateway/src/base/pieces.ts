/** From this size on a piece is kept as it is. */
const LARGE = 4_096

/**
 * Adds to the pieces of what has not come in full. Small ones are put together with those before them: each costs a
 * hundred bytes besides its own, and keeps the whole chunk that it was cut from. Each byte is copied a dozen times at
 * most, and hardly any of what comes in large pieces.
 */
export function addPiece(pieces: Buffer[], piece: Buffer): void {
  let whole = piece
  for (let last = pieces.at(-1); last && last.length <= whole.length && whole.length < LARGE; last = pieces.at(-1)) {
    pieces.pop()
    whole = Buffer.concat([last, whole])
  }
  if (whole.length > 0) pieces.push(whole)
}
