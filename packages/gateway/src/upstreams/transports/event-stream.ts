/**
 * Reads `text/event-stream`: bytes go in as they come, the data of each event comes out whole.
 *
 * @see {@link https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream HTML, §9.2.5}
 */
export interface EventReader {
  /** @throws {RangeError} where one event is larger than the limit. */
  push(chunk: Buffer): void
  /** The id of the last event that was complete, with data or without, where it has one that a header can carry. */
  readonly lastId: string | undefined
  /** How long the server wants nobody to come back after the stream has ended, where it said so. */
  readonly retryMs: number | undefined
}

/** Takes the data of one event; its type is empty where it is the usual one. */
export type TakeEvent = (data: Buffer, type: string) => void

const LF = 0x0a
const CR = 0x0d

export function createEventReader(onData: TakeEvent, limit: number): EventReader {
  let rest: Buffer[] = []
  let restSize = 0
  let data: Buffer[] = []
  let dataSize = 0
  let type = ''
  let afterCr = false
  let isFirst = true
  let id: string | undefined
  let lastId: string | undefined
  let retryMs: number | undefined

  function line(whole: Buffer): void {
    const text = isFirst ? withoutMark(whole) : whole
    isFirst = false
    if (text.length === 0) return dispatch()
    const value = valueOf(text, DATA)
    if (value !== undefined) return keepData(value)
    const first = text[0]
    if (first === SMALL_I) id = readId(valueOf(text, ID), id)
    else if (first === SMALL_R) retryMs = readRetry(valueOf(text, RETRY)) ?? retryMs
    else if (first === SMALL_E) type = readType(valueOf(text, EVENT)) ?? type
  }

  function keepData(value: Buffer): void {
    dataSize += value.length + LINE_COST
    if (dataSize > limit) throw tooLarge()
    data.push(value)
  }

  function dispatch(): void {
    lastId = id
    const given = type
    type = ''
    if (data.length === 0) return
    const whole = data.length === 1 && data[0] ? data[0] : joinLines(data)
    data = []
    dataSize = 0
    if (whole.length > 0) onData(whole, given)
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
      if (chunk.length === 0) return
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
    get lastId() {
      return lastId
    },
    get retryMs() {
      return retryMs
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

/** @see HTML §9.2.5: a stream may begin with one byte order mark */
function withoutMark(text: Buffer): Buffer {
  return text.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? text.subarray(BYTE_ORDER_MARK.length) : text
}

const BYTE_ORDER_MARK = Buffer.from('\ufeff')

const SMALL_I = 0x69
const SMALL_R = 0x72
const SMALL_E = 0x65
const SPACE = 0x20

const DATA = Buffer.from('data:')
const ID = Buffer.from('id:')
const RETRY = Buffer.from('retry:')
const EVENT = Buffer.from('event:')

/**
 * The value of a line, where it is of that field: `data: x` or `data:x`. A bare `data` line (an empty value) means
 * nothing to JSON.
 */
function valueOf(text: Buffer, field: Buffer): Buffer | undefined {
  const { length } = field
  if (text.length < length || text.compare(field, 0, length, 0, length) !== 0) return undefined
  return text.subarray(text[length] === SPACE ? length + 1 : length)
}

/** An id that no header can carry is none: nobody could say that they go on after it. */
const ID_IN_HEADER = /^[\x21-\x7e](?:[\x20-\x7e]{0,1022}[\x21-\x7e])?$/

function readId(value: Buffer | undefined, before: string | undefined): string | undefined {
  if (value === undefined) return before
  const text = value.toString('latin1')
  return ID_IN_HEADER.test(text) ? text : undefined
}

function readRetry(value: Buffer | undefined): number | undefined {
  const text = value?.toString('latin1', 0, 16) ?? ''
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

/** @see HTML §9.2.6: an event without a type is a `message` */
function readType(value: Buffer | undefined): string | undefined {
  const text = value?.toString('latin1', 0, 64)
  return text === 'message' ? '' : text
}

function joinLines(lines: readonly Buffer[]): Buffer {
  const newline = Buffer.from('\n')
  return Buffer.concat(lines.flatMap((part, index) => (index === 0 ? [part] : [newline, part])))
}
