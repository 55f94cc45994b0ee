import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import type { StreamLimits } from '../../limits/streams.ts'
import type { Storage } from '../../storage/database.ts'
import type { Bus } from '../../storage/shared/bus.ts'
import type { EventLog } from '../../storage/shared/event-log.ts'
import type { Who } from '../../upstreams/transport.ts'
import type { Flights } from '../flights.ts'
import type { Following } from '../following.ts'
import { createAsking, type Asking } from './asking.ts'
import { createCallStreams, type CallStreams } from './call-streams.ts'
import { createJournals } from './journal.ts'
import { createPulse } from './pulse.ts'
import { createSessions, type Sessions } from './sessions.ts'
import { createStreamIds } from './stream-ids.ts'
import { createSessionStreams, type SessionStreams } from './streams.ts'
import { openWire } from './wire.ts'

export interface OpenSessionsNeeds {
  readonly storage: Pick<Storage, 'for' | 'system'>
  readonly bus: Bus
  readonly events: EventLog
  readonly following: Following
  readonly flights: Pick<Flights, 'cancel'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** 32 bytes that all processes of the gate know. */
  readonly key: Uint8Array
  /** Ends what servers keep for a session. */
  forget(session: string, who: Who): Promise<void>
  readonly limits: StreamLimits
  /** Of how many sessions of a user something is kept. */
  readonly keptMost: number
  /** Whether other processes serve the same database. */
  readonly isShared: boolean
  /** In place of the usual times, in milliseconds. */
  readonly times?: Partial<SessionTimes>
}

export interface SessionTimes {
  /** How long what is known of a session is believed where another process may have changed it. */
  readonly rereadMs: number
  /** How long a client may take to answer. */
  readonly answerMs: number
  /** How long another process may take to say that it has a client's stream. */
  readonly elsewhereMs: number
  /** How long a call goes on whose client has lost its stream. */
  readonly graceMs: number
  /** How long a session that is not used any more is followed for, after its client was there last. */
  readonly lingerMs: number
  /** Between two signs of life of a quiet stream. */
  readonly pulseMs: number
}

const TIMES: SessionTimes = {
  rereadMs: 5_000,
  answerMs: 10 * 60_000,
  elsewhereMs: 500,
  graceMs: 60_000,
  lingerMs: 5 * 60_000,
  pulseMs: 15_000,
}
/** Of one process nobody else changes anything, and nobody else has a stream. */
const ALONE = { rereadMs: Infinity, elsewhereMs: 0 }

export interface OpenSessions {
  readonly sessions: Sessions
  readonly asking: Asking
  readonly streams: SessionStreams
  readonly calls: CallStreams
  /**
   * Ends a request by its flight key. A cancellation is a message of its own, and comes to whichever process: one that
   * does not answer that request tells the others.
   */
  cancel(key: string): void
  /** Ends every stream, and gives up every question. */
  close(): Promise<void>
}

/** All that the older revisions need beyond one request and its answer, put together. */
export async function openSessions(needs: OpenSessionsNeeds): Promise<OpenSessions> {
  const { bus, events, following, flights, log, isShared } = needs
  const times = { ...TIMES, ...(isShared ? {} : ALONE), ...needs.times }
  const wire = await openWire({ bus, log })
  const pulse = createPulse({ everyMs: times.pulseMs })
  const parts = {
    ...needs,
    ...times,
    wire,
    pulse,
    ids: createStreamIds(bus.instance),
    journals: createJournals({ events, log }),
  }
  const sessions = createSessions({ ...parts, checkResource: following.checkResource })
  const calls = createCallStreams(parts)
  const asking = createAsking({ ...parts, send: (session, message) => streams.send(session, message) })
  const streams = createSessionStreams({ ...parts, sessions, calls, ask: asking.ask })

  wire.hear('cancelled', ({ key }) => void flights.cancel(key))

  return {
    sessions,
    asking,
    streams,
    calls,
    cancel(key) {
      if (!flights.cancel(key)) void wire.tell('cancelled', { key })
    },
    async close() {
      streams.close()
      calls.close()
      asking.close()
      pulse.close()
      wire.close()
    },
  }
}
