import { addPiece } from '../../base/pieces.ts'

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

/** A reader as it stands. Its functions are shared by all of them, since one is made for every answer of events. */
interface State extends EventReader {
  readonly onData: TakeEvent
  readonly limit: number
  /** The line that has not ended yet. */
  rest: Buffer[]
  restSize: number
  /** The pieces of what has been read of the event that has not ended yet, and what it takes. */
  data: Buffer[]
  dataSize: number
  type: string
  id: string | undefined
  afterCr: boolean
  isFirst: boolean
  lastId: string | undefined
  retryMs: number | undefined
}

export function createEventReader(onData: TakeEvent, limit: number): EventReader {
  const reader: State = {
    onData,
    limit,
    rest: [],
    restSize: 0,
    data: [],
    dataSize: 0,
    type: '',
    id: undefined,
    afterCr: false,
    isFirst: true,
    // No accessors: the engine keeps their functions, and with them the request, until the next full collection.
    lastId: undefined,
    retryMs: undefined,
    push,
  }
  return reader
}

function push(this: State, chunk: Buffer): void {
  if (chunk.length === 0) return
  let from = this.afterCr && chunk[0] === LF ? 1 : 0
  let lf = chunk.indexOf(LF, from)
  this.afterCr = false
  for (;;) {
    // Looked for once, and not again for each CR before it.
    if (lf >= 0 && lf < from) lf = chunk.indexOf(LF, from)
    const end = lineEnd(chunk, from, lf)
    if (end < 0) return keep(this, chunk.subarray(from))
    readLine(this, takeLine(this, chunk.subarray(from, end)))
    from = end + 1
    if (chunk[end] !== CR) continue
    if (from === chunk.length) this.afterCr = true
    else if (chunk[from] === LF) from++
  }
}

function keep(reader: State, tail: Buffer): void {
  if (tail.length === 0) return
  addPiece(reader.rest, tail)
  reader.restSize += tail.length
  if (reader.restSize + reader.dataSize > reader.limit) throw tooLarge()
}

function takeLine(reader: State, end: Buffer): Buffer {
  if (reader.rest.length === 0) return end
  const whole = Buffer.concat([...reader.rest, end])
  reader.rest = []
  reader.restSize = 0
  return whole
}

function readLine(reader: State, whole: Buffer): void {
  const text = reader.isFirst ? withoutMark(whole) : whole
  reader.isFirst = false
  if (text.length === 0) return dispatch(reader)
  const value = valueOf(text, DATA)
  if (value !== undefined) return keepData(reader, value)
  const first = text[0]
  if (first === SMALL_I) reader.id = readId(valueOf(text, ID), reader.id)
  else if (first === SMALL_R) reader.retryMs = readRetry(valueOf(text, RETRY)) ?? reader.retryMs
  else if (first === SMALL_E) reader.type = readType(valueOf(text, EVENT)) ?? reader.type
}

function keepData(reader: State, value: Buffer): void {
  if (reader.dataSize > 0) addPiece(reader.data, NEWLINE)
  reader.dataSize += value.length + LINE_COST
  if (reader.dataSize > reader.limit) throw tooLarge()
  addPiece(reader.data, value)
}

/** What it takes to read a line besides its bytes: an event of countless empty lines is large too. */
const LINE_COST = 100
const NEWLINE = Buffer.from('\n')

function dispatch(reader: State): void {
  const { data, type } = reader
  reader.lastId = reader.id
  reader.type = ''
  reader.dataSize = 0
  if (data.length === 0) return
  reader.data = []
  reader.onData(data.length === 1 && data[0] ? data[0] : Buffer.concat(data), type)
}

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
