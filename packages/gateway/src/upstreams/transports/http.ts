import type { Pool } from 'undici'
import type { UpstreamId, UserId } from '../../base/ids.ts'
import { isRecord, withId, type RpcRequest } from '../../base/json-rpc.ts'
import type { Log } from '../../base/log.ts'
import { asProblem, problem } from '../../base/problem.ts'
import { findMember, splice } from '../../base/json-spans.ts'
import type { Secret } from '../../base/secret.ts'
import { isPersonal, render, renderAll, type Template } from '../../base/template.ts'
import { readInbound } from '../answers.ts'
import { withSignal } from '../children/pipes.ts'
import type { UpstreamEras } from '../era.ts'
import type { Answer, Caller, Exchange, Transport, Who } from '../transport.ts'
import { COMMON_HEADERS, createLinks, type Link, type Route } from './http-links.ts'
import { post } from './http-post.ts'
import type { Reply } from './reply.ts'

export interface HttpTransportNeeds {
  readonly upstream: UpstreamId
  readonly url: Template
  readonly headers: Readonly<Record<string, Template>>
  readonly eras: UpstreamEras
  readonly log: Log
  readonly settings: { readonly answerBytes: number; readonly startMs: number }
  /** The pool of connections to an origin, shared by all upstreams there. */
  poolFor(origin: string): Pool
  readonly clock: { now(): number }
  /** Told of each notification that comes in mid-call, beside the client. */
  onNotification(method: string, who: Who): void
}

/**
 * Reaches an MCP server over Streamable HTTP, in the client's era where the server speaks it and in the
 * other where not.
 */
export function createHttpTransport(needs: HttpTransportNeeds): Transport {
  const { upstream: server, eras, settings } = needs
  const routeFor = createRoutes(needs)
  const links = createLinks(needs)

  function exchangeOnce(exchange: Exchange, { caller, route }: Place, link: Link): Promise<Reply> {
    return link.sessionId === undefined
      ? ask(exchange, { caller, route, link }, exchange.request)
      : askInSession(exchange, { caller, route, link })
  }

  /** A session keeps one space of ids for all the clients behind it, so each request gets one of its own. */
  async function askInSession(exchange: Exchange, way: Way): Promise<Reply> {
    const { route, link } = way
    const { request, signal } = exchange
    const wire = withId(request, link.nextId())
    const stop = () => links.cancel(route, link, { id: wire.id, reason: asProblem(signal.reason) })
    signal.addEventListener('abort', stop, { once: true })
    try {
      return await ask(exchange, way, wire)
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  function ask(exchange: Exchange, { caller, route, link }: Way, wire: RpcRequest): Promise<Reply> {
    return post(route.pool, {
      server,
      path: route.path,
      headers: requestHeaders(exchange, route, link),
      body: eras[link.era].dress(wire),
      id: wire.id,
      signal: exchange.signal,
      answerBytes: settings.answerBytes,
      mayStream: link.era === exchange.era && wire === exchange.request,
      notify(message, method) {
        needs.onNotification(method, caller)
        exchange.notify(message)
      },
      ask: (id, method) => links.answer(route, link, { id, method }),
    })
  }

  async function send(exchange: Exchange, caller: Caller): Promise<Answer> {
    const route = routeFor(caller)
    const place = { caller, route }
    const requireLink = () => withSignal(links.require(caller, route, exchange.era), exchange.signal)
    let link = links.find(caller, exchange.era) ?? (await requireLink())
    let reply = await exchangeOnce(exchange, place, link)
    if (isSessionLost(reply, link)) {
      links.drop(caller, link)
      link = await requireLink()
      reply = await exchangeOnce(exchange, place, link)
    } else if (isOtherEra(reply, link)) {
      links.doubt(link)
      const other = await requireLink()
      if (other.era !== link.era) reply = await exchangeOnce(exchange, place, (link = other))
    }
    return answerOf(reply, link, exchange.request)
  }

  function answerOf(reply: Reply, link: Link, request: RpcRequest): Answer {
    if (reply.kind === 'stream') return reply
    const said = reply.kind === 'whole' ? reply.bytes : (reply.bytes ?? refused(reply.status))
    const bytes = link.sessionId === undefined ? said : restoreId(said, request, server)
    return { kind: 'whole', bytes, era: link.era, status: reply.status }
  }

  function refused(status: number): never {
    throw problem('upstream.bad_answer', { server, reason: `HTTP ${status}` })
  }

  return {
    send,
    startedAt: () => 0,
    forget: (who) => links.forget(who),
    close: () => links.close(),
  }
}

interface Place {
  readonly caller: Caller
  readonly route: Route
}
interface Way extends Place {
  readonly link: Link
}

/**
 * Fills in URL and headers: once where they are the same for everybody, and once for each token where they
 * are not. A token was opened for one user, so what was filled in with it is theirs.
 */
function createRoutes({ url, headers, poolFor }: HttpTransportNeeds): (caller: Caller) => Route {
  const build = (caller: Filler): Route => {
    const { origin, path } = placeOf(url, caller)
    return { pool: poolFor(origin), path, headers: headersOf(headers, caller) }
  }
  if (![url, ...Object.values(headers)].some(isPersonal)) {
    const same = build(NOBODY)
    return () => same
  }
  const kept = new WeakMap<Secret, Route>()
  return (caller) => {
    const { token } = caller
    const known = token && kept.get(token)
    if (known) return known
    const route = build(caller)
    if (token) kept.set(token, route)
    return route
  }
}

type Filler = Pick<Caller, 'userId' | 'token'>

/** For templates that ask for nobody. */
const NOBODY: Filler = { userId: '' as UserId, token: undefined }

/** A token is one segment of a path, or one value of a query, whatever it contains. */
function placeOf(url: Template, { userId, token }: Filler): { origin: string; path: string } {
  const text = token?.reveal()
  const filled = render(url, { userId, token: text === undefined ? undefined : encodeURIComponent(text) })
  const { origin, pathname, search } = new URL(filled)
  return { origin, path: pathname + search }
}

function headersOf(headers: HttpTransportNeeds['headers'], { userId, token }: Filler): readonly string[] {
  return Object.entries(renderAll(headers, { userId, token: token?.reveal() })).flat()
}

function requestHeaders(exchange: Exchange, route: Route, link: Link): string[] {
  const { request, requestId, paramHeaders } = exchange
  const headers = [
    ...COMMON_HEADERS,
    'x-request-id',
    requestId,
    ...route.headers,
    ...link.headers(request.method, request.name ?? request.uri),
  ]
  if (link.sessionId !== undefined) headers.push('mcp-session-id', link.sessionId)
  if (paramHeaders.length > 0) headers.push(...paramHeaders)
  return headers
}

/** Puts the client's id back, in the very bytes it came in. */
function restoreId(answer: Buffer, { bytes, idSpan }: RpcRequest, server: string): Buffer {
  const inbound = readInbound(answer, server)
  if (inbound.kind !== 'response') return answer
  return splice(answer, [{ ...inbound.idSpan, by: bytes.subarray(idSpan.start, idSpan.end) }])
}

/**
 * A server that has forgotten a session answers 404, some 400, and has not run the request; an error in the
 * body names no id then, or one of the server's own.
 */
function isSessionLost(reply: Reply, { sessionId }: Link): boolean {
  return sessionId !== undefined && reply.kind === 'status' && (reply.status === 404 || reply.status === 400)
}

/**
 * Whether the reply may be that of a server that does not speak the modern era any more. Nothing was run then, so
 * that the request may be sent again.
 *
 * @see MCP 2026-07-28, basic/versioning: what a server says that does not know the revision, or the method
 */
function isOtherEra(reply: Reply, { era }: Link): boolean {
  if (era !== 'modern' || reply.kind === 'stream') return false
  if (reply.kind === 'status') return reply.status === 404 || reply.status === 400
  return reply.bytes.length <= SHORT_BYTES && NOT_SPOKEN.has(errorCodeOf(reply.bytes))
}

/** A refusal is short; longer answers are not searched for one. */
const SHORT_BYTES = 4_096
const NOT_SPOKEN: ReadonlySet<unknown> = new Set([-32022, -32601])
const ERROR = Buffer.from('"error"')

function errorCodeOf(bytes: Buffer): unknown {
  if (!bytes.includes(ERROR)) return undefined
  const at = findMember(bytes, 0, 'error')
  const error: unknown = at && parse(bytes.toString('utf8', at.start, at.end))
  return isRecord(error) ? error['code'] : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
