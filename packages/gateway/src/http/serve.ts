import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { problem, type Problem } from '../base/problem.ts'
import { inWords } from '../base/system-words.ts'

export type Handle = (request: IncomingMessage, response: ServerResponse) => void
/** Answers a connection whose bytes never became a whole request. */
export type Refuse = (error: NodeJS.ErrnoException, socket: Duplex) => void

export interface ListenSettings {
  /** How long a request may take to arrive whole. */
  readonly requestMs: number
  /** How long its headers alone may take; as long as all of it without this. */
  readonly headersMs?: number
  /** How long its first line and headers may be together, in bytes. */
  readonly headerBytes?: number
  /** Sees to it that there are not too many connections. */
  readonly limitConnections?: (server: Server) => void
  /** How long a client may take nothing of what is written to it. */
  readonly stalledMs?: number
  /** Without it such a connection is closed without a word. */
  readonly refuse?: Refuse
  /** Told of what fails while it listens, such as a connection that could not be taken. */
  readonly onError?: (error: Error) => void
}

/** Longer than the silence between two signs of life of a call that takes its time. */
const STALLED_MS = 60_000

/** Where to listen: an address on the network, or a Unix socket. */
export type Place = { readonly host: string; readonly port: number } | { readonly socket: string }

export interface Listener {
  /** The port that was given, where `port: 0` asked for any. */
  readonly port: number
  /** Takes no more connections, and waits at most `graceMs` for the answers under way. */
  close(graceMs: number): Promise<void>
}

/**
 * Listens. A request has `requestMs` to arrive whole, so that a client which drips its bytes cannot hold a
 * connection for ever. An answer may take as long as it needs, and is given up where the client takes nothing.
 *
 * @throws {Problem} `gate.port_taken`, `gate.cannot_listen`
 */
export async function listen(handle: Handle, place: Place, settings: ListenSettings): Promise<Listener> {
  const { requestMs, headersMs = requestMs, stalledMs = STALLED_MS, refuse = hangUp, onError = ignore } = settings
  const server = createServer({
    requestTimeout: requestMs,
    headersTimeout: Math.min(headersMs, requestMs),
    connectionsCheckingInterval: 1000,
    ...(settings.headerBytes === undefined ? {} : { maxHeaderSize: settings.headerBytes }),
  })
  settings.limitConnections?.(server)
  server.keepAliveTimeout = 75_000
  const unused = keepUnused(server)
  // One listener for both: with a second one, Node copies the list of them for every request.
  server.on('request', (request, response) => {
    if (unused.size > 0) unused.delete(request.socket)
    // What follows a refusal on its connection may be what was hidden in it.
    if (!request.socket.writable) return
    if (isOddlyFramed(request)) refuse(new Error('an odd transfer coding'), request.socket)
    else handle(request, response)
  })
  server.timeout = stalledMs
  server.on('clientError', refuse)
  await bind(server, place)
  // An event that nobody listens for would end the process.
  server.on('error', onError)
  return {
    port: portOf(server),
    close: (graceMs) => close(server, unused, graceMs),
  }
}

/** Whoever stands in between may have read another length out of other codings. @see RFC 9112 §6.1 and §11.2 */
function isOddlyFramed({ headers }: IncomingMessage): boolean {
  const coding = headers['transfer-encoding']
  return coding !== undefined && coding.toLowerCase() !== 'chunked'
}

function hangUp(_error: Error, socket: Duplex): void {
  socket.destroy()
}

function ignore(): void {}

function bind(server: Server, place: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException) => reject('port' in place ? notListening(place, error) : error)
    server.once('error', refused)
    server.listen('socket' in place ? { path: place.socket } : place, () => {
      server.off('error', refused)
      resolve()
    })
  })
}

function notListening({ host, port }: { host: string; port: number }, cause: NodeJS.ErrnoException): Problem {
  if (cause.code === 'EADDRINUSE') return problem('gate.port_taken', { port, cause })
  return problem('gate.cannot_listen', { host, port, reason: inWords(cause), cause })
}

/** The connections on which nothing was asked yet: clients open some ahead, and Node does not call them idle. */
function keepUnused(server: Server): Set<Socket> {
  const unused = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  })
  return unused
}

/** How often connections are looked for whose last answer has been given. */
const CLOSING_MS = 50

async function close(server: Server, unused: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  for (const socket of unused) socket.destroy()
  const idle = setInterval(() => server.closeIdleConnections(), CLOSING_MS)
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearInterval(idle)
  clearTimeout(timer)
}

/** A port that nobody listens on at this moment. */
export async function findFreePort(host: string): Promise<number> {
  const probe = createServer()
  await bind(probe, { host, port: 0 })
  const port = portOf(probe)
  await new Promise((resolve) => probe.close(resolve))
  return port
}

/** None where it listens on a Unix socket. */
function portOf(server: Server): number {
  const address = server.address()
  return address === null || typeof address === 'string' ? 0 : address.port
}
