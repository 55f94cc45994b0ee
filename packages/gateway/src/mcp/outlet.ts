import type { ServerResponse } from 'node:http'
import type { Answer } from '../upstreams/transport.ts'

/**
 * Up to here the bytes go out as a string, which Node writes together with the headers; a Buffer costs a
 * second write. As Latin-1 every byte stays what it is. (`bench/run.ts`)
 */
const ONE_WRITE_BYTES = 16 * 1024

/** A client that does not read gets no more than this piled up for it. */
const STALLED_BYTES = 4 * 1024 * 1024

/** Where the answer to one request is written. */
export interface Outlet {
  /** Passes on a notification; with the first one the response becomes an event stream. */
  notify(message: Buffer): void
  /** Writes the answer and ends; where it comes in pieces, the promise ends with the last of them. */
  answer(answer: Answer): Promise<void> | undefined
  /** Writes an answer of the gate's own and ends; the status counts unless a stream has begun. */
  end(message: string | Buffer, status?: number, headers?: readonly string[]): void
  /** Keeps proxies from giving up on a quiet connection. */
  keepAlive(): void
}

export interface OutletNeeds {
  readonly response: ServerResponse
  readonly requestId: string
  /** Whether the client takes event streams; one that does not gets the answer, and nothing before it. */
  readonly takesEvents: boolean
  /** Told when the client reads nothing of what piles up for it. */
  onStalled(): void
}

/**
 * Writes to one HTTP response: plain JSON where the answer is all there is, an event stream once anything
 * comes before it. The bytes of a message are written as they are.
 *
 * @see MCP 2026-07-28, basic/transports/streamable-http#sending-messages-to-the-server
 */
export function createOutlet({ response, requestId, takesEvents, onStalled }: OutletNeeds): Outlet {
  const common = ['X-Request-Id', requestId, 'X-Content-Type-Options', 'nosniff', 'Cache-Control', 'no-store']
  /** Once the answer is under way, nothing may come between its bytes. */
  let answering = false

  function mayInterject(): boolean {
    return takesEvents && !answering && !response.destroyed && !response.writableEnded
  }

  function begin(): void {
    if (response.headersSent) return
    response.writeHead(200, [...common, 'Content-Type', 'text/event-stream', 'X-Accel-Buffering', 'no'])
  }

  function event(message: Buffer): void {
    response.write('event: message\ndata: ')
    response.write(oneLine(message))
    response.write('\n\n')
  }

  function end(message: string | Buffer, status = 200, headers: readonly string[] = []): void {
    if (response.destroyed) return
    answering = true
    const bytes = typeof message === 'string' ? Buffer.from(message) : message
    if (response.headersSent) {
      event(bytes)
      response.end()
      return
    }
    response.writeHead(status, [...common, ...headers, ...JSON_TYPE, 'Content-Length', String(bytes.length)])
    if (bytes.length > ONE_WRITE_BYTES) response.end(bytes)
    else response.end(bytes.toString('latin1'), 'latin1')
  }

  /** Ends when the last byte is handed on, or none will come. */
  function pipe({ head, pipe: start }: Answer & { kind: 'stream' }): Promise<void> {
    answering = true
    const events = response.headersSent
    if (!events) response.writeHead(200, [...common, ...JSON_TYPE])
    response.write(events ? 'event: message\ndata: ' : '')
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

  return {
    notify(message) {
      if (!mayInterject()) return
      begin()
      event(message)
      if (response.writableLength > STALLED_BYTES) onStalled()
    },
    answer(answer) {
      if (answer.kind === 'stream') return pipe(answer)
      end(answer.bytes, answer.status)
      return undefined
    },
    end,
    keepAlive() {
      if (!mayInterject()) return
      begin()
      response.write(': still working\n\n')
    },
  }
}

const JSON_TYPE = ['Content-Type', 'application/json'] as const

/** A raw line break can only be white space in JSON, and would end the event's line. */
function oneLine(message: Buffer): Buffer {
  if (!message.includes(0x0a) && !message.includes(0x0d)) return message
  return Buffer.from(message.map((byte) => (byte === 0x0a || byte === 0x0d ? 0x20 : byte)))
}
