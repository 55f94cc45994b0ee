import type { ServerResponse } from 'node:http'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { problem, toRpcError } from '../../base/problem.ts'
import type { EventLog } from '../../storage/shared/event-log.ts'
import { hasOwnStream, isPrimed } from '../eras/legacy-streams.ts'
import { give, newJournal, writeHead, type Journals } from './journal.ts'
import type { Pulse } from './pulse.ts'
import type { Session } from './session.ts'
import { eventId, type createStreamIds, type Place } from './stream-ids.ts'
import type { Wire } from './wire.ts'

/** Keeps the events on the stream of one call. */
export interface CallJournal {
  /** The id before the first event, for clients that know what an event without data means. */
  readonly start: string | undefined
  /** Keeps an event, and gives the id it is found by again. */
  keep(message: Buffer): string
  /** Nothing more will come. */
  finish(): void
  /** The connection broke: the call is given up where nobody comes back for the rest, and stays. */
  broke(giveUp: () => void): void
}

export interface CallStreams {
  /** Whether the client of a session can come back for the rest of a call's stream; `requestId` as below. */
  mayResume(session: Session, requestId: string): boolean
  /** Begins to keep the stream of a call; `requestId` is the JSON text of the request's own id. */
  journal(session: Session, requestId: string): CallJournal
  /** Gives a client that came back what it has not seen yet, and what is still to come. */
  resume(to: Answering, place: Place & { readonly requestId: string }): Promise<void>
  close(): void
}

/** Whom to answer. */
export interface Answering {
  readonly response: ServerResponse
  readonly requestId: string
}

export interface CallStreamsNeeds {
  readonly events: EventLog
  readonly journals: Journals
  readonly ids: ReturnType<typeof createStreamIds>
  readonly pulse: Pulse
  readonly wire: Wire
  readonly clock: Clock
  readonly log: Log
  /** How long somebody may take to come back, in milliseconds. */
  readonly graceMs?: number
}

const GRACE_MS = 60_000
/**
 * The id stands in the name of the stream, and that in every event and in the header that a client comes back with, which
 * has no room for a longer one.
 */
const REQUEST_ID_LENGTH = 1_000

/** A call whose client has lost the stream. */
interface Broken {
  giveUp(): void
  /** When somebody was last there for the rest of it, in whichever process. */
  heldAt: number
}

/**
 * The streams of calls, which the older revisions let a client come back to: a lost connection is no cancellation.
 *
 * @see MCP 2025-11-25, basic/transports#resumability-and-redelivery
 */
export function createCallStreams(needs: CallStreamsNeeds): CallStreams {
  const { events, journals, ids, pulse, wire, clock, log, graceMs = GRACE_MS } = needs
  const broken = new Map<string, Broken>()
  /** The streams that somebody came back to here, with what ends it. */
  const resumed = new Map<AbortController, string>()

  /** Told again and again: the process that has the call may learn only later that the first connection is gone. */
  function hold(stream: string): void {
    const call = broken.get(stream)
    if (call) call.heldAt = clock.now()
    else void wire.tell('held', { stream })
  }

  function giveUpLost(): void {
    const before = clock.now() - graceMs
    for (const [stream, { heldAt, giveUp }] of broken) {
      if (heldAt > before) continue
      broken.delete(stream)
      giveUp()
    }
  }

  wire.hear('held', ({ stream }) => {
    const call = broken.get(stream)
    if (call) call.heldAt = clock.now()
  })
  pulse.onBeat(() => {
    for (const stream of resumed.values()) hold(stream)
    giveUpLost()
  })

  return {
    mayResume: ({ version }, requestId) => hasOwnStream(version) && requestId.length <= REQUEST_ID_LENGTH,
    journal(session, requestId) {
      const journal = newJournal(ids.ofCall(session.id, requestId))
      const { stream } = journal
      // Known from its beginning, so that who has seen nothing yet can come back as well.
      const first = journals.keep(journal, NOTHING)
      return {
        start: isPrimed(session.version) ? eventId(stream, first) : undefined,
        keep: (message) => eventId(stream, journals.keep(journal, message)),
        finish() {
          broken.delete(stream)
          journals.finish(journal)
        },
        broke: (giveUp) => void broken.set(stream, { giveUp, heldAt: clock.now() }),
      }
    },
    async resume({ response, requestId }, { stream, after, requestId: id }) {
      const connection = { response, sent: after }
      const ending = new AbortController()
      response.once('close', () => ending.abort())
      resumed.set(ending, stream)
      writeHead(response, requestId)
      pulse.add(response)
      hold(stream)
      try {
        const take = (at: number, event: Buffer) => give(connection, stream, at, event)
        const how = await events.follow(stream, after, take, ending.signal)
        // The client learns that its call has no answer, instead of waiting for ever.
        const lost = how === 'lost' ? 'call.lost' : how === 'gone' ? 'request.stream_unknown' : undefined
        if (lost) writeAnswer(response, toRpcError(problem(lost), id, requestId))
        response.end()
      } catch (error) {
        log.warn({ requestId, error }, 'stream.not_resumed')
        response.destroy()
      } finally {
        pulse.delete(response)
        resumed.delete(ending)
      }
    },
    close() {
      for (const ending of resumed.keys()) ending.abort()
    },
  }
}

const NOTHING = Buffer.alloc(0)

function writeAnswer(response: ServerResponse, message: string): void {
  response.write(`event: message\ndata: ${message}\n\n`)
}
