import type { IncomingMessage, ServerResponse } from 'node:http'
import type { UpstreamId } from '../base/ids.ts'
import { isBatch, readBatch, readMessage, type RpcMessage, type RpcRequest } from '../base/json-rpc.ts'
import { asProblem, problem, toRpcError, type Problem } from '../base/problem.ts'
import { readBody } from '../http/body.ts'
import { failureHeaders } from '../http/refusal.ts'
import type { Principal } from '../identity/principal.ts'
import { PLAIN_CLIENT } from '../upstreams/client.ts'
import { createBatch } from './batch.ts'
import { decideEra } from './eras/era.ts'
import { takesBatches } from './eras/legacy-revisions.ts'
import type { Flights } from './flights.ts'
import { takeNote, type NoteNeeds } from './notes.ts'
import { readNarrowing } from './narrowing.ts'
import { operate, type OperateNeeds } from './operate.ts'
import { createOutlet, type Outlet } from './outlet.ts'
import type { Asking } from './sessions/asking.ts'
import type { Session } from './sessions/session.ts'
import type { Sessions } from './sessions/sessions.ts'
import type { SessionStreams } from './sessions/streams.ts'
import { createVisit, idText, type Arrival, type Sender, type Visit } from './visit.ts'

export interface EndpointNeeds extends OperateNeeds, NoteNeeds {
  /** Who calls; `auth.*` where nobody the gate knows does. */
  authenticate(request: IncomingMessage, server: UpstreamId | undefined): Principal | Promise<Principal>
  readonly flights: Flights
  readonly sessions: Sessions
  readonly asking: Asking
  readonly streams: SessionStreams
  readonly newRequestId: () => string
  readonly settings: OperateNeeds['settings'] & { readonly requestBytes: number }
  /** Told of every request: its method, how it ended, how long it took. */
  observe(method: string, server: string, ended: { readonly outcome: string; readonly seconds: number }): void
}

interface Received extends Arrival {
  readonly request: IncomingMessage
}

/**
 * Answers one HTTP request to `/mcp` or `/mcp/<server>`: who calls, what is asked, in which era and session; then the
 * operation; then the answer. What fails before the operation is the client's to mend and has its HTTP status; a tool
 * that fails is an answer.
 */
export function createMcpEndpoint(needs: EndpointNeeds) {
  return async function handleMcp(
    request: IncomingMessage,
    response: ServerResponse,
    server: UpstreamId | undefined,
  ): Promise<void> {
    const startedAt = performance.now()
    const requestId = needs.newRequestId()
    const outlet = createOutlet({ response, requestId, takesEvents: accepts(request, EVENTS_KIND) })
    const seen: Seen = { request: undefined }
    let outcome = 'ok'
    try {
      const known = needs.authenticate(request, server)
      const principal = known instanceof Promise ? await known : known
      if (server !== undefined && !needs.registry.has(server))
        throw problem('upstream.unknown', { server: server.slice(0, 64) })
      const arrival = { request, response, server, requestId, outlet, principal }
      outcome = await receive(needs, arrival, seen)
    } catch (error) {
      const id = seen.request ? idText(seen.request) : 'null'
      outcome = refuse(needs, asProblem(error), { requestId, outlet, id })
    } finally {
      const seconds = (performance.now() - startedAt) / 1000
      const method = seen.request?.method ?? 'other'
      needs.observe(method, server !== undefined && needs.registry.has(server) ? server : '', { outcome, seconds })
    }
  }
}

/** What a refusal and a metric have to say of a request, as soon as it is known. */
interface Seen {
  request: RpcRequest | undefined
}

function receive(needs: EndpointNeeds, arrival: Received, seen: Seen): Promise<string> {
  switch (arrival.request.method) {
    case 'POST':
      return post(needs, arrival, seen)
    case 'GET':
      return needs.streams.open(arrival)
    case 'DELETE':
      return end(needs, arrival)
    case undefined:
    default:
      throw problem('request.http_method')
  }
}

async function post(needs: EndpointNeeds, arrival: Received, seen: Seen): Promise<string> {
  const { request, response } = arrival
  checkMediaType(request)
  const body = await readBody(request, needs.settings.requestBytes)
  if (isBatch(body)) return postBatch(needs, arrival, readBatch(body))
  const message = readMessage(body)
  if (message.kind === 'request') seen.request = message
  const found = visitOf(needs, arrival, message)
  const visit = found instanceof Promise ? await found : found
  if (message.kind === 'request') return await operate(needs, message, visit)
  takeNote(needs, message, visit)
  response.writeHead(202, ['X-Request-Id', arrival.requestId]).end()
  return 'ok'
}

/** Several messages in one array, each answered for itself; with one that may not stand in it, nothing is done. @see MCP 2025-03-26, basic/transports#sending-messages */
async function postBatch(needs: EndpointNeeds, arrival: Received, messages: readonly RpcMessage[]): Promise<string> {
  const { request, response, outlet, requestId } = arrival
  const batch = createBatch(outlet)
  const came = messages.map(async (message) => {
    const visit = await visitOf(needs, { ...arrival, outlet: batch.part() }, message)
    const version = visit.session?.version ?? headerOf(request, 'mcp-protocol-version')
    if (visit.era.name === 'modern' || !takesBatches(version)) {
      throw problem('request.invalid', { reason: 'this revision takes one message at a time' })
    }
    return { message, visit }
  })
  const answered = (await Promise.all(came)).map(async ({ message, visit }) => {
    if (message.kind === 'request') await operate(needs, message, visit)
    else takeNote(needs, message, visit)
  })
  await Promise.all(answered)
  if (!batch.end()) response.writeHead(202, ['X-Request-Id', requestId]).end()
  return 'ok'
}

/** In which era and session a message comes, and how its sender is reached. A session is looked for in storage. */
function visitOf(needs: EndpointNeeds, arrival: Received, message: RpcMessage): Visit | Promise<Visit> {
  const { request, principal } = arrival
  const era = decideEra(message, request.headers)
  const found = era.name === 'legacy' ? sessionOf(needs, request, principal) : undefined
  if (found instanceof Promise) return found.then((session) => toVisit(needs, arrival, { message, era, session }))
  return toVisit(needs, arrival, { message, era, session: found })
}

function toVisit(
  needs: EndpointNeeds,
  arrival: Received,
  { message, era, session }: Pick<Sender, 'message' | 'era' | 'session'>,
): Visit {
  const client = session?.client ?? (message.kind === 'request' ? era.clientOf(message) : PLAIN_CLIENT)
  const paramHeaders = paramHeadersOf(arrival.request)
  const narrowing = readNarrowing(arrival.request.headers)
  return createVisit(needs, arrival, { era, session, client, message, paramHeaders, narrowing })
}

/** @throws {Problem} `request.session_unknown` */
function sessionOf({ sessions }: EndpointNeeds, request: IncomingMessage, principal: Principal) {
  const id = headerOf(request, 'mcp-session-id')
  return id === undefined ? undefined : sessions.find(principal, id)
}

async function end(needs: EndpointNeeds, { request, response, principal, requestId }: Received): Promise<string> {
  const session: Session | undefined = await sessionOf(needs, request, principal)
  if (!session) throw problem('request.http_method')
  await needs.sessions.end(session)
  response.writeHead(200, ['X-Request-Id', requestId]).end()
  return 'ok'
}

/** A request that never became an operation. */
function refuse(
  { noteFailure }: EndpointNeeds,
  failure: Problem,
  to: { readonly outlet: Outlet; readonly requestId: string; readonly id: string },
): string {
  noteFailure(failure, to.requestId)
  to.outlet.end(toRpcError(failure, to.id, to.requestId), failure.row.status, failureHeaders(failure))
  return failure.code
}

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

function checkMediaType(request: IncomingMessage): void {
  const type = request.headers['content-type'] ?? ''
  if (type !== 'application/json' && !JSON_TYPE.test(type)) throw problem('request.media_type')
  if (!accepts(request, JSON_KIND)) throw problem('request.not_acceptable')
}

const JSON_TYPE = /^application\/json[ \t]*(?:;|$)/i
const JSON_KIND = /\*\/\*|application\/(?:json|\*)/i
const EVENTS_KIND = /\*\/\*|text\/(?:event-stream|\*)/i

/** @see RFC 9110 §12.5.1: who names no kind takes any */
function accepts({ headers: { accept } }: IncomingMessage, kind: RegExp): boolean {
  return accept === undefined || kind.test(accept)
}

function paramHeadersOf({ rawHeaders }: IncomingMessage): readonly string[] {
  let found: string[] | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.charCodeAt(DASH_AT) === DASH && PARAM_HEADER.test(name))
      (found ??= []).push(name, rawHeaders[index + 1] ?? '')
  }
  return found ?? NO_HEADERS
}

const PARAM_HEADER = /^mcp-param-./i
/** Few headers have a dash there, and a look costs less than to match. */
const DASH_AT = 'mcp-param'.length
const DASH = 0x2d
const NO_HEADERS: readonly string[] = []
