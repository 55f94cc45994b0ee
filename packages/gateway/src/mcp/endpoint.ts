import type { IncomingMessage, ServerResponse } from 'node:http'
import type { UpstreamId } from '../base/ids.ts'
import { readMessage, resultMessage, type RpcMessage, type RpcNotification, type RpcRequest } from '../base/json-rpc.ts'
import { asProblem, problem, toHttpError, toRpcError, type Problem } from '../base/problem.ts'
import { readBody } from '../http/body.ts'
import { failureHeaders } from '../http/refusal.ts'
import type { Principal } from '../identity/principal.ts'
import { serverOf } from '../registry/names.ts'
import type { Registry, Standing } from '../registry/registry.ts'
import type { Answer } from '../upstreams/transport.ts'
import { callTool, type CallNeeds } from './call.ts'
import { isMissing } from './connecting.ts'
import type { Context } from './context.ts'
import { toolFailure } from './eras/client-era.ts'
import { decideEra } from './eras/era.ts'
import type { Flights } from './flights.ts'
import { createOutlet, type Outlet } from './outlet.ts'
import { describeStatus, statusTool } from './status.ts'
import { listTools } from './tools.ts'

export interface EndpointNeeds extends CallNeeds {
  readonly registry: Registry
  /** Who calls; `auth.*` where nobody the gate knows does. */
  authenticate(request: IncomingMessage, server: UpstreamId | undefined): Principal | Promise<Principal>
  readonly flights: Flights
  readonly newRequestId: () => string
  /** Told of every failure, before its public part is answered. */
  noteFailure(failure: Problem, requestId: string): void
  readonly settings: { readonly requestBytes: number; readonly toolsPerPage: number }
  /** Told of every request: its method, how it ended, how long it took. */
  observe(method: string, server: string, ended: { readonly outcome: string; readonly seconds: number }): void
}

/**
 * Answers one HTTP request to `/mcp` or `/mcp/<server>`: who calls, what is asked, in which era; then the
 * operation; then the answer. What fails before the operation is the client's to mend and has its HTTP
 * status; a tool that fails is an answer.
 */
export function createMcpEndpoint(needs: EndpointNeeds) {
  return async function handleMcp(
    request: IncomingMessage,
    response: ServerResponse,
    server: UpstreamId | undefined,
  ): Promise<void> {
    const startedAt = performance.now()
    const requestId = needs.newRequestId()
    const controller = new AbortController()
    const abort = (reason: Problem) => controller.abort(reason)
    const outlet = createOutlet({
      response,
      requestId,
      takesEvents: accepts(request, EVENTS_KIND),
      onStalled: () => abort(problem('request.not_read')),
    })
    let message: RpcMessage | undefined
    let outcome = 'ok'
    try {
      // 1. Who calls.
      if (request.method !== 'POST') throw problem('request.http_method')
      const known = needs.authenticate(request, server)
      const principal = known instanceof Promise ? await known : known
      if (server !== undefined && !needs.registry.has(server))
        throw problem('upstream.unknown', { server: server.slice(0, 64) })
      // 2. What is asked, in which era.
      checkMediaType(request)
      message = readMessage(await readBody(request, needs.settings.requestBytes))
      const era = decideEra(message, request.headers)
      const { signal } = controller
      const paramHeaders = paramHeadersOf(request)
      const sessionId = sessionIdOf(request)
      const ctx: Context = {
        principal,
        era,
        requestId,
        server,
        sessionId,
        paramHeaders,
        signal,
        abort,
        notify: outlet.notify,
      }
      // 3. The operation, and its answer.
      if (message.kind === 'request') {
        response.on('close', () => {
          if (!response.writableFinished) abort(problem('request.cancelled'))
        })
        const key = flightKey(message.id, ctx, request)
        const end = needs.flights.begin({ key, abort, keepAlive: outlet.keepAlive })
        outcome = await operate(needs, message, ctx, outlet).finally(end)
      } else {
        if (message.kind === 'notification') takeNote(needs, message, ctx, request)
        response.writeHead(202, ['X-Request-Id', requestId]).end()
      }
    } catch (error) {
      outcome = refuse(needs, asProblem(error), message, { requestId, outlet })
    } finally {
      const method = message?.kind === 'request' ? message.method : 'other'
      const seconds = (performance.now() - startedAt) / 1000
      needs.observe(method, server !== undefined && needs.registry.has(server) ? server : '', { outcome, seconds })
    }
  }
}

/** Runs the operation and writes its answer; a failure is written as the era wants it. */
async function operate(needs: EndpointNeeds, message: RpcRequest, ctx: Context, outlet: Outlet): Promise<string> {
  try {
    const operation = ctx.era.operations[message.method]
    switch (operation) {
      case 'tools.call':
        if (ctx.server === undefined && message.name === statusTool.name)
          return await answerStatus(needs, message, ctx, outlet)
        return await passOn(adopted(await call(needs, message, ctx), message, ctx), outlet)
      case 'tools.list': {
        const { tools, nextCursor, ttlMs } = await listTools(needs, ctx, message.cursor)
        return answer(message, ctx.era.toolsPage(tools, nextCursor, ttlMs), outlet)
      }
      case 'open':
        return answer(message, opening(message, ctx), outlet, ctx.era.openingHeaders(message.paramsValue))
      case 'ping':
        return answer(message, ctx.era.pong, outlet)
      case undefined:
      default:
        throw problem('request.method_unknown', { method: message.method.slice(0, 100) })
    }
  } catch (error) {
    return fail(needs, asProblem(error), message, { ctx, outlet })
  }
}

/** A request that comes again after its user was asked to open an address says so, and is a call all the same. */
function call(needs: EndpointNeeds, message: RpcRequest, ctx: Context): Promise<Answer> {
  const opened = ctx.era.readOpened(message)
  if (!opened) return callTool(needs, message, ctx)
  return callTool(needs, opened.request, { ...ctx, opened: opened.accepted })
}

/** What a model should know of the merged endpoint; a single server speaks for itself. */
function opening({ paramsValue }: RpcRequest, { era, server }: Context): string {
  return era.opening(server === undefined ? INSTRUCTIONS : undefined, paramsValue)
}

const INSTRUCTIONS =
  'Tools of several MCP servers, named server__tool, each called with your own account. sekisho_status says which servers are missing and what to do about it.'

/** An answer that comes in pieces is under way until the last of them, for whoever counts or cancels it. */
function passOn(answer: Answer, outlet: Outlet): 'ok' | Promise<'ok'> {
  const rest = outlet.answer(answer)
  return rest ? rest.then(() => 'ok') : 'ok'
}

/** @throws {Problem} `upstream.bad_answer` where an answer of the other era cannot be read. */
function adopted(answer: Answer, { name = '' }: RpcRequest, { era, server }: Context): Answer {
  if (answer.kind === 'stream') return answer
  if (answer.era === era.name) return { ...answer, status: era.answerStatus(answer.status) }
  try {
    return { ...answer, bytes: era.adopt(answer.bytes), status: 200 }
  } catch (cause) {
    throw problem('upstream.bad_answer', { server: server ?? serverOf(name), reason: 'not valid JSON', cause })
  }
}

function answer(message: RpcRequest, result: string | Buffer, outlet: Outlet, headers?: readonly string[]): 'ok' {
  outlet.end(resultMessage(idText(message), result), 200, headers)
  return 'ok'
}

async function answerStatus(needs: EndpointNeeds, message: RpcRequest, ctx: Context, outlet: Outlet): Promise<string> {
  const { text, servers } = describeStatus(await withMissing(needs, await needs.registry.list(ctx), ctx))
  const content = JSON.stringify([{ type: 'text', text }])
  return answer(
    message,
    ctx.era.result(`"content":${content},"structuredContent":${JSON.stringify({ servers })}`),
    outlet,
  )
}

/** A server whose tools are known all the same may want an account that its user has yet to connect. */
async function withMissing(needs: EndpointNeeds, standings: readonly Standing[], { principal }: Context) {
  const looked = standings.map(async (standing): Promise<Standing> => {
    if (standing.failure) return standing
    try {
      await needs.credentials.require(principal, standing.definition.id)
      return standing
    } catch (error) {
      return { ...standing, failure: asProblem(error) }
    }
  })
  return Promise.all(looked)
}

interface Refusal {
  readonly outlet: Outlet
  readonly requestId: string
}

/** A request that never became an operation. */
function refuse(
  { noteFailure }: EndpointNeeds,
  failure: Problem,
  message: RpcMessage | undefined,
  to: Refusal,
): string {
  const { outlet, requestId } = to
  noteFailure(failure, requestId)
  const id = message?.kind === 'request' ? idText(message) : 'null'
  outlet.end(toRpcError(failure, id, requestId), failure.row.status, failureHeaders(failure))
  return failure.code
}

/**
 * A failure of a tool's server or of the caller's token is the tool's result, so that the model reads what
 * happened and what to do; anything else is an error of the protocol.
 */
function fail(
  { noteFailure }: EndpointNeeds,
  failure: Problem,
  message: RpcRequest,
  { ctx, outlet }: { readonly ctx: Context; readonly outlet: Outlet },
): string {
  const { era, requestId } = ctx
  noteFailure(failure, requestId)
  if (isMissing(failure) && message.method === 'tools/call' && era.opensAddresses(message, ctx.sessionId)) {
    askToOpen(failure, message, { ctx, outlet })
  } else if (message.method === 'tools/call' && ANSWERED.test(failure.code)) {
    answer(message, toolFailure(era, failure, toHttpError(failure, requestId).error), outlet)
  } else {
    outlet.end(toRpcError(failure, idText(message), requestId), era.failureStatus(failure), failureHeaders(failure))
  }
  return failure.code
}

/** What is a tool's result where it fails, for the model to read. */
const ANSWERED = /^(?:upstream|token|connection|provider|vault)\./

/** Has the user connect what is missing; the client then sends the same request again. */
function askToOpen(
  failure: Problem,
  message: RpcRequest,
  { ctx, outlet }: { readonly ctx: Context; readonly outlet: Outlet },
): void {
  const url = String(failure.details['url'])
  const asked = ctx.era.askToOpen({ url, message: failure.message })
  if (asked.kind === 'result') return void answer(message, asked.result, outlet)
  const { code, data } = asked
  const shown = { ...data, ...toHttpError(failure, ctx.requestId).error }
  const error = JSON.stringify({ code, message: failure.message, data: shown })
  outlet.end(`{"jsonrpc":"2.0","id":${idText(message)},"error":${error}}`)
}

function takeNote(needs: EndpointNeeds, message: RpcNotification, ctx: Context, request: IncomingMessage): void {
  const target = message.paramsValue?.['requestId']
  if (message.method !== 'notifications/cancelled' || (typeof target !== 'string' && typeof target !== 'number')) return
  const key = flightKey(target, ctx, request)
  if (key !== undefined) needs.flights.cancel(key)
}

/**
 * What a legacy client's cancellation finds its request by. The session header is a label that keeps a
 * user's clients apart, and proves nothing; a modern client cancels by hanging up.
 */
function flightKey(id: string | number, { principal, era }: Context, { headers }: IncomingMessage): string | undefined {
  if (era.name === 'modern') return undefined
  return `${principal.keyId} ${sessionIdOf({ headers }) ?? ''} ${typeof id} ${id}`
}

function sessionIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  const id = headers['mcp-session-id']
  return typeof id === 'string' ? id : undefined
}

function checkMediaType(request: IncomingMessage): void {
  const type = request.headers['content-type'] ?? ''
  if (!/^application\/json[ \t]*(?:;|$)/i.test(type)) throw problem('request.media_type')
  if (!accepts(request, JSON_KIND)) throw problem('request.not_acceptable')
}

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
    if (PARAM_HEADER.test(name)) (found ??= []).push(name, rawHeaders[index + 1] ?? '')
  }
  return found ?? NO_HEADERS
}

const PARAM_HEADER = /^mcp-param-/i
const NO_HEADERS: readonly string[] = []

/** The id in the very bytes it came in: `1.0` and `1` are one number, and not one text. */
function idText({ bytes, idSpan }: RpcRequest): string {
  return bytes.toString('utf8', idSpan.start, idSpan.end)
}
