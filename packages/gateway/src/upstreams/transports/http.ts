import { targetOf, withId, type RpcRequest } from '../../base/json-rpc.ts'
import { splice } from '../../base/json-spans.ts'
import type { Log } from '../../base/log.ts'
import type { Random, UpstreamId } from '../../base/ids.ts'
import { problem, type Problem } from '../../base/problem.ts'
import { readInbound } from '../answers.ts'
import { withSignal } from '../children/pipes.ts'
import type { ClientView } from '../client.ts'
import type { UpstreamEras } from '../era.ts'
import type { LinkStore } from '../link-store.ts'
import type { Answer, Caller, Exchange, Transport, Who } from '../transport.ts'
import { createKeptLinks, type Holder } from './http-kept.ts'
import type { GroupsNeeds } from './http-groups.ts'
import { COMMON_HEADERS, streamHeaders, type Link, type Route } from './http-link.ts'
import { createLinks } from './http-links.ts'
import { createOpener } from './http-open.ts'
import { post, type Post } from './http-post.ts'
import { resume } from './http-resume.ts'
import { createRoutes, type RoutesNeeds } from './http-routes.ts'
import { createSpeech } from './http-speech.ts'
import { isOtherEra, isSessionLost } from './http-verdict.ts'
import { createWatches } from './http-watch.ts'
import type { Reply } from './reply.ts'

export interface HttpTransportNeeds extends RoutesNeeds {
  readonly upstream: UpstreamId
  readonly eras: UpstreamEras
  readonly log: Log
  readonly settings: GroupsNeeds['settings']
  readonly clock: { now(): number }
  readonly random: Random
  /** What to say of a server that speaks neither era. */
  unsupported(caller: Caller): Promise<Problem>
  /** Where sessions are kept that any process can go on with. */
  readonly store: LinkStore
  /** Told of each notification, whether in mid-call or outside of any, beside whoever it is for. */
  onNotification(method: string, who: Who): void
}

/**
 * Reaches an MCP server over Streamable HTTP, in the client's era where the server speaks it and in the
 * other where not.
 */
export function createHttpTransport(needs: HttpTransportNeeds): Transport {
  const { upstream: server, eras, settings, log } = needs
  const routes = createRoutes(needs)
  const speech = createSpeech(needs)
  const links = createLinks({
    ...needs,
    speech,
    kept: createKeptLinks(needs),
    open: createOpener({ ...needs, speech }),
    isWatched: (key) => watches.isWatched(key),
    onRenewed: (key) => watches.renewed(key),
  })
  const watches = createWatches({ ...needs, links, speech, routeFor: routes.for })

  /** A session keeps one space of ids for all the clients behind it, so each request gets one of its own. */
  function exchangeOnce(exchange: Exchange, way: Way): Promise<Reply> {
    const { route, link } = way
    const { request } = exchange
    const one = toPost(exchange, way, link.sessionId === undefined ? request : withId(request, link.nextId()))
    const posted = post(route.pool, one)
    if (!one.resumes) return posted
    return posted.then((reply) =>
      reply.kind === 'cut' ? resume(route.streams, reply, one, (id) => streamHeaders(route, link, id)) : reply,
    )
  }

  function toPost(exchange: Exchange, way: Way, wire: RpcRequest): Post {
    const { caller, route, link } = way
    const isLegacy = link.era === 'legacy'
    return {
      server,
      path: route.path,
      headers: requestHeaders(exchange, route, link),
      body: eras[link.era].dress(wire, exchange.client),
      id: wire.id,
      signal: exchange.signal,
      answerBytes: settings.answerBytes,
      mayStream: link.era === exchange.era && wire === exchange.request && exchange.whole !== true,
      resumes: isLegacy,
      notify(message, method) {
        needs.onNotification(method, caller)
        exchange.notify(message, method)
      },
      // Of the modern era, no server asks: nobody could answer it.
      ask: isLegacy ? (question) => speech.answer(way, question, (asked) => exchange.ask(asked)) : undefined,
      stopped: link.sessionId === undefined ? undefined : (reason) => speech.cancel(way, wire.id, reason),
    }
  }

  async function send(exchange: Exchange, caller: Caller): Promise<Answer> {
    const { client, era, signal, request } = exchange
    const route = routes.for(caller)
    const holder: Holder = { caller, client, route }
    let link = links.find(caller, client, era) ?? (await withSignal(links.require(holder, era), signal))
    const told = speech.ensureLevel({ route, link }, client)
    if (told) await withSignal(told, signal)
    let reply = await exchangeOnce(exchange, { caller, route, link })
    if (isSessionLost(reply, link)) {
      link = await withSignal(links.renew(holder, link, era), signal)
      reply = await exchangeOnce(exchange, { caller, route, link })
    } else if (isOtherEra(reply, link)) {
      links.doubt(link)
      const other = await withSignal(links.require(holder, era), signal)
      if (other.era !== link.era) {
        watches.moved(link)
        reply = await exchangeOnce(exchange, { caller, route, link: (link = other) })
      }
    }
    return answerOf(reply, link, request)
  }

  function answerOf(reply: Reply, link: Link, request: RpcRequest): Answer {
    if (reply.kind === 'stream') return reply
    if (reply.kind === 'cut') throw problem('upstream.died', { server })
    const said = reply.kind === 'whole' ? reply.bytes : (reply.bytes ?? refused(reply.status))
    const bytes = link.sessionId === undefined ? said : restoreId(said, request, server)
    return { kind: 'whole', bytes, era: link.era, status: reply.status }
  }

  function refused(status: number): never {
    throw problem('upstream.bad_answer', { server, reason: `HTTP ${status}` })
  }

  async function tell(message: Buffer, client: ClientView, caller: Caller): Promise<void> {
    const route = routes.for(caller)
    const link = await links.findOpen({ caller, client, route })
    if (link) await speech.tell({ route, link }, message)
  }

  return {
    send,
    describe({ era, client, signal }, caller) {
      return withSignal(links.describe({ caller, client, route: routes.for(caller) }, era), signal)
    },
    watch: watches.watch,
    tell(message, client, caller) {
      tell(message, client, caller).catch((error: unknown) => log.debug({ server, error }, 'upstream.not_told'))
    },
    startedAt: () => 0,
    async forget(who) {
      watches.forget(who)
      await links.forget(who, undefined, routes.shared())
    },
    async forgetSession(session, who) {
      watches.forgetSession(session, who)
      await links.forget(who, session, routes.shared())
    },
    async close() {
      await watches.close()
      await links.close()
    },
  }
}

interface Way {
  readonly caller: Caller
  readonly route: Route
  readonly link: Link
}

function requestHeaders(exchange: Exchange, route: Route, link: Link): string[] {
  const { request, requestId, paramHeaders } = exchange
  const headers = [
    ...COMMON_HEADERS,
    'x-request-id',
    requestId,
    ...route.headers,
    ...link.headers(request.method, targetOf(request)),
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
