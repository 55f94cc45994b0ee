import type { Pool } from 'undici'
import type { RequestId, RpcRequest } from '../../base/json-rpc.ts'
import { asProblem, problem, type Problem } from '../../base/problem.ts'
import {
  DONE,
  readData,
  readEnd,
  readFailure,
  readHead,
  type Connection,
  type Reading,
  type Reply,
  type ReplyHead,
} from './reply.ts'
import type { StopSignal } from '../../base/stop.ts'

/** One request over HTTP whose answer is one JSON-RPC response: a POST, or a GET for the rest of its stream. */
export interface Post {
  readonly server: string
  readonly method?: 'POST' | 'GET'
  readonly path: string
  /** Names and values in turn. */
  readonly headers: string[]
  readonly body: Buffer | undefined
  /** The id of the JSON-RPC request. */
  readonly id: RequestId
  readonly signal: StopSignal
  readonly answerBytes: number
  readonly mayStream: boolean
  /** Whether a stream that ends before the answer may be gone on with. */
  readonly resumes: boolean
  notify(message: Buffer, method: string): void
  /** Takes a request of the server's own; absent where there must be none. */
  readonly ask: ((question: RpcRequest) => void) | undefined
  /** Told when the signal has ended it. */
  readonly stopped?: ((reason: Problem) => void) | undefined
}

/** A request under way, and what undici and its signal call. */
interface Posted extends Reading {
  readonly request: Post
  connection: Undici | undefined
  handleEvent(): void
  onConnect(abort: (reason?: Error) => void): void
  onHeaders(status: number, headers: readonly Buffer[], resume: () => void): boolean
  onData(chunk: Buffer): boolean
  onComplete(): void
  onError(cause: Error): void
}

/**
 * Sends one JSON-RPC request over HTTP and reads the reply. What undici calls is one record with the functions of all
 * of them, and takes the headers as they come: its newer handlers are wrapped in two more objects for each request, and
 * given a record of every header (`bench/run.ts`).
 *
 * @throws {Problem} `upstream.*`, or the signal's reason.
 */
export function post(pool: Pool, request: Post): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { signal, method = 'POST', path, headers, body = null } = request
    if (signal.aborted) return reject(asProblem(signal.reason))
    const posted: Posted = {
      request,
      server: request.server,
      id: request.id,
      answerBytes: request.answerBytes,
      mayStream: request.mayStream,
      resumes: request.resumes,
      notify: request.notify,
      ask: request.ask,
      resolve,
      reject,
      connection: undefined,
      state: DONE,
      size: 0,
      sessionId: undefined,
      lingering: undefined,
      handleEvent: stop,
      onConnect,
      onHeaders,
      onData,
      onComplete,
      onError,
    }
    signal.addEventListener('abort', posted, ONCE)
    pool.dispatch({ path, method, headers, body }, posted)
  })
}

const ONCE = { once: true } as const

function stop(this: Posted): void {
  const reason = asProblem(this.request.signal.reason)
  this.request.stopped?.(reason)
  this.reject(reason)
  this.connection?.abort(reason)
}

function onConnect(this: Posted, giveUp: (reason?: Error) => void): void {
  const { signal } = this.request
  this.connection = { giveUp, goOn: undefined, paused: false, pause, resume, abort }
  if (signal.aborted) giveUp(asProblem(signal.reason))
}

function onHeaders(this: Posted, status: number, headers: readonly Buffer[], goOn: () => void): boolean {
  const { connection } = this
  if (connection) connection.goOn = goOn
  // An interim response (RFC 9110 §15.2) says nothing of the answer.
  if (status >= 200) readHead(this, status, headOf(headers))
  return connection?.paused !== true
}

function onData(this: Posted, chunk: Buffer): boolean {
  readData(this, chunk)
  return this.connection?.paused !== true
}

function onComplete(this: Posted): void {
  this.request.signal.removeEventListener('abort', this)
  readEnd(this)
}

function onError(this: Posted, cause: Error): void {
  this.request.signal.removeEventListener('abort', this)
  // Without a connection nothing was sent; with one, the request may have run.
  if (this.connection) readFailure(this, cause)
  else this.reject(problem('upstream.unreachable', { server: this.server, cause }))
}

/** A response under way, which undici holds back for as long as its handler answers `false`. */
interface Undici extends Connection {
  readonly giveUp: (reason?: Error) => void
  goOn: (() => void) | undefined
  paused: boolean
}

function pause(this: Undici): void {
  this.paused = true
}

function resume(this: Undici): void {
  if (!this.paused) return
  this.paused = false
  this.goOn?.()
}

function abort(this: Undici, reason: Error): void {
  this.giveUp(reason)
}

/** Picks what matters from raw headers, names and values in turn: by the length first, since most are none of these. */
function headOf(raw: readonly Buffer[]): ReplyHead {
  const head: Writable<ReplyHead> = { contentType: undefined }
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index]
    const field = name && FIELD_LENGTHS.has(name.length) ? FIELDS.get(name.toString('latin1').toLowerCase()) : undefined
    if (field !== undefined) head[field] ??= raw[index + 1]?.toString('latin1')
  }
  return head
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

const FIELDS: ReadonlyMap<string, keyof ReplyHead> = new Map([
  ['content-type', 'contentType'],
  ['content-encoding', 'contentEncoding'],
  ['content-length', 'contentLength'],
  ['mcp-session-id', 'sessionId'],
  ['www-authenticate', 'challenge'],
])
const FIELD_LENGTHS: ReadonlySet<number> = new Set([...FIELDS.keys()].map(({ length }) => length))
