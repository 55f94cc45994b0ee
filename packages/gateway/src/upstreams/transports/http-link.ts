import type { Pool } from 'undici'
import type { Random } from '../../base/ids.ts'
import { isRecord } from '../../base/json-rpc.ts'
import type { LogLevel } from '../client.ts'
import type { EraName, Handshake, UpstreamEras } from '../era.ts'

/** Where one caller's requests go, with their own credential in place. */
export interface Route {
  readonly pool: Pool
  /** Connections of their own for what must not wait behind calls: streams that stay open, and what a call waits for. */
  readonly streams: Pool
  readonly origin: string
  readonly path: string
  /** Names and values in turn. */
  readonly headers: readonly string[]
}

/** What was agreed with an upstream: with it, requests can be sent. */
export interface Link {
  readonly era: EraName
  readonly handshake: Handshake
  readonly sessionId: string | undefined
  nextId(): number
  headers(method: string, name: string | undefined): string[]
  /** Whether it can be told from which level on log messages are wanted. */
  readonly logs: boolean
  /** From which level on it sends log messages, as far as it was told by this process. */
  level: LogLevel | undefined
  /** Ends when the upstream knows of that level. */
  told: Promise<void> | undefined
  /** How many answers to the upstream's own requests are on their way, or still to be found. */
  asked: number
}

export const COMMON_HEADERS = [
  'content-type',
  'application/json',
  'accept',
  'application/json, text/event-stream',
  'user-agent',
  'sekisho',
] as const

const STREAM_HEADERS = ['accept', 'text/event-stream', 'user-agent', 'sekisho'] as const

export function createLinkMaker({ eras, random }: { eras: UpstreamEras; random: Random }) {
  return function makeLink(handshake: Handshake, sessionId: string | undefined): Link {
    const { era: name, version, capabilities } = handshake
    const era = eras[name]
    let count = firstId(random)
    return {
      era: name,
      handshake,
      sessionId,
      nextId: () => ++count,
      headers: (method, target) => era.headers(method, target, version),
      logs: isRecord(capabilities['logging']),
      level: undefined,
      told: undefined,
      asked: 0,
    }
  }
}

/**
 * Several processes may go on with one session, and an id may be used in it only once: each begins somewhere else.
 * Small enough for servers that keep an id in 32 bits.
 */
function firstId(random: Random): number {
  return Buffer.from(random(4)).readUInt32BE() >>> 2
}

/** What a message in a session of that link carries, whatever it is. */
export function messageHeaders(route: Route, link: Link, method = ''): string[] {
  return [...COMMON_HEADERS, ...route.headers, ...sessionHeaders(link), ...link.headers(method, undefined)]
}

/** What a request for a stream of that link's session carries; `lastId` has it go on after an event. */
export function streamHeaders(route: Route, link: Link, lastId: string | undefined): string[] {
  const headers = [...STREAM_HEADERS, ...route.headers, ...sessionHeaders(link), ...link.headers('', undefined)]
  if (lastId !== undefined) headers.push('last-event-id', lastId)
  return headers
}

export function sessionHeaders({ sessionId }: Link): string[] {
  return sessionId === undefined ? [] : ['mcp-session-id', sessionId]
}
