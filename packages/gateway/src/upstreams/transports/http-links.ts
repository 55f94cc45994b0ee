import { LRUCache } from 'lru-cache'
import type { Pool } from 'undici'
import type { UpstreamId } from '../../base/ids.ts'
import { isRecord, type RequestId } from '../../base/json-rpc.ts'
import type { Log } from '../../base/log.ts'
import { problem, Problem } from '../../base/problem.ts'
import { otherEra, type EraName, type Handshake, type UpstreamEras } from '../era.ts'
import type { Caller } from '../transport.ts'
import { post } from './http-post.ts'
import type { Reply } from './reply.ts'

/** Where one caller's requests go, with their own credential in place. */
export interface Route {
  readonly pool: Pool
  readonly path: string
  /** Names and values in turn. */
  readonly headers: readonly string[]
}

/** What was agreed with an upstream: with it, requests can be sent. */
export interface Link {
  readonly era: EraName
  readonly sessionId: string | undefined
  nextId(): number
  headers(method: string, name: string | undefined): string[]
}

export const COMMON_HEADERS = [
  'content-type',
  'application/json',
  'accept',
  'application/json, text/event-stream',
  'user-agent',
  'sekisho',
] as const

interface LinkNeeds {
  readonly upstream: UpstreamId
  readonly eras: UpstreamEras
  readonly log: Log
  readonly clock: { now(): number }
  readonly settings: { readonly answerBytes: number; readonly startMs: number }
}

/** A legacy session is kept while it is used, one per user and credential. */
interface Session {
  readonly token: string | undefined
  readonly route: Route
  readonly link: Promise<Link | undefined>
  opened: Link | undefined
}

const SESSIONS = 10_000
const SESSION_IDLE_MS = 30 * 60_000
/** How long "does not speak it" is believed: a server may be updated while the gate runs. */
const REFUSAL_MS = 10 * 60_000

/**
 * Finds out which era an upstream speaks, remembers it, and keeps the sessions that the legacy era needs.
 *
 * The era is a property of the server and remembered for all; a session belongs to one user and token.
 *
 * @see MCP 2026-07-28, basic/versioning: a client that speaks both tries one and falls back
 */
export function createLinks(needs: LinkNeeds) {
  const { upstream: server, eras, log, clock, settings } = needs
  const refusedAt = new Map<EraName, number>()
  let modern: Link | undefined
  const ending = new Set<Promise<void>>()
  const sessions = new LRUCache<string, Session>({
    max: SESSIONS,
    ttl: SESSION_IDLE_MS,
    updateAgeOnGet: true,
    dispose(session) {
      const ended = endSession(session).finally(() => ending.delete(ended))
      ending.add(ended)
    },
  })

  /** The link, where it is there already: the usual call waits for nothing. */
  function find(caller: Caller, prefer: EraName): Link | undefined {
    const era = isRefused(prefer) ? otherEra(prefer) : prefer
    return era === 'modern' ? modern : findSession(caller)?.opened
  }

  async function require(caller: Caller, route: Route, prefer: EraName): Promise<Link> {
    let failure: Problem | undefined
    let refused: EraName | undefined
    for (const era of [prefer, otherEra(prefer)]) {
      if (isRefused(era)) continue
      try {
        const link = await (era === 'modern' ? openModern(route) : openLegacy(caller, route))
        // Believed of the server only where the other era works: otherwise it may have been this caller's credential.
        if (link && refused) refusedAt.set(refused, clock.now())
        if (link) return link
        refused = era
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'upstream.bad_answer') throw error
        failure ??= error
      }
    }
    refusedAt.clear()
    throw failure ?? problem('upstream.unsupported', { server })
  }

  function isRefused(era: EraName): boolean {
    const at = refusedAt.get(era)
    return at !== undefined && clock.now() - at < REFUSAL_MS
  }

  /**
   * One link serves everybody, since each request of the modern era stands for itself. Until there is one,
   * everybody tries alone: whose credential is refused must not fail the others.
   */
  async function openModern(route: Route): Promise<Link | undefined> {
    return (modern ??= await open('modern', route))
  }

  function findSession(caller: Caller): Session | undefined {
    const known = sessions.get(keyOf(caller))
    return known?.token === caller.token?.reveal() ? known : undefined
  }

  function openLegacy(caller: Caller, route: Route): Promise<Link | undefined> {
    const known = findSession(caller)
    if (known) return known.link
    const key = keyOf(caller)
    const session: Session = { token: caller.token?.reveal(), route, link: open('legacy', route), opened: undefined }
    sessions.set(key, session)
    const settle = (link: Link | undefined) => {
      session.opened = link
      if (!link && sessions.peek(key) === session) sessions.delete(key)
    }
    session.link.then(settle, () => settle(undefined))
    return session.link
  }

  async function open(name: EraName, route: Route): Promise<Link | undefined> {
    const era = eras[name]
    const signal = AbortSignal.timeout(settings.startMs)
    const { method, params } = era.opening
    const reply = await post(route.pool, {
      server,
      path: route.path,
      headers: [...COMMON_HEADERS, ...route.headers, ...era.headers(method, undefined, '')],
      body: Buffer.from(`{"jsonrpc":"2.0","id":0,"method":"${method}","params":${params}}`),
      id: 0,
      signal,
      answerBytes: settings.answerBytes,
      mayStream: false,
      notify: () => {},
      ask: () => {},
    }).catch((error: unknown) => {
      throw signal.aborted ? problem('upstream.timeout', { server, seconds: settings.startMs / 1000 }) : error
    })
    const handshake = handshakeOf(reply, name)
    if (!handshake) return undefined
    const link = linkOf(handshake, reply.kind === 'whole' ? reply.sessionId : undefined)
    if (era.opened !== undefined) await tell(route, link, era.opened)
    log.debug({ server, era: name, version: handshake.version }, 'upstream.opened')
    return link
  }

  function handshakeOf(reply: Reply, name: EraName): Handshake | undefined {
    if (reply.kind !== 'whole') return undefined
    const message = parse(reply.bytes)
    return isRecord(message) && isRecord(message['result']) ? eras[name].accept(message['result']) : undefined
  }

  function parse(bytes: Buffer): unknown {
    try {
      return JSON.parse(bytes.toString())
    } catch (cause) {
      throw problem('upstream.bad_answer', { server, reason: 'not valid JSON', cause })
    }
  }

  function linkOf({ era, version }: Handshake, sessionId: string | undefined): Link {
    if (sessionId !== undefined && !SESSION_ID.test(sessionId))
      throw problem('upstream.bad_answer', { server, reason: 'a session id of other characters than visible ASCII' })
    let count = 0
    return {
      era,
      sessionId,
      nextId: () => ++count,
      headers: (method, name) => eras[era].headers(method, name, version),
    }
  }

  /**
   * Sends a notification; what the server answers to one decides nothing.
   *
   * @throws {Problem} `upstream.unreachable` where it does not answer at all.
   */
  async function tell(route: Route, link: Link, message: string): Promise<void> {
    const headers = [...COMMON_HEADERS, ...route.headers, ...sessionHeaders(link), ...link.headers('', undefined)]
    const signal = AbortSignal.timeout(settings.startMs)
    try {
      const { body } = await route.pool.request({ path: route.path, method: 'POST', headers, body: message, signal })
      await body.dump()
    } catch (cause) {
      throw problem('upstream.unreachable', { server, cause })
    }
  }

  async function endSession({ opened, route }: Session): Promise<void> {
    if (opened?.sessionId === undefined || route.pool.closed) return
    const headers = [...route.headers, ...sessionHeaders(opened)]
    const signal = AbortSignal.timeout(1000)
    await route.pool
      .request({ path: route.path, method: 'DELETE', headers, signal })
      .then(({ body }) => body.dump())
      .catch((error: unknown) => log.debug({ server, error }, 'upstream.session_not_ended'))
  }

  return {
    find,
    require,
    /** Says that nobody waits for an answer any more. Only a session knows which request is meant by an id. */
    cancel(route: Route, link: Link, { id, reason }: { id: RequestId; reason: Problem }): void {
      const message = link.sessionId === undefined ? undefined : eras[link.era].cancelled(id, reason.message)
      if (message === undefined) return
      tell(route, link, message).catch((error: unknown) => log.debug({ server, error }, 'upstream.not_told'))
    },
    /** Drops a session the upstream no longer knows; the next request opens another. */
    forget(caller: Caller, link: Link): void {
      const key = keyOf(caller)
      if (sessions.peek(key)?.opened === link) sessions.delete(key)
    },
    async close(): Promise<void> {
      sessions.clear()
      await Promise.all(ending)
    },
  }
}

/** @see MCP 2025-11-25, basic/transports#session-management */
const SESSION_ID = /^[\x21-\x7e]{1,4096}$/

function keyOf({ tenant, userId }: Caller): string {
  return `${tenant} ${userId}`
}

function sessionHeaders({ sessionId }: Link): string[] {
  return sessionId === undefined ? [] : ['mcp-session-id', sessionId]
}
