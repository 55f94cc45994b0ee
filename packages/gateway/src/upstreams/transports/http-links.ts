import { LRUCache } from 'lru-cache'
import type { Pool } from 'undici'
import type { UpstreamId } from '../../base/ids.ts'
import { isRecord, type RequestId } from '../../base/json-rpc.ts'
import type { Log } from '../../base/log.ts'
import { problem, Problem } from '../../base/problem.ts'
import { otherEra, type EraName, type Handshake, type UpstreamEras } from '../era.ts'
import type { Caller, Who } from '../transport.ts'
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
/** How many answers to the requests of a server's own may be on their way at once. */
const ANSWERS_MOST = 64
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
      if (session.opened) end(session, session.opened)
    },
  })
  const purging = setInterval(() => sessions.purgeStale(), SESSION_IDLE_MS)
  purging.unref()
  let answering = 0

  function end({ route }: Session, link: Link): void {
    const ended = endSession(route, link).finally(() => ending.delete(ended))
    ending.add(ended)
  }

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
      const wanted = sessions.peek(key) === session
      if (!link && wanted) sessions.delete(key)
      if (link && !wanted) end(session, link)
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
    const link = linkOf(handshake, legacySession(reply, name))
    if (era.opened !== undefined) await tell(route, link, era.opened)
    log.debug({ server, era: name, version: handshake.version }, 'upstream.opened')
    return link
  }

  /** A link that serves everybody is bound to no session, whatever the server says. */
  function legacySession(reply: Reply, name: EraName): string | undefined {
    return name === 'legacy' && reply.kind === 'whole' ? reply.sessionId : undefined
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

  async function endSession(route: Route, link: Link): Promise<void> {
    if (link.sessionId === undefined || route.pool.closed) return
    const headers = [...route.headers, ...sessionHeaders(link)]
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
    /**
     * Answers a request of the server's own in mid-call: it may ask only what its client said it can do, which is
     * nothing but to be there.
     */
    answer(route: Route, link: Link, { id, method }: { id: RequestId; method: string }): void {
      log.debug({ server, method, id }, 'upstream.asked')
      if (link.era !== 'legacy' || answering >= ANSWERS_MOST) return
      answering++
      tell(route, link, `{"jsonrpc":"2.0","id":${JSON.stringify(id)},${method === 'ping' ? PONG : REFUSAL}}`)
        .catch((error: unknown) => log.debug({ server, error }, 'upstream.not_told'))
        .finally(() => answering--)
    },
    /** Drops a session the upstream no longer knows; the next request opens another. */
    drop(caller: Caller, link: Link): void {
      const key = keyOf(caller)
      if (sessions.peek(key)?.opened === link) sessions.delete(key)
    },
    /** Finds out anew which era is spoken: the upstream may have been replaced by one that speaks only the other. */
    doubt(link: Link): void {
      if (modern === link) modern = undefined
      refusedAt.delete(otherEra(link.era))
    },
    /** Ends the session of one user. */
    async forget(who: Who): Promise<void> {
      sessions.delete(keyOf(who))
      await Promise.all(ending)
    },
    async close(): Promise<void> {
      clearInterval(purging)
      sessions.clear()
      await Promise.all(ending)
    },
  }
}

/** @see MCP 2025-11-25, basic/transports#session-management */
const SESSION_ID = /^[\x21-\x7e]{1,4096}$/

const PONG = '"result":{}'
const REFUSAL = '"error":{"code":-32601,"message":"This client does not serve that method."}'

function keyOf({ tenant, userId }: Who): string {
  return `${tenant} ${userId}`
}

function sessionHeaders({ sessionId }: Link): string[] {
  return sessionId === undefined ? [] : ['mcp-session-id', sessionId]
}
