import type { ServerResponse } from 'node:http'
import type { Log } from '../../base/log.ts'
import { oneLine } from '../../http/event-stream.ts'
import type { EventLog } from '../../storage/shared/event-log.ts'
import { eventId } from './stream-ids.ts'

/** A stream that this process writes. */
export interface Journal {
  readonly stream: string
  /** The number of its last event. */
  last: number
  /** Where its events go as they come; `undefined` while nobody is there who has all before. */
  to: Connection | undefined
}

/** Somebody who reads a stream. */
export interface Connection {
  readonly response: ServerResponse
  /** The number of the last event they were given. */
  sent: number
  /** Aborts when they are gone, or have come anew. */
  readonly gone: AbortController
}

export interface JournalNeeds {
  readonly events: EventLog
  readonly log: Log
}

/** A client that does not read gets no more than this piled up for it; it may come back for the rest. */
const STALLED_BYTES = 4 * 1024 * 1024

/** Keeps what is written to streams, so that a client whose connection broke can have the rest. */
export function createJournals({ events, log }: JournalNeeds) {
  let isKept = true

  /** A log that cannot be written to is told of once; streams go on without it. */
  function noteKept(kept: boolean, error?: unknown): void {
    if (isKept && !kept) log.warn({ error }, 'stream.not_kept')
    isKept = kept
  }

  function keep(journal: Journal, message: Buffer): number {
    const at = ++journal.last
    events.append(journal.stream, at, message).then(
      () => noteKept(true),
      (error: unknown) => noteKept(false, error),
    )
    return at
  }

  return {
    keep,
    /** Keeps a message, and writes it to whoever is there. */
    say(journal: Journal, message: Buffer): void {
      const at = keep(journal, message)
      if (journal.to) give(journal.to, journal.stream, at, message)
    },
    /**
     * Gives somebody what came after the last event they have, and from then on all that comes. Ends when they have
     * caught up; answers whether nothing is missing between.
     */
    async attach(journal: Journal, connection: Connection): Promise<boolean> {
      const { signal } = connection.gone
      journal.to = undefined
      const caughtUp = new AbortController()
      const join = () => {
        journal.to = connection
        caughtUp.abort()
      }
      if (connection.sent >= journal.last) {
        join()
        return true
      }
      const take = (at: number, event: Buffer) => {
        give(connection, journal.stream, at, event)
        if (at >= journal.last) join()
      }
      const either = AbortSignal.any([signal, caughtUp.signal])
      const outcome = await events.follow(journal.stream, connection.sent, take, either).catch(() => 'gone')
      if (signal.aborted || caughtUp.signal.aborted) return true
      connection.sent = journal.last
      join()
      return outcome !== 'gone'
    },
    finish(journal: Journal): void {
      if (journal.last > 0) events.finish(journal.stream).catch((error: unknown) => noteKept(false, error))
    },
  }
}
export type Journals = ReturnType<typeof createJournals>

export function newJournal(stream: string): Journal {
  return { stream, last: 0, to: undefined }
}

/** Writes an event to somebody, unless they have it. */
export function give(connection: Omit<Connection, 'gone'>, stream: string, at: number, message: Buffer): void {
  if (at <= connection.sent) return
  connection.sent = at
  if (message.length > 0) writeEvent(connection.response, eventId(stream, at), message)
}

function writeEvent(response: ServerResponse, id: string, message: Buffer): void {
  if (!isOpen(response)) return
  response.write(Buffer.concat([Buffer.from(`id: ${id}\nevent: message\ndata: `), oneLine(message), END]))
  if (response.writableLength > STALLED_BYTES) response.destroy()
}

const END = Buffer.from('\n\n')

/** Whether something may still be written: after the end that would be an error that nobody listens for. */
export function isOpen(response: ServerResponse): boolean {
  return !response.destroyed && !response.writableEnded
}

/** Begins a response that goes on for as long as both sides like. */
export function writeHead(response: ServerResponse, requestId: string): void {
  const common = ['X-Request-Id', requestId, 'X-Content-Type-Options', 'nosniff', 'Cache-Control', 'no-store']
  response.writeHead(200, [...common, 'Content-Type', 'text/event-stream', 'X-Accel-Buffering', 'no'])
  response.flushHeaders()
}

/** An event without a message: the client knows from where to come back, and how soon. */
export function writePriming(response: ServerResponse, id: string): void {
  response.write(`id: ${id}\nretry: ${RETRY_MS}\ndata: \n\n`)
}

const RETRY_MS = 1_000
