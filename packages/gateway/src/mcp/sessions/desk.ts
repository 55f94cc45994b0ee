import type { UpstreamId } from '../../base/ids.ts'
import type { Principal } from '../../identity/principal.ts'
import type { Followed } from '../following.ts'
import type { Connection, Journal } from './journal.ts'
import type { Session } from './session.ts'

/** One stream of a session's own, whether its client is there or may come back. */
export interface OwnStream {
  readonly journal: Journal
  connection: Connection | undefined
  /** When the client was lost. */
  lostAt: number
  /** The number of the last event that was written to it before. */
  seen: number
}

/** All that a session is told outside of its calls, in the process that its stream is with. */
export interface Desk {
  readonly session: Session
  readonly principal: Principal
  readonly server: UpstreamId | undefined
  /** The newest last. */
  streams: OwnStream[]
  readonly followed: Followed
  release(): void
}

/** Who lost a connection is back within a moment, or is taken to be gone. */
const MOMENT_MS = 15_000

/**
 * Where a message goes: every message to one stream only, the newest whose client is there, or else the newest that it
 * can come back to.
 *
 * @see MCP 2025-11-25, basic/transports#multiple-connections
 */
export function currentStream({ streams }: Desk): OwnStream | undefined {
  return streams.findLast(({ connection }) => connection) ?? streams.at(-1)
}

/** As above, where somebody waits for an answer and nobody might ever read the question. */
export function answeringStream(desk: Desk, now: number): OwnStream | undefined {
  const stream = currentStream(desk)
  return stream && (stream.connection || now - stream.lostAt < MOMENT_MS) ? stream : undefined
}

/** Whether a client that is not there has yet to come back for something. */
export function hasUnread({ streams }: Desk): boolean {
  return streams.some(({ connection, journal, seen }) => !connection && journal.last > seen)
}

/** Since when nobody has been there; `undefined` where somebody is. */
export function idleSince({ streams }: Desk): number | undefined {
  return streams.some(({ connection }) => connection) ? undefined : Math.max(0, ...streams.map(({ lostAt }) => lostAt))
}
