import { isUtf8 } from 'node:buffer'
import { problem } from './problem.ts'
import { eachMember, splice, type Span } from './json-spans.ts'

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

const TOP = ['id', 'params', 'jsonrpc', 'method']
const PARAMS = ['name', '_meta', 'uri', 'cursor']

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
  const [idSpan, paramsSpan] = spansOf(bytes, 0, TOP)
  const { id, method, params } = value
  if (params !== undefined && !isRecord(params)) throw problem('request.params', { reason: 'params is not an object' })
  const envelope = { bytes, ...paramsOf(bytes, paramsSpan, params) }
  if (method === undefined) return { ...envelope, kind: 'response', id: responseId(id, value) }
  if (typeof method !== 'string') throw invalid('method is not a string')
  if (id === undefined) return { ...envelope, kind: 'notification', method }
  if (!isRequestId(id) || idSpan === undefined) throw invalid('id is neither a string nor a whole number')
  return { ...envelope, kind: 'request', method, id, idSpan }
}

function parse(bytes: Buffer): Record<string, unknown> {
  let value: unknown
  if (!isUtf8(bytes)) throw problem('request.malformed', { reason: 'not UTF-8' })
  try {
    value = JSON.parse(bytes.toString())
  } catch (cause) {
    throw problem('request.malformed', { cause: new SyntaxError(cause instanceof Error ? cause.name : 'not JSON') })
  }
  if (Array.isArray(value)) throw invalid('batches are not accepted')
  if (!isRecord(value)) throw invalid('it is not an object')
  return value
}

function paramsOf(bytes: Buffer, span: Span | undefined, params: Record<string, unknown> | undefined) {
  if (span === undefined || params === undefined) return NO_PARAMS
  const [nameSpan, metaSpan] = spansOf(bytes, span.start, PARAMS)
  const meta = params['_meta']
  if (meta !== undefined && !isRecord(meta)) throw problem('request.params', { reason: '_meta is not an object' })
  return {
    params: span,
    paramsValue: params,
    name: text(params['name']),
    nameSpan,
    uri: text(params['uri']),
    cursor: text(params['cursor']),
    meta,
    metaSpan,
  }
}

const NO_PARAMS = {
  params: undefined,
  paramsValue: undefined,
  name: undefined,
  nameSpan: undefined,
  uri: undefined,
  cursor: undefined,
  meta: undefined,
  metaSpan: undefined,
}

/** Where the wanted members of an object lie, in the order they are wanted in. */
function spansOf(bytes: Buffer, at: number, wanted: readonly string[]): (Span | undefined)[] {
  const found: (Span | undefined)[] = [undefined, undefined, undefined, undefined]
  eachMember(bytes, at, (key, start, end) => {
    const index = wanted.indexOf(key)
    if (index < 0 && !wanted.includes(key.toLowerCase())) return
    if (index < 0 || found[index]) throw invalid(`${key.toLowerCase()} is there more than once, or in another spelling`)
    found[index] = { start, end }
  })
  return found
}

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
  const message = readMessage(splice(bytes, [{ ...params, by: `{${kept.join(',')}}` }]))
  if (message.kind !== 'request') throw new TypeError('a request lost its id')
  return message
}

/** Puts text in the place of one value; the places of all others move along. */
function edited(request: RpcRequest, at: Span, by: string): RpcRequest {
  const shift = Buffer.byteLength(by) - (at.end - at.start)
  const moved = ({ start, end }: Span) => ({
    start: start >= at.end ? start + shift : start,
    end: end >= at.end ? end + shift : end,
  })
  return {
    ...request,
    bytes: splice(request.bytes, [{ ...at, by }]),
    idSpan: moved(request.idSpan),
    nameSpan: request.nameSpan && moved(request.nameSpan),
    params: request.params && moved(request.params),
    metaSpan: request.metaSpan && moved(request.metaSpan),
  }
}

/** Writes a whole answer; the id and the result are JSON text already. */
export function resultMessage(idText: string, result: string | Buffer): Buffer {
  const head = `{"jsonrpc":"2.0","id":${idText},"result":`
  if (typeof result === 'string') return Buffer.from(`${head}${result}}`)
  return Buffer.concat([Buffer.from(head), result, CLOSE])
}

const CLOSE = Buffer.from('}')
