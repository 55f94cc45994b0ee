import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { problem } from '../base/problem.ts'

export type Handle = (request: IncomingMessage, response: ServerResponse) => void

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
 * connection for ever; an answer may take as long as it needs.
 *
 * @throws {Problem} `gate.port_taken`
 */
export async function listen(
  handle: Handle,
  place: Place,
  { requestMs }: { readonly requestMs: number },
): Promise<Listener> {
  const server = createServer({
    requestTimeout: requestMs,
    headersTimeout: requestMs,
    connectionsCheckingInterval: 1000,
  })
  server.keepAliveTimeout = 75_000
  server.on('request', handle)
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (socket.writable)
      socket.end(`HTTP/1.1 ${CLIENT_ERRORS[error.code ?? ''] ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`)
    else socket.destroy()
  })
  await bind(server, place)
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: (graceMs) => close(server, graceMs),
  }
}

const CLIENT_ERRORS: Record<string, string> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
}

function bind(server: Server, place: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE' && 'port' in place
      reject(taken ? problem('gate.port_taken', { port: place.port, cause: error }) : error)
    })
    server.listen('socket' in place ? { path: place.socket } : place, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearTimeout(timer)
}
