import { problem, Problem } from '../../base/problem.ts'
import { readMessage, type RequestId, type RpcMessage, type RpcRequest } from '../../base/json-rpc.ts'
import { skipSpace, splice } from '../../base/json-spans.ts'
import { addPiece } from '../../base/pieces.ts'
import { readInbound } from '../answers.ts'
import { scopesWanted } from '../../providers/challenge.ts'
import type { Sink } from '../transport.ts'
import { createEventReader, type EventReader } from './event-stream.ts'

/** An answer up to this size is read and checked whole; a larger one is passed on as it comes. */
const HOLD_BYTES = 64 * 1024

/** A connection that data comes over. */
export interface Connection {
  pause(): void
  resume(): void
  abort(reason: Error): void
}

/**
 * The reply to one request, as far as it has been read. A record and functions in place of an object with
 * methods: one is made for every call, and each method would be made with it (`bench/run.ts`).
 */
export interface Reading {
  readonly server: string
  /** The id the request went out with. */
  readonly id: RequestId
  readonly answerBytes: number
  /** Whether a large answer may be passed on unread. */
  readonly mayStream: boolean
  /** Whether a stream that ends before the answer may be gone on with. */
  readonly resumes?: boolean
  notify(message: Buffer, method: string): void
  /** Takes a request of the server's own, in mid-call; absent where there must be none. */
  readonly ask: ((question: RpcRequest) => void) | undefined
  /** Takes the answer; what the HTTP status was helps to judge one that is not ours. */
  resolve(reply: Reply): void
  reject(reason: Problem): void
  /** Where it comes from, where that can be held back or given up. */
  connection: Connection | undefined
  state: State
  size: number
  sessionId: string | undefined
  /** Runs while a reply goes on after what was wanted of it. */
  lingering: NodeJS.Timeout | undefined
}

export type Reply =
  | {
      readonly kind: 'whole'
      readonly bytes: Buffer
      readonly status: number
      /** Whether it is a JSON-RPC error. */
      readonly isError: boolean
      /** The session the server opened with it. */
      readonly sessionId: string | undefined
    }
  | { readonly kind: 'stream'; readonly head: Buffer; readonly length?: number | undefined; pipe(sink: Sink): void }
  /** A stream that ended before the answer, which is to be had after that event. */
  | { readonly kind: 'cut'; readonly lastId: string; readonly retryMs: number | undefined }
  /** A refusal (4xx) that no JSON-RPC response to this very request came with; `bytes` is an error without an id. */
  | { readonly kind: 'status'; readonly status: number; readonly bytes?: Buffer }

/** What the headers of an HTTP response say of its body. */
export interface ReplyHead {
  readonly contentType: string | undefined
  readonly contentEncoding?: string | undefined
  readonly contentLength?: string | undefined
  readonly sessionId?: string | undefined
  /** `WWW-Authenticate`. */
  readonly challenge?: string | undefined
}

type State =
  | { readonly kind: 'json'; readonly chunks: Buffer[]; readonly status: number; readonly length: number | undefined }
  | { readonly kind: 'events'; readonly reader: EventReader }
  | { readonly kind: 'piped'; sink: Sink | undefined; failure?: unknown }
  | { readonly kind: 'done' }

/** Before the headers, and after all that is wanted of it. */
export const DONE: State = { kind: 'done' }

/**
 * Takes the status and headers of the reply, and judges by them: what cannot be MCP becomes
 * `upstream.bad_answer` with the reason.
 */
export function readHead(reading: Reading, status: number, head: ReplyHead): void {
  const { server, answerBytes } = reading
  const { contentType = '', contentEncoding = 'identity', contentLength = '0' } = head
  const refusal = refusalOf(status, server, head.challenge)
  if (refusal) return giveUp(reading, refusal)
  // None was asked for, and a small one may unpack to more than any limit.
  if (contentEncoding !== 'identity') return giveUp(reading, badAnswer(server, 'compressed, which was not asked for'))
  if (Number(contentLength) > answerBytes) return giveUp(reading, tooLarge(reading))
  reading.sessionId = head.sessionId
  if (status === 200 && contentType.startsWith('text/event-stream')) {
    reading.state = { kind: 'events', reader: createEventReader((data) => readEvent(reading, data), answerBytes) }
  } else if (contentType.startsWith('application/json')) {
    const length = head.contentLength === undefined ? undefined : Number(contentLength)
    reading.state = { kind: 'json', chunks: [], status, length }
  } else if (status >= 400 && status < 500) {
    reading.resolve({ kind: 'status', status })
    linger(reading)
  } else giveUp(reading, badAnswer(server, status === 200 ? describeType(contentType) : `HTTP ${status}`))
}

/** Takes the next bytes of the body. */
export function readData(reading: Reading, chunk: Buffer): void {
  const { state, server } = reading
  if (state.kind === 'done') return
  reading.size += chunk.length
  if (reading.size > reading.answerBytes) {
    if (state.kind === 'piped') failPiped(state, tooLarge(reading))
    return giveUp(reading, tooLarge(reading))
  }
  if (state.kind === 'json') return readJson(reading, state, chunk)
  if (state.kind === 'piped') {
    if (state.sink?.write(chunk, () => reading.connection?.resume()) === false) reading.connection?.pause()
    return
  }
  try {
    state.reader.push(chunk)
  } catch (cause) {
    giveUp(reading, cause instanceof RangeError ? tooLarge(reading) : asBadAnswer(cause, server))
  }
}

/** The body has ended. */
export function readEnd(reading: Reading): void {
  const { state, server, lingering } = reading
  reading.state = DONE
  clearTimeout(lingering)
  if (state.kind === 'piped') state.sink?.end()
  else if (state.kind === 'events') cutOff(reading, state.reader, died(server))
  else if (state.kind === 'json') settle(reading, joined(state.chunks), state.status)
}

/** The connection broke, before or within the reply. */
export function readFailure(reading: Reading, cause: unknown): void {
  const { state, server, lingering } = reading
  reading.state = DONE
  clearTimeout(lingering)
  const failure = isNotHttp(cause) ? badAnswer(server, 'not HTTP') : died(server, cause)
  if (state.kind === 'piped') failPiped(state, cause)
  else if (state.kind === 'events') cutOff(reading, state.reader, failure)
  else reading.reject(failure)
}

/** @see MCP 2025-11-25, basic/transports#resumability-and-redelivery */
function cutOff({ resumes, resolve, reject }: Reading, { lastId, retryMs }: EventReader, failure: Problem): void {
  if (resumes && lastId !== undefined) resolve({ kind: 'cut', lastId, retryMs })
  else reject(failure)
}

/** The reply is of no use: the connection is not kept for the rest of it. */
function giveUp(reading: Reading, reason: Problem): void {
  reading.state = DONE
  reading.reject(reason)
  reading.connection?.abort(ABANDONED)
}

const ABANDONED = new Error('the rest of the reply is not needed')

function readEvent(reading: Reading, data: Buffer): void {
  if (reading.state.kind !== 'events') return
  const inbound = readInbound(data, reading.server)
  if (inbound.kind === 'notification') reading.notify(data, inbound.method)
  else if (inbound.kind === 'request') readQuestion(reading, data)
  else {
    reading.state = DONE
    const { bytes, isError } = checkId(data, reading)
    reading.resolve({ kind: 'whole', bytes, isError, status: 200, sessionId: reading.sessionId })
    linger(reading)
  }
}

/** The connection is kept where the rest, which nobody needs, ends soon. */
function linger(reading: Reading): void {
  reading.lingering = setTimeout(() => reading.connection?.abort(ABANDONED), LINGER_MS).unref()
}

/** Nobody could tell such a server the answer, and it would wait for it. */
function readQuestion({ server, ask }: Reading, data: Buffer): void {
  if (!ask) throw badAnswer(server, 'a request in mid-call, which its revision does not allow')
  let question: RpcMessage
  try {
    question = readMessage(data)
  } catch (cause) {
    throw badAnswer(server, 'a request that is not JSON-RPC', cause)
  }
  if (question.kind === 'request') ask(question)
}

function readJson(reading: Reading, held: State & { kind: 'json' }, chunk: Buffer): void {
  addPiece(held.chunks, chunk)
  if (reading.size <= HOLD_BYTES || !reading.mayStream || held.status !== 200) return
  const head = Buffer.concat(held.chunks)
  if (head[skipSpace(head, 0)] !== OPEN_BRACE) {
    return giveUp(reading, badAnswer(reading.server, 'not a JSON-RPC message'))
  }
  reading.connection?.pause()
  const piped: State & { kind: 'piped' } = { kind: 'piped', sink: undefined }
  reading.state = piped
  reading.resolve({
    kind: 'stream',
    head,
    length: held.length,
    pipe(sink) {
      if ('failure' in piped) return sink.fail(piped.failure)
      piped.sink = sink
      reading.connection?.resume()
    },
  })
}

function tooLarge({ server, answerBytes }: Reading): Problem {
  return problem('upstream.too_large', { server, limit: answerBytes })
}

const OPEN_BRACE = 0x7b

/** It may fail before anybody has asked for the rest. */
function failPiped(piped: State & { kind: 'piped' }, cause: unknown): void {
  piped.failure = cause
  piped.sink?.fail(cause)
}

/** How long a server may go on after what was wanted of it, before the connection is given up. */
const LINGER_MS = 1000

/** A refusal must not reach the client as a refusal of its own key. */
function refusalOf(status: number, server: string, challenge: string | undefined): Problem | undefined {
  if (status === 401 || status === 403)
    return problem('upstream.refused', { server, upstreamStatus: status, scopes: scopesWanted(status, challenge) })
  if (status === 429 || status === 503) return problem('upstream.busy', { server, upstreamStatus: status })
  return undefined
}

function settle(reading: Reading, bytes: Buffer, status: number): void {
  const { server, sessionId } = reading
  if (bytes.length === 0) return reading.reject(badAnswer(server, `HTTP ${status} with no content`))
  const refused = status >= 400 && status < 500
  try {
    const { bytes: own, isError } = checkId(bytes, reading)
    if (refused && own !== bytes) reading.resolve({ kind: 'status', status, bytes: own })
    else reading.resolve({ kind: 'whole', bytes: own, isError, status, sessionId })
  } catch (cause) {
    if (refused) reading.resolve({ kind: 'status', status })
    else reading.reject(asBadAnswer(cause, server))
  }
}

/** Most answers come in one piece, which is not copied. */
function joined(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks
  return chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks)
}

/**
 * An error may come without an id, where the server gave up before it had read ours: it answers this
 * request all the same, since nothing else was sent in it.
 */
function checkId(bytes: Buffer, { server, id }: Reading): { readonly bytes: Buffer; readonly isError: boolean } {
  const inbound = readInbound(bytes, server)
  if (inbound.kind !== 'response') throw badAnswer(server, 'a request in place of an answer')
  const { isError, idSpan } = inbound
  if (inbound.id === id) return { bytes, isError }
  if (inbound.id === null) return { bytes: splice(bytes, [{ ...idSpan, by: JSON.stringify(id) }]), isError }
  throw badAnswer(server, 'an answer to another request')
}

function asBadAnswer(cause: unknown, server: string): Problem {
  return cause instanceof Problem ? cause : badAnswer(server, 'not a JSON-RPC message', cause)
}

function badAnswer(server: string, reason: string, cause?: unknown): Problem {
  return problem('upstream.bad_answer', { server, reason, cause })
}

function died(server: string, cause?: unknown): Problem {
  return problem('upstream.died', { server, cause })
}

/** What undici's parser could make nothing of; its error holds the bytes, which nobody shall log. */
function isNotHttp(cause: unknown): boolean {
  return cause instanceof Error && (cause.name === 'HTTPParserError' || cause.name === 'HeadersOverflowError')
}

function describeType(contentType: string): string {
  const type = /^[\w.+-]+\/[\w.+-]+/.exec(contentType)?.[0]
  return type === undefined ? 'no content type' : `content type ${type.slice(0, 60)}`
}
