import { addPiece } from '../../base/pieces.ts'

const NEWLINE = 0x0a
const RETURN = 0x0d
const SPACE = 0x20

/** Cuts a stream of chunks into lines. */
export interface Lines {
  push(chunk: Buffer): void
  /** Goes on after `onLine` asked for a stop. */
  resume(): void
}

/**
 * Gives each line without its end, copying only those that lie across chunks. A carriage return within a
 * line becomes a space: in JSON it can only be white space, and in an event stream it would end a field.
 *
 * `onLine` answers `false` to be given no more until `resume`. A line longer than `limit` bytes is told once;
 * from then on everything is ignored.
 */
export function createLines(needs: { limit: number; onLine(line: Buffer): boolean; onTooLong(): void }): Lines {
  let parts: Buffer[] = []
  let held: Buffer[] = []
  let holding = false
  let length = 0
  let tooLong = false

  function keep(part: Buffer): void {
    addPiece(parts, part)
    length += part.length
    if (length <= needs.limit) return
    tooLong = true
    parts = []
    needs.onTooLong()
  }

  function finish(): boolean {
    const line = parts.length === 1 ? parts[0] : Buffer.concat(parts, length)
    parts = []
    length = 0
    return line === undefined || needs.onLine(withoutReturns(line))
  }

  function cut(chunk: Buffer): void {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0 && !tooLong; end = chunk.indexOf(NEWLINE, from)) {
      keep(chunk.subarray(from, end))
      from = end + 1
      if (tooLong || finish()) continue
      holding = true
      return void held.push(chunk.subarray(from))
    }
    if (!tooLong && from < chunk.length) keep(chunk.subarray(from))
  }

  return {
    push(chunk) {
      if (holding) held.push(chunk)
      else cut(chunk)
    },
    resume() {
      const waiting = held
      held = []
      holding = false
      for (const chunk of waiting) this.push(chunk)
    },
  }
}

function withoutReturns(line: Buffer): Buffer {
  const trimmed = line.at(-1) === RETURN ? line.subarray(0, -1) : line
  return trimmed.includes(RETURN) ? oneLine(trimmed) : trimmed
}

/**
 * Puts a JSON text on one line. Within valid JSON a raw line end can only stand between values, where a
 * space means the same.
 */
export function oneLine(json: Buffer): Buffer {
  if (!json.includes(NEWLINE) && !json.includes(RETURN)) return json
  const copy = Buffer.from(json)
  for (let index = 0; index < copy.length; index++) {
    if (copy[index] === NEWLINE || copy[index] === RETURN) copy[index] = SPACE
  }
  return copy
}
