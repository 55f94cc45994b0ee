/**
 * Reads `text/event-stream`: bytes go in as they come, the data of each event comes out whole.
 *
 * @see {@link https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream HTML, §9.2.5}
 */
export interface EventReader {
  /** @throws {RangeError} where one event is larger than the limit. */
  push(chunk: Buffer): void
}

const LF = 0x0a
const CR = 0x0d

export function createEventReader(onData: (data: Buffer) => void, limit: number): EventReader {
  let rest: Buffer[] = []
  let restSize = 0
  let data: Buffer[] = []
  let dataSize = 0
  let afterCr = false

  function line(text: Buffer): void {
    if (text.length === 0) return dispatch()
    if (!isData(text)) return
    const value = text.subarray(text[5] === 0x20 ? 6 : 5)
    dataSize += value.length + LINE_COST
    if (dataSize > limit) throw tooLarge()
    data.push(value)
  }

  function dispatch(): void {
    if (data.length === 0) return
    const whole = data.length === 1 && data[0] ? data[0] : joinLines(data)
    data = []
    dataSize = 0
    if (whole.length > 0) onData(whole)
  }

  function keep(tail: Buffer): void {
    if (tail.length === 0) return
    rest.push(tail)
    restSize += tail.length
    if (restSize + dataSize > limit) throw tooLarge()
  }

  function takeLine(end: Buffer): Buffer {
    if (rest.length === 0) return end
    const whole = Buffer.concat([...rest, end])
    rest = []
    restSize = 0
    return whole
  }

  return {
    push(chunk) {
      let from = afterCr && chunk[0] === LF ? 1 : 0
      let lf = chunk.indexOf(LF, from)
      afterCr = false
      for (;;) {
        // Looked for once, and not again for each CR before it.
        if (lf >= 0 && lf < from) lf = chunk.indexOf(LF, from)
        const end = lineEnd(chunk, from, lf)
        if (end < 0) return keep(chunk.subarray(from))
        line(takeLine(chunk.subarray(from, end)))
        from = end + 1
        if (chunk[end] !== CR) continue
        if (from === chunk.length) afterCr = true
        else if (chunk[from] === LF) from++
      }
    },
  }
}

/** What it takes to keep a line besides its bytes: an event of countless empty lines is large too. */
const LINE_COST = 100

function tooLarge(): RangeError {
  return new RangeError('an event is too large')
}

/** A line ends with LF, CR, or both; `lf` is where the next LF is. */
function lineEnd(chunk: Buffer, from: number, lf: number): number {
  const cr = (lf < 0 ? chunk : chunk.subarray(0, lf)).indexOf(CR, from)
  return cr < 0 ? lf : cr
}

const FIELD = Buffer.from('data:')

/** `data: x` or `data:x`; a bare `data` line (an empty value) means nothing to JSON. */
function isData(text: Buffer): boolean {
  return text.length >= FIELD.length && text.compare(FIELD, 0, FIELD.length, 0, FIELD.length) === 0
}

function joinLines(lines: readonly Buffer[]): Buffer {
  const newline = Buffer.from('\n')
  return Buffer.concat(lines.flatMap((part, index) => (index === 0 ? [part] : [newline, part])))
}
