import type { Pool } from 'undici'
import type { UpstreamId, UserId } from '../../base/ids.ts'
import { withId, type RequestId, type RpcRequest } from '../../base/json-rpc.ts'
import type { Log } from '../../base/log.ts'
import { asProblem, problem } from '../../base/problem.ts'
import { splice } from '../../base/json-spans.ts'
import type { Secret } from '../../base/secret.ts'
import { isPersonal, render, renderAll, type Template } from '../../base/template.ts'
import { readInbound } from '../answers.ts'
import { withSignal } from '../children/pipes.ts'
import type { UpstreamEras } from '../era.ts'
import type { Answer, Caller, Exchange, Transport } from '../transport.ts'
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
}

/**
 * Reaches an MCP server over Streamable HTTP, in the client's era where the server speaks it and in the
 * other where not.
 */
export function createHttpTransport(needs: HttpTransportNeeds): Transport {
  const { upstream: server, eras, settings } = needs
  const routeFor = createRoutes(needs)
  const links = createLinks(needs)

  /** A server may ask only what its client said it can do, which is nothing. */
  function asked(id: RequestId, method: string): void {
    needs.log.debug({ server, method, id }, 'upstream.asked_in_vain')
  }

  function exchangeOnce(exchange: Exchange, route: Route, link: Link): Promise<Reply> {
    return link.sessionId === undefined
      ? ask(exchange, route, link, exchange.request)
      : askInSession(exchange, route, link)
  }

  /** A session keeps one space of ids for all the clients behind it, so each request gets one of its own. */
  async function askInSession(exchange: Exchange, route: Route, link: Link): Promise<Reply> {
    const { request, signal } = exchange
    const wire = withId(request, link.nextId())
    const stop = () => links.cancel(route, link, { id: wire.id, reason: asProblem(signal.reason) })
    signal.addEventListener('abort', stop, { once: true })
    try {
      return await ask(exchange, route, link, wire)
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  function ask(exchange: Exchange, route: Route, link: Link, wire: RpcRequest): Promise<Reply> {
    return post(route.pool, {
      server,
      path: route.path,
      headers: requestHeaders(exchange, route, link),
      body: eras[link.era].dress(wire),
      id: wire.id,
      signal: exchange.signal,
      answerBytes: settings.answerBytes,
      mayStream: link.era === exchange.era && wire === exchange.request,
      notify: exchange.notify,
      ask: asked,
    })
  }

  async function send(exchange: Exchange, caller: Caller): Promise<Answer> {
    const route = routeFor(caller)
    const requireLink = () => withSignal(links.require(caller, route, exchange.era), exchange.signal)
    let link = links.find(caller, exchange.era) ?? (await requireLink())
    let reply = await exchangeOnce(exchange, route, link)
    if (isSessionLost(reply, link)) {
      links.forget(caller, link)
      link = await requireLink()
      reply = await exchangeOnce(exchange, route, link)
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
    close: () => links.close(),
  }
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
