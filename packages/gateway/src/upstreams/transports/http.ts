import type { Pool } from 'undici'
import type { UpstreamId } from '../../base/ids.ts'
import { withId, type RpcRequest } from '../../base/json-rpc.ts'
import type { Log } from '../../base/log.ts'
import { asProblem, problem, type Problem } from '../../base/problem.ts'
import { splice } from '../../base/json-spans.ts'
import { isPersonal, render, renderAll, type Template } from '../../base/template.ts'
import { readInbound } from '../answers.ts'
import type { UpstreamEras } from '../era.ts'
import type { Answer, Caller, Exchange, Transport, TransportState } from '../transport.ts'
import { COMMON_HEADERS, createLinks, type Link, type Route } from './http-links.ts'
import { post, type Posted } from './http-post.ts'

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
  let failure: Problem | undefined
  const links = createLinks(needs)

  function exchangeOnce(exchange: Exchange, route: Route, link: Link): Promise<Posted> {
    const { request, era } = exchange
    // A session keeps one space of ids for all the clients behind it, so each request gets one of its own.
    const wire = link.sessionId === undefined ? request : withId(request, link.nextId())
    return post(route.pool, {
      server,
      path: route.path,
      headers: requestHeaders(exchange, route, link),
      body: eras[link.era].dress(wire),
      id: wire.id,
      signal: exchange.signal,
      answerBytes: settings.answerBytes,
      mayStream: link.era === era && wire === request,
      notify: exchange.notify,
      ask: (id, method) => needs.log.debug({ server, method, id }, 'upstream.asked_in_vain'),
    })
  }

  async function exchangeWith(exchange: Exchange, caller: Caller): Promise<Answer> {
    const route = routeFor(caller)
    let link = await links.require(caller, route, exchange.era)
    let reply = await exchangeOnce(exchange, route, link)
    if (isSessionLost(reply, link)) {
      links.forget(caller, link)
      link = await links.require(caller, route, exchange.era)
      reply = await exchangeOnce(exchange, route, link)
    }
    return answerOf(reply, link, exchange.request)
  }

  function answerOf(reply: Posted, link: Link, request: RpcRequest): Answer {
    if (reply.kind === 'stream') return reply
    if (reply.kind === 'status') throw problem('upstream.bad_answer', { server, reason: `HTTP ${reply.status}` })
    const bytes = link.sessionId === undefined ? reply.bytes : restoreId(reply.bytes, request, server)
    return { kind: 'whole', bytes, era: link.era }
  }

  return {
    async send(exchange, caller) {
      try {
        const answer = await exchangeWith(exchange, caller)
        failure = undefined
        return answer
      } catch (error) {
        const cause = asProblem(error)
        if (cause.code.startsWith('upstream.')) failure = cause
        throw cause
      }
    },
    state: (): TransportState =>
      failure ? { state: 'failed', failure: failure.message } : { state: links.isOpen() ? 'ready' : 'idle' },
    close: () => links.close(),
  }
}

/** Fills in URL and headers; what is the same for everybody is filled in once. */
function createRoutes({ url, headers, poolFor }: HttpTransportNeeds): (caller: Caller) => Route {
  const personal = isPersonal(url) || Object.values(headers).some(isPersonal)
  const build = (caller: Caller): Route => {
    const values = { userId: caller.userId, token: caller.token?.reveal() }
    const { origin, pathname, search } = new URL(render(url, values))
    return {
      pool: poolFor(origin),
      path: pathname + search,
      headers: Object.entries(renderAll(headers, values)).flat(),
    }
  }
  if (personal) return build
  let same: Route | undefined
  return (caller) => (same ??= build(caller))
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

/** A server that has forgotten a session answers 404, some 400, and has not run the request. */
function isSessionLost(reply: Posted, { sessionId }: Link): boolean {
  return sessionId !== undefined && reply.kind === 'status' && (reply.status === 404 || reply.status === 400)
}
