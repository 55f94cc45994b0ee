import { problem, Problem } from '../../base/problem.ts'
import type { RequestId } from '../../base/json-rpc.ts'
import { skipSpace, splice } from '../../base/json-spans.ts'
import { readInbound } from '../answers.ts'
import type { Sink } from '../transport.ts'
import { createEventReader, type EventReader } from './event-stream.ts'

/** An answer up to this size is read and checked whole; a larger one is passed on as it comes. */
const HOLD_BYTES = 64 * 1024

/** A request whose HTTP response is awaited. */
export interface Pending {
  readonly server: string
  /** The id the request went out with. */
  readonly id: RequestId
  readonly answerBytes: number
  /** Whether a large answer may be passed on unread. */
  readonly mayStream: boolean
  notify(message: Buffer): void
  /** A request of the server's own, in mid-call. */
  ask(id: RequestId, method: string): void
  /** Takes the answer; what the HTTP status was helps to judge one that is not ours. */
  resolve(reply: Reply): void
  reject(reason: Problem): void
  /** The connection: holds data back, lets it flow, ends it. */
  pause(): void
  resume(): void
  abort(): void
}

export type Reply =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'stream'; readonly head: Buffer; pipe(sink: Sink): void }
  /** A refusal (4xx) that no JSON-RPC response to this very request came with; `bytes` is an error without an id. */
  | { readonly kind: 'status'; readonly status: number; readonly bytes?: Buffer }

/** What the headers of an HTTP response say of its body. */
export interface ReplyHead {
  readonly contentType: string | undefined
  readonly contentEncoding?: string | undefined
  readonly contentLength?: string | undefined
}

/** Takes an HTTP response piece by piece. */
export interface ReplyReader {
  start(status: number, head: ReplyHead): void
  data(chunk: Buffer): void
  end(): void
  fail(cause: unknown): void
}

type State =
  | { readonly kind: 'json'; readonly chunks: Buffer[]; readonly status: number }
  | { readonly kind: 'events'; readonly reader: EventReader }
  | { readonly kind: 'piped'; sink: Sink | undefined; failure?: unknown }
  | { readonly kind: 'done' }

const DONE: State = { kind: 'done' }

/**
 * Reads the response to one request, in whichever of the two forms Streamable HTTP allows it, and judges
 * it: what is not MCP becomes `upstream.bad_answer` with the reason.
 */
export function createReplyReader(pending: Pending): ReplyReader {
  const { server } = pending
  let state: State = DONE
  let size = 0

  function fail(reason: Problem): void {
    state = DONE
    pending.reject(reason)
    pending.abort()
  }

  function onEvent(data: Buffer): void {
    if (state.kind !== 'events') return
    const inbound = readInbound(data, server)
    if (inbound.kind === 'notification') pending.notify(data)
    else if (inbound.kind === 'request') pending.ask(inbound.id, inbound.method)
    else {
      state = DONE
      pending.resolve({ kind: 'whole', bytes: checkId(data, pending) })
      setTimeout(() => pending.abort(), LINGER_MS).unref()
    }
  }

  function onJson(held: State & { kind: 'json' }, chunk: Buffer): void {
    held.chunks.push(chunk)
    if (size <= HOLD_BYTES || !pending.mayStream || held.status !== 200) return
    const head = Buffer.concat(held.chunks)
    if (head[skipSpace(head, 0)] !== OPEN_BRACE) return fail(badAnswer(server, 'not a JSON-RPC message'))
    pending.pause()
    const piped: State & { kind: 'piped' } = { kind: 'piped', sink: undefined }
    state = piped
    pending.resolve({
      kind: 'stream',
      head,
      pipe(sink) {
        if ('failure' in piped) return sink.fail(piped.failure)
        piped.sink = sink
        pending.resume()
      },
    })
  }

  return {
    start(status, { contentType = '', contentEncoding = 'identity', contentLength = '0' }) {
      const refusal = refusalOf(status, server)
      if (refusal) return fail(refusal)
      // None was asked for, and a small one may unpack to more than any limit.
      if (contentEncoding !== 'identity') return fail(badAnswer(server, 'compressed, which was not asked for'))
      if (Number(contentLength) > pending.answerBytes) return fail(tooLargeProblem())
      if (status === 200 && contentType.startsWith('text/event-stream')) {
        state = { kind: 'events', reader: createEventReader(onEvent, pending.answerBytes) }
      } else if (contentType.startsWith('application/json')) state = { kind: 'json', chunks: [], status }
      else if (status >= 400 && status < 500) {
        state = DONE
        pending.resolve({ kind: 'status', status })
      } else fail(badAnswer(server, status === 200 ? describeType(contentType) : `HTTP ${status}`))
    },
    data(chunk) {
      if (state.kind === 'done') return
      size += chunk.length
      if (size > pending.answerBytes) return tooLarge(state)
      if (state.kind === 'json') return onJson(state, chunk)
      if (state.kind === 'piped') {
        if (state.sink?.write(chunk, pending.resume) === false) pending.pause()
        return
      }
      try {
        state.reader.push(chunk)
      } catch (cause) {
        fail(cause instanceof RangeError ? tooLargeProblem() : asBadAnswer(cause, server))
      }
    },
    end() {
      const ended = state
      state = DONE
      if (ended.kind === 'piped') ended.sink?.end()
      else if (ended.kind === 'events') pending.reject(died(server))
      else if (ended.kind === 'json') settle(joined(ended.chunks), ended.status, pending)
    },
    fail(cause) {
      const failed = state
      state = DONE
      if (failed.kind === 'piped') failPiped(failed, cause)
      else pending.reject(isNotHttp(cause) ? badAnswer(server, 'not HTTP') : died(server, cause))
    },
  }

  function tooLarge(was: State): void {
    if (was.kind === 'piped') failPiped(was, tooLargeProblem())
    fail(tooLargeProblem())
  }

  function tooLargeProblem(): Problem {
    return problem('upstream.too_large', { server, limit: pending.answerBytes })
  }
}

const OPEN_BRACE = 0x7b

/** It may fail before anybody has asked for the rest. */
function failPiped(piped: State & { kind: 'piped' }, cause: unknown): void {
  piped.failure = cause
  piped.sink?.fail(cause)
}

/** How long a server may keep the stream open after its answer, before the connection is given up. */
const LINGER_MS = 1000

/** A refusal must not reach the client as a refusal of its own key. */
function refusalOf(status: number, server: string): Problem | undefined {
  if (status === 401 || status === 403) return problem('upstream.refused', { server, upstreamStatus: status })
  if (status === 429 || status === 503) return problem('upstream.busy', { server, upstreamStatus: status })
  return undefined
}

function settle(bytes: Buffer, status: number, pending: Pending): void {
  if (bytes.length === 0) return pending.reject(badAnswer(pending.server, `HTTP ${status} with no content`))
  const refused = status >= 400 && status < 500
  try {
    const own = checkId(bytes, pending)
    pending.resolve(refused && own !== bytes ? { kind: 'status', status, bytes: own } : { kind: 'whole', bytes: own })
  } catch (cause) {
    if (refused) pending.resolve({ kind: 'status', status })
    else pending.reject(asBadAnswer(cause, pending.server))
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
function checkId(bytes: Buffer, { server, id }: Pending): Buffer {
  const inbound = readInbound(bytes, server)
  if (inbound.kind !== 'response') throw badAnswer(server, 'a request in place of an answer')
  if (inbound.id === id) return bytes
  if (inbound.id === null) return splice(bytes, [{ ...inbound.idSpan, by: JSON.stringify(id) }])
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
