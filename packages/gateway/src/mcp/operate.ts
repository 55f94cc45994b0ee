import type { UpstreamId } from '../base/ids.ts'
import { resultMessage, type RpcRequest } from '../base/json-rpc.ts'
import { asProblem, problem, toHttpError, toRpcError, type Problem } from '../base/problem.ts'
import { failureHeaders } from '../http/refusal.ts'
import type { Principal } from '../identity/principal.ts'
import { serverOf } from '../registry/names.ts'
import type { Registry, Standing } from '../registry/registry.ts'
import type { LogLevel } from '../upstreams/client.ts'
import { LOG_LEVELS } from '../upstreams/client.ts'
import type { Answer } from '../upstreams/transport.ts'
import type { Parked, Parking } from './bridge/parking.ts'
import { callServer, type CallNeeds } from './call.ts'
import { isMissing } from './connecting.ts'
import { toolFailure } from './eras/client-era.ts'
import type { Operation, Target } from './eras/operations.ts'
import type { Flights } from './flights.ts'
import { agreedRevision } from './eras/legacy-revisions.ts'
import { memberOf } from './members.ts'
import { isReadAt, narrow } from './narrowing.ts'
import { isNews } from './messages.ts'
import { collect } from './outlet.ts'
import type { Listening } from './listen.ts'
import { listPage } from './lists.ts'
import type { Sessions } from './sessions/sessions.ts'
import { describeStatus, noteOf, statusTool } from './status.ts'
import { idText, leave, type Visit, type VisitNeeds } from './visit.ts'

export interface OperateNeeds extends CallNeeds, VisitNeeds {
  readonly registry: Registry
  readonly sessions: Sessions
  readonly parking: Parking
  readonly listening: Listening
  readonly flights: Pick<Flights, 'begin' | 'end'>
  /** Told of every failure, before its public part is answered. */
  noteFailure(failure: Problem, requestId: string): void
  readonly settings: { readonly perPage: number }
}

/**
 * Runs the operation that a request asks for and writes its answer; a failure is written as the era wants it. Until
 * then it is under way: it can be cancelled, and is waited for when the gate stops.
 *
 * @returns how it ended: `ok`, or the code of the failure.
 */
export async function operate(needs: OperateNeeds, message: RpcRequest, visit: Visit): Promise<string> {
  visit.response.on('close', () => leave(visit))
  needs.flights.begin(visit)
  try {
    // Who left while their session was looked for is told of no more: what closed then does not close again.
    if (visit.response.destroyed) throw problem('request.cancelled')
    const operation = visit.era.operation(message.method)
    if (operation === undefined || (isAny(operation) && (visit.server === undefined || isNews(message.method))))
      throw problem('request.method_unknown', { method: message.method.slice(0, 100) })
    return await run(needs, operation, message, visit)
  } catch (error) {
    return fail(needs, asProblem(error), message, visit)
  } finally {
    needs.flights.end(visit)
  }
}

function isAny(operation: Operation): boolean {
  return operation.kind === 'call' && operation.target === 'any'
}

function run(needs: OperateNeeds, operation: Operation, message: RpcRequest, visit: Visit): Promise<string> | string {
  switch (operation.kind) {
    case 'call':
      return call(needs, operation.target, message, visit)
    case 'list':
      return list(needs, operation.of, message, visit)
    case 'open':
      return open(needs, message, visit)
    case 'ping':
      return end(message, visit.era.nothing, visit)
    case 'level':
      return setLevel(needs, message, visit)
    case 'subscribe':
    case 'unsubscribe':
      return subscribe(needs, operation.kind, message, visit)
    case 'listen':
      return needs.listening.listen(message, visit)
  }
}

function call(needs: OperateNeeds, target: Target, message: RpcRequest, visit: Visit): Promise<string> {
  if (target === 'tool' && visit.server === undefined && message.name === statusTool.name)
    return answerStatus(needs, message, visit)
  if (isResumed(needs, message)) return resume(needs, message, visit)
  return passOn(needs, { request: message, target }, visit)
}

/** A request that comes again after its user was asked to open an address says so, and is a call all the same. */
async function passOn(
  needs: OperateNeeds,
  asked: { readonly request: RpcRequest; readonly target: Target },
  visit: Visit,
): Promise<string> {
  const opened = visit.era.readOpened(asked.request)
  visit.opened = opened?.accepted
  const answer = await callServer(needs, opened ? { ...asked, request: opened.request } : asked, visit)
  const shown = adopted(answer, asked.request, visit)
  if (visit.parked && (await isKept(visit.parked, shown))) return 'ok'
  const rest = visit.outlet.answer(shown)
  if (rest) await rest
  return 'ok'
}

/** Whether the answer belongs to those who come again for it, since its own response has ended. */
async function isKept(parked: Parked, answer: Answer): Promise<boolean> {
  const { detached } = parked
  const isWhole = answer.kind === 'whole'
  const bytes = isWhole ? answer.bytes : detached ? await collect(answer) : EMPTY_ANSWER
  parked.finish({ kind: 'answer', member: memberOf(bytes), status: isWhole ? answer.status : 200 })
  return detached
}

/** For a park that nobody will come to. */
const EMPTY_ANSWER = Buffer.from('{"result":{}}')

/** @throws {Problem} `upstream.bad_answer` where an answer of the other era cannot be read. */
function adopted(answer: Answer, request: RpcRequest, { era, server }: Visit): Answer {
  if (answer.kind === 'stream') return answer
  if (answer.era === era.name) {
    const status = era.answerStatus(answer.status)
    return status === answer.status ? answer : { ...answer, status }
  }
  try {
    return { ...answer, bytes: era.adopt(answer.bytes, request), status: 200 }
  } catch (cause) {
    const name = request.name ?? ''
    throw problem('upstream.bad_answer', { server: server ?? serverOf(name), reason: 'not valid JSON', cause })
  }
}

/** Whether a call of before, which the gate keeps, is to go on with what its client was asked for. */
function isResumed({ parking }: OperateNeeds, { paramsValue }: RpcRequest): boolean {
  const state = paramsValue?.['requestState']
  return typeof state === 'string' && parking.recognises(state)
}

async function resume(needs: OperateNeeds, message: RpcRequest, visit: Visit): Promise<string> {
  const { principal, signal } = visit
  needs.limits.spend(principal)()
  const notify = (told: Buffer, method: string) => visit.notify(told, method)
  const permit = (server: UpstreamId) => needs.placing.mayGoOn(message, server, visit)
  const resumed = await needs.parking.resume({ principal, request: message, signal, permit, notify })
  if (resumed.kind === 'questions') return end(message, resumed.result, visit)
  const { member, status } = resumed
  visit.outlet.end(Buffer.concat([HEAD, Buffer.from(idText(message)), COMMA, member, CLOSE]), status)
  return 'ok'
}

const HEAD = Buffer.from('{"jsonrpc":"2.0","id":')
const COMMA = Buffer.from(',')
const CLOSE = Buffer.from('}')

async function list(
  needs: OperateNeeds,
  of: 'tools' | 'prompts' | 'resources' | 'templates',
  message: RpcRequest,
  visit: Visit,
): Promise<string> {
  return end(message, await listPage(needs, visit, of, message.cursor), visit)
}

async function open(needs: OperateNeeds, message: RpcRequest, visit: Visit): Promise<string> {
  const { paramsValue } = message
  const { principal, era, server } = visit
  const opened =
    era.name === 'legacy'
      ? needs.sessions.open(principal, paramsValue ?? {}, agreedRevision(paramsValue?.['protocolVersion']))
      : undefined
  const client = opened?.session.client ?? visit.client
  const about = server === undefined ? undefined : await needs.registry.about({ ...visit, client })
  const headers = opened ? ['Mcp-Session-Id', opened.headerValue] : []
  return end(message, era.opening(INSTRUCTIONS, paramsValue, about), visit, headers)
}

/** What a model should know of the merged endpoint; a single server speaks for itself. */
const INSTRUCTIONS =
  'Tools of several MCP servers, named server__tool, each called with your own account. sekisho_status says which servers are missing and what to do about it.'

async function setLevel(needs: OperateNeeds, message: RpcRequest, visit: Visit): Promise<string> {
  const level: LogLevel | undefined = LOG_LEVELS.find((known) => known === message.paramsValue?.['level'])
  if (level === undefined) throw problem('request.params', { reason: `level is none of ${LOG_LEVELS.join(', ')}` })
  if (visit.session) await needs.sessions.setLevel(visit.session, level)
  return end(message, visit.era.nothing, visit)
}

async function subscribe(
  needs: OperateNeeds,
  how: 'subscribe' | 'unsubscribe',
  message: RpcRequest,
  visit: Visit,
): Promise<string> {
  const { uri } = message
  if (uri === undefined) throw problem('request.params', { reason: 'uri is missing' })
  if (visit.session) await needs.sessions[how](visit.session, uri, visit)
  return end(message, visit.era.nothing, visit)
}

function end(message: RpcRequest, result: string | Buffer, visit: Visit, headers?: readonly string[]): 'ok' {
  visit.outlet.end(resultMessage(idText(message), result), 200, headers)
  return 'ok'
}

async function answerStatus(needs: OperateNeeds, message: RpcRequest, visit: Visit): Promise<string> {
  const standings = await withMissing(needs, await needs.registry.list(visit, 'tools'), visit)
  const { text, servers } = describeStatus(narrow(standings, visit), {
    counts: ({ definition }) => needs.registry.count(visit, definition.id),
    note: (standing) => noteOf(standing, needs.clock.now(), isReadAt(visit, standing)),
  })
  const content = JSON.stringify([{ type: 'text', text }])
  const members = `"content":${content},"structuredContent":${JSON.stringify({ servers })}`
  return end(message, visit.era.result(members), visit)
}

/** A server whose tools are known all the same may want an account that its user has yet to connect. */
async function withMissing(
  needs: OperateNeeds,
  standings: readonly Standing[],
  { principal }: { readonly principal: Principal },
) {
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

/**
 * A failure of a tool's server or of the caller's token is the tool's result, so that the model reads what
 * happened and what to do; anything else is an error of the protocol.
 */
function fail(needs: OperateNeeds, failure: Problem, message: RpcRequest, visit: Visit): string {
  const { era, requestId, outlet } = visit
  needs.noteFailure(failure, requestId)
  const isLeft = visit.parked?.detached === true
  visit.parked?.finish({ kind: 'failed', problem: failure })
  if (isLeft) return failure.code
  const { method } = message
  if (isMissing(failure) && era.operation(method)?.kind === 'call' && era.opensAddresses(visit.client, method))
    askToOpen(failure, message, visit)
  else if (method === 'tools/call' && ANSWERED.test(failure.code))
    end(message, toolFailure(era, failure, toHttpError(failure, requestId).error), visit)
  else outlet.end(toRpcError(failure, idText(message), requestId), era.failureStatus(failure), failureHeaders(failure))
  return failure.code
}

/** What is a tool's result where it fails, for the model to read. */
const ANSWERED = /^(?:tool\.read_only|upstream|token|connection|provider|vault|call\.(?:expired|lost)|client|shared)\b/

/** Has the user connect what is missing; the client then sends the same request again. */
function askToOpen(failure: Problem, message: RpcRequest, { era, requestId, outlet }: Visit): void {
  const url = String(failure.details['url'])
  const asked = era.askToOpen({ url, message: failure.message })
  if (asked.kind === 'result') return outlet.end(resultMessage(idText(message), asked.result))
  const { code, data } = asked
  const shown = { ...data, ...toHttpError(failure, requestId).error }
  const error = JSON.stringify({ code, message: failure.message, data: shown })
  outlet.end(`{"jsonrpc":"2.0","id":${idText(message)},"error":${error}}`)
}
