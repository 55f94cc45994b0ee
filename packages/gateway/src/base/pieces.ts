/** From this size on a piece is kept as it is. */
const LARGE = 4_096

/**
 * Adds to the pieces of what has not come in full. Small ones are put together with those before them: each costs a
 * hundred bytes besides its own, and keeps the whole chunk that it was cut from. Each byte is copied a dozen times at
 * most, and hardly any of what comes in large pieces.
 */
export function addPiece(pieces: Buffer[], piece: Buffer): void {
  let { length } = piece
  let first = pieces.length
  for (let last = pieces[first - 1]; last && last.length <= length && length < LARGE; last = pieces[first - 1]) {
    length += last.length
    first--
  }
  // With one copy, however many they are.
  if (first < pieces.length) pieces.push(Buffer.concat([...pieces.splice(first), piece], length))
  else if (length > 0) pieces.push(piece)
}
