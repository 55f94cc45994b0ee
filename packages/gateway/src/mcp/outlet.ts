import type { ServerResponse } from 'node:http'
import { oneLine } from '../http/event-stream.ts'
import type { Answer } from '../upstreams/transport.ts'
import type { CallJournal } from './sessions/call-streams.ts'

/**
 * Up to here the bytes go out as a string, which Node writes together with the headers; a Buffer costs a
 * second write. As Latin-1 every byte stays what it is. (`bench/run.ts`)
 */
const ONE_WRITE_BYTES = 16 * 1024

/** A client that does not read gets no more than this piled up for it. */
const STALLED_BYTES = 4 * 1024 * 1024

/** Where the answer to one request is written. */
export interface Outlet {
  /** Passes on a notification; with the first one the response becomes an event stream. Answers `false` where the client reads nothing of what piles up for it. */
  notify(message: Buffer): boolean
  /** Sends the client a request; answers `false` where it cannot be reached this way. */
  ask(message: Buffer): boolean
  /** Writes the answer and ends; where it comes in pieces, the promise ends with the last of them. */
  answer(answer: Answer): Promise<void> | undefined
  /** Writes an answer of the gate's own and ends; the status counts unless a stream has begun. */
  end(message: string | Buffer, status?: number, headers?: readonly string[]): void
  /** Keeps proxies from giving up on a quiet connection. */
  keepAlive(): void
  /** The connection broke: calls back when nobody can come for the answer any more, which may be at once. */
  lost(giveUp: () => void): void
  /** From the first event on, each is kept there as well, so that a client that lost its connection can have the rest. */
  keepIn(begin: () => CallJournal): void
}

export interface OutletNeeds {
  readonly response: ServerResponse
  readonly requestId: string
  /** Whether the client takes event streams; one that does not gets the answer, and nothing before it. */
  readonly takesEvents: boolean
}

/** An outlet as it stands. Its functions are shared by all outlets, since one is made for every request. */
interface State extends OutletNeeds, Outlet {
  beginJournal: (() => CallJournal) | undefined
  journal: CallJournal | undefined
  /** Once the answer is under way, nothing may come between its bytes. */
  answering: boolean
}

/**
 * Writes to one HTTP response: plain JSON where the answer is all there is, an event stream once anything
 * comes before it. The bytes of a message are written as they are.
 *
 * @see MCP 2026-07-28, basic/transports/streamable-http#sending-messages-to-the-server
 */
export function createOutlet({ response, requestId, takesEvents }: OutletNeeds): Outlet {
  const outlet: State = {
    response,
    requestId,
    takesEvents,
    beginJournal: undefined,
    journal: undefined,
    answering: false,
    notify,
    ask,
    answer,
    end,
    keepAlive,
    lost,
    keepIn,
  }
  return outlet
}

function notify(this: State, message: Buffer): boolean {
  return !mayInterject(this) || interject(this, message)
}

function ask(this: State, message: Buffer): boolean {
  if (!mayInterject(this)) return false
  interject(this, message)
  return true
}

function answer(this: State, answered: Answer): Promise<void> | undefined {
  if (answered.kind === 'stream') {
    return this.journal ? collect(answered).then((bytes) => finish(this, bytes)) : pipe(this, answered)
  }
  this.end(answered.bytes, answered.status)
  return undefined
}

function end(this: State, message: string | Buffer, status = 200, headers: readonly string[] = NO_HEADERS): void {
  const { response } = this
  if (response.destroyed && !this.journal) return
  this.answering = true
  const bytes = typeof message === 'string' ? Buffer.from(message) : message
  if (response.headersSent) return finish(this, bytes)
  response.writeHead(status, [...headersOf(this, JSON_TYPE), 'Content-Length', String(bytes.length), ...headers])
  if (bytes.length > ONE_WRITE_BYTES) response.end(bytes)
  else response.end(bytes.toString('latin1'), 'latin1')
}

function keepAlive(this: State): void {
  if (!mayInterject(this) || this.response.destroyed) return
  begin(this)
  this.response.write(': still working\n\n')
}

function lost(this: State, giveUp: () => void): void {
  if (this.journal) this.journal.broke(giveUp)
  else giveUp()
}

function keepIn(this: State, beginJournal: () => CallJournal): void {
  this.beginJournal = beginJournal
}

/** Somebody whose events are kept is reached even when they are gone for a moment. */
function mayInterject({ response, takesEvents, answering, journal }: State): boolean {
  if (!takesEvents || answering) return false
  return journal !== undefined || (!response.destroyed && !response.writableEnded)
}

function begin(outlet: State): void {
  const { response } = outlet
  if (response.headersSent) return
  response.writeHead(200, [...headersOf(outlet, 'text/event-stream'), 'X-Accel-Buffering', 'no'])
  const journal = (outlet.journal = outlet.beginJournal?.())
  if (journal?.start !== undefined) response.write(`id: ${journal.start}\nretry: 1000\ndata: \n\n`)
}

function event({ response, journal }: State, message: Buffer): void {
  const id = journal?.keep(message)
  if (response.destroyed) return
  response.write(id === undefined ? 'event: message\ndata: ' : `id: ${id}\nevent: message\ndata: `)
  response.write(oneLine(message))
  response.write('\n\n')
}

function interject(outlet: State, message: Buffer): boolean {
  begin(outlet)
  event(outlet, message)
  return outlet.response.destroyed || outlet.response.writableLength <= STALLED_BYTES
}

function finish(outlet: State, bytes: Buffer): void {
  event(outlet, bytes)
  outlet.journal?.finish()
  outlet.response.end()
}

/** Ends when the last byte is handed on, or none will come. */
function pipe(outlet: State, { head, length, pipe: start }: Answer & { kind: 'stream' }): Promise<void> {
  const { response } = outlet
  outlet.answering = true
  const events = response.headersSent
  if (!events) response.writeHead(200, [...headersOf(outlet, JSON_TYPE), ...lengthOf(length)])
  if (events) response.write('event: message\ndata: ')
  response.write(events ? oneLine(head) : head)
  return new Promise((resolve) => {
    start({
      write(chunk, resume) {
        const flowing = response.write(events ? oneLine(chunk) : chunk)
        if (!flowing) response.once('drain', resume)
        return flowing
      },
      end() {
        response.end(events ? '\n\n' : undefined)
        resolve()
      },
      fail() {
        response.destroy()
        resolve()
      },
    })
  })
}

const JSON_TYPE = 'application/json'
const NO_HEADERS: readonly string[] = []

/** With a length known beforehand, nothing has to be written around the pieces. */
function lengthOf(length: number | undefined): readonly string[] {
  return length === undefined ? NO_HEADERS : ['Content-Length', String(length)]
}

function headersOf({ requestId }: State, type: string): string[] {
  return [
    'X-Request-Id',
    requestId,
    'X-Content-Type-Options',
    'nosniff',
    'Cache-Control',
    'no-store',
    'Content-Type',
    type,
  ]
}

/** The whole of an answer that comes in pieces. */
export function collect({ head, pipe }: Answer & { kind: 'stream' }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks = [head]
    pipe({ write: (chunk) => chunks.push(chunk) > 0, end: () => resolve(Buffer.concat(chunks)), fail: reject })
  })
}
