import { isUtf8 } from 'node:buffer'
import { problem } from './problem.ts'
import { eachMember, elements, skipSpace, skipValue, splice, walkMembers, type Edit, type Span } from './json-spans.ts'

/** @see {@link https://www.jsonrpc.org/specification#request_object JSON-RPC 2.0 §4} */
export type RequestId = string | number

/** What the gate reads of a message; everything else stays bytes. */
interface Envelope {
  readonly bytes: Buffer
  readonly params: Span | undefined
  /** `params.name`, where it is a string. */
  readonly name: string | undefined
  readonly nameSpan: Span | undefined
  readonly uri: string | undefined
  readonly cursor: string | undefined
  readonly metaSpan: Span | undefined
  /** `params._meta`, parsed. */
  readonly meta: Readonly<Record<string, unknown>> | undefined
  /** `params`, parsed. */
  readonly paramsValue: Readonly<Record<string, unknown>> | undefined
}

export interface RpcRequest extends Envelope {
  readonly kind: 'request'
  readonly method: string
  readonly id: RequestId
  readonly idSpan: Span
}
export interface RpcNotification extends Envelope {
  readonly kind: 'notification'
  readonly method: string
}
/** An answer to a request of the server's. */
export interface RpcResponse extends Envelope {
  readonly kind: 'response'
  readonly id: RequestId | null
}
export type RpcMessage = RpcRequest | RpcNotification | RpcResponse

/**
 * Reads one JSON-RPC message from its bytes: the whole is checked to be JSON, and the places of the
 * members that the gate may have to replace are found.
 *
 * A member that decides anything may stand only once and only in its exact spelling: servers differ in
 * which of two they believe, and some ignore case, so that what the gate allowed and what the server did
 * could otherwise differ.
 *
 * @throws {Problem} `request.malformed`, `request.invalid`
 * @see {@link https://www.rfc-editor.org/rfc/rfc8259#section-4 RFC 8259 §4} on names that are not unique
 */
export function readMessage(bytes: Buffer): RpcMessage {
  const value = parse(bytes)
  if (value['jsonrpc'] !== '2.0') throw invalid('jsonrpc is not "2.0"')
  const places = locate(bytes)
  const { id, method, params } = value
  if (params !== undefined && !isRecord(params)) throw problem('request.params', { reason: 'params is not an object' })
  if (method === undefined) return { kind: 'response', id: responseId(id, value), ...envelopeOf(bytes, places, params) }
  if (typeof method !== 'string') throw invalid('method is not a string')
  if (id === undefined) return { kind: 'notification', method, ...envelopeOf(bytes, places, params) }
  const idSpan = places.id
  if (!isRequestId(id) || idSpan === undefined) throw invalid('id is neither a string nor a whole number')
  return requestOf({ method, id, idSpan }, envelopeOf(bytes, places, params))
}

/** Written out, member by member: to spread what every call reads costs more than to find its places. */
function requestOf({ method, id, idSpan }: Pick<RpcRequest, 'method' | 'id' | 'idSpan'>, read: Envelope): RpcRequest {
  return {
    kind: 'request',
    method,
    id,
    idSpan,
    bytes: read.bytes,
    params: read.params,
    name: read.name,
    nameSpan: read.nameSpan,
    uri: read.uri,
    cursor: read.cursor,
    metaSpan: read.metaSpan,
    meta: read.meta,
    paramsValue: read.paramsValue,
  }
}

/** Whether the bytes are an array of messages, if they are messages at all. */
export function isBatch(bytes: Buffer): boolean {
  return bytes[skipSpace(bytes, 0)] === OPEN_BRACKET
}

const OPEN_BRACKET = 0x5b
const BATCH_MOST = 100

/**
 * Reads an array of messages.
 *
 * @throws {Problem} `request.malformed`, `request.invalid`, which one bad message makes of all of them
 * @see {@link https://www.jsonrpc.org/specification#batch JSON-RPC 2.0 §6}
 */
export function readBatch(bytes: Buffer): RpcMessage[] {
  if (!Array.isArray(parseJson(bytes))) throw invalid('it is neither an object nor an array')
  const places = elements(bytes, skipSpace(bytes, 0))
  if (places.length === 0) throw invalid('an empty array asks for nothing')
  if (places.length > BATCH_MOST) throw invalid(`more than ${BATCH_MOST} messages in one array`)
  return places.map(({ start, end }) => readMessage(bytes.subarray(start, end)))
}

function parse(bytes: Buffer): Record<string, unknown> {
  const value = parseJson(bytes)
  if (Array.isArray(value)) throw invalid('an array of messages is not a message')
  if (!isRecord(value)) throw invalid('it is not an object')
  return value
}

function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw problem('request.malformed', { reason: 'not UTF-8' })
  try {
    return JSON.parse(bytes.toString())
  } catch (cause) {
    throw problem('request.malformed', { cause: new SyntaxError(cause instanceof Error ? cause.name : 'not JSON') })
  }
}

function envelopeOf(bytes: Buffer, places: Places, paramsValue: Record<string, unknown> | undefined): Envelope {
  const meta = paramsValue?.['_meta']
  if (meta !== undefined && !isRecord(meta)) throw problem('request.params', { reason: '_meta is not an object' })
  return {
    bytes,
    params: places.params,
    name: text(paramsValue?.['name']),
    nameSpan: places.name,
    uri: text(paramsValue?.['uri']),
    cursor: text(paramsValue?.['cursor']),
    metaSpan: places._meta,
    meta,
    paramsValue,
  }
}

/** Where the members lie that the gate may have to replace. */
interface Places {
  id: Span | undefined
  params: Span | undefined
  name: Span | undefined
  _meta: Span | undefined
}

/** The members that decide anything, each with a bit that says it was there. */
type Deciding = ReadonlyMap<string, number>
const ID = 1
const PARAMS = 2
const NAME = 4
const META = 8
const top: Deciding = new Map(Object.entries({ id: ID, params: PARAMS, jsonrpc: 16, method: 32 }))
const inParams: Deciding = new Map(Object.entries({ name: NAME, _meta: META, uri: 64, cursor: 128 }))
/** No other spelling of any of them is longer than this. */
const LONGEST = 'jsonrpc'.length

/** In one walk: what stands in `params` is found on the way to its end. */
function locate(bytes: Buffer): Places {
  const places: Places = { id: undefined, params: undefined, name: undefined, _meta: undefined }
  let seen = 0

  function bitOf(key: string, deciding: Deciding): number | undefined {
    const bit = deciding.get(key)
    const isOdd = bit === undefined ? key.length <= LONGEST && deciding.has(key.toLowerCase()) : (seen & bit) !== 0
    if (isOdd) throw invalid(`${key.toLowerCase()} is there more than once, or in another spelling`)
    if (bit !== undefined) seen |= bit
    return bit
  }

  function readParam(key: string, start: number): number {
    const bit = bitOf(key, inParams)
    const end = skipValue(bytes, start)
    if (bit === NAME) places.name = { start, end }
    else if (bit === META) places._meta = { start, end }
    return end
  }

  walkMembers(bytes, 0, (key, start) => {
    const bit = bitOf(key, top)
    const isObject = bit === PARAMS && bytes[start] === OPEN_BRACE
    const end = isObject ? walkMembers(bytes, start, readParam) : skipValue(bytes, start)
    if (bit === ID) places.id = { start, end }
    else if (bit === PARAMS) places.params = { start, end }
    return end
  })
  return places
}

const OPEN_BRACE = 0x7b

function responseId(id: unknown, value: Record<string, unknown>): RequestId | null {
  if (!('result' in value) && !('error' in value)) throw invalid('it has neither method nor result nor error')
  if (id !== null && !isRequestId(id)) throw invalid('id is neither a string nor a whole number')
  return id
}

function isRequestId(value: unknown): value is RequestId {
  return typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value))
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function invalid(reason: string) {
  return problem('request.invalid', { reason })
}

/** The same request with another `params.name`; every other byte stays as it came. */
export function withName(request: RpcRequest, name: string): RpcRequest {
  const { nameSpan } = request
  if (nameSpan === undefined || request.name === name) return request
  return { ...edited(request, nameSpan, JSON.stringify(name)), name }
}

/** The same request with another id. */
export function withId(request: RpcRequest, id: RequestId): RpcRequest {
  return { ...edited(request, request.idSpan, JSON.stringify(id)), id }
}

/** The same request without some members of `params`; every other member keeps its bytes. */
export function withoutParams(request: RpcRequest, names: readonly string[]): RpcRequest {
  const { bytes, params } = request
  if (params === undefined) return request
  const kept: string[] = []
  eachMember(bytes, params.start, (key, start, end) => {
    if (!names.includes(key)) kept.push(`${JSON.stringify(key)}:${bytes.toString('utf8', start, end)}`)
  })
  return readRequest(splice(bytes, [{ ...params, by: `{${kept.join(',')}}` }]))
}

/** The same request with members of `params` set to these JSON texts; every other byte stays as it came. */
export function withParams(request: RpcRequest, members: Readonly<Record<string, string>>): RpcRequest {
  const { bytes, params, idSpan } = request
  const added = new Map(Object.entries(members))
  const edits: Edit[] = []
  let isEmpty = true
  const end =
    params &&
    eachMember(bytes, params.start, (key, start, to) => {
      isEmpty = false
      const by = Object.hasOwn(members, key) ? members[key] : undefined
      if (by === undefined) return
      edits.push({ start, end: to, by })
      added.delete(key)
    })
  const inside = [...added].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')
  if (end === undefined) edits.push({ start: idSpan.end, end: idSpan.end, by: `,"params":{${inside}}` })
  else if (inside !== '') edits.push({ start: end - 1, end: end - 1, by: isEmpty ? inside : `,${inside}` })
  return readRequest(splice(bytes, edits))
}

function readRequest(bytes: Buffer): RpcRequest {
  const message = readMessage(bytes)
  if (message.kind !== 'request') throw new TypeError('a request lost its id')
  return message
}

/** Puts text in the place of one value; the places of all others move along. */
function edited(request: RpcRequest, at: Span, by: string): RpcRequest {
  const shift = Buffer.byteLength(by) - (at.end - at.start)
  const { idSpan, nameSpan, params, metaSpan } = request
  return {
    ...request,
    bytes: splice(request.bytes, [{ start: at.start, end: at.end, by }]),
    idSpan: moved(idSpan, at, shift),
    nameSpan: nameSpan && moved(nameSpan, at, shift),
    params: params && moved(params, at, shift),
    metaSpan: metaSpan && moved(metaSpan, at, shift),
  }
}

/** Where something lies once a value before it, in it or after it is so much longer. */
function moved(span: Span, at: Span, shift: number): Span {
  const { start, end } = span
  if (end < at.end) return span
  return { start: start >= at.end ? start + shift : start, end: end + shift }
}

/** What a request is for: a resource, a task, or a tool or prompt. */
export function targetOf({ method, name, uri, paramsValue }: RpcRequest): string | undefined {
  if (method.startsWith('resources/')) return uri
  return method.startsWith('tasks/') ? text(paramsValue?.['taskId']) : name
}

/** Writes a whole answer; the id and the result are JSON text already. */
export function resultMessage(idText: string, result: string | Buffer): Buffer {
  const head = `{"jsonrpc":"2.0","id":${idText},"result":`
  if (typeof result === 'string') return Buffer.from(`${head}${result}}`)
  return Buffer.concat([Buffer.from(head), result, CLOSE])
}

const CLOSE = Buffer.from('}')
