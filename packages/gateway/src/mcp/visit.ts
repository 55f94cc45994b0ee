import type { ServerResponse } from 'node:http'
import type { UpstreamId } from '../base/ids.ts'
import type { RpcMessage, RpcRequest } from '../base/json-rpc.ts'
import { resultMessage } from '../base/json-rpc.ts'
import { problem, type Problem } from '../base/problem.ts'
import { createStop, type Stop } from '../base/stop.ts'
import type { Principal } from '../identity/principal.ts'
import type { ClientView } from '../upstreams/client.ts'
import type { Question, Reply } from '../upstreams/transport.ts'
import type { Parked, Parking } from './bridge/parking.ts'
import type { Context } from './context.ts'
import type { ClientEra } from './eras/client-era.ts'
import { flightKeyOf, noSeat, type Flight } from './flights.ts'
import { isWantedMessage } from './messages.ts'
import type { Narrowing } from './narrowing.ts'
import type { Outlet } from './outlet.ts'
import type { Asking } from './sessions/asking.ts'
import { cannotAsk } from './sessions/asking.ts'
import type { CallStreams } from './sessions/call-streams.ts'
import type { Session } from './sessions/session.ts'

/** One message of a client's, from its arrival until it is answered. */
export interface Visit extends Context, Flight {
  readonly response: ServerResponse
  readonly outlet: Outlet
  opened: boolean | undefined
  /** Set from the first question on that its server asked a client without a stream. */
  parked: Parked | undefined
}

export interface VisitNeeds {
  readonly parking: Pick<Parking, 'park'>
  readonly asking: Pick<Asking, 'ask'>
  readonly calls: Pick<CallStreams, 'mayResume' | 'journal'>
}

/** One HTTP request, before it is known what it asks. */
export interface Arrival {
  readonly response: ServerResponse
  readonly outlet: Outlet
  readonly principal: Principal
  readonly requestId: string
  readonly server: UpstreamId | undefined
}

/** What a message says of who sent it. */
export interface Sender {
  readonly era: ClientEra
  readonly session: Session | undefined
  readonly client: ClientView
  readonly message: RpcMessage
  readonly paramHeaders: readonly string[]
  readonly narrowing?: Narrowing | undefined
}

/** A visit as it stands. Its functions are shared by all visits, since one is made for every request. */
interface State extends Visit {
  readonly needs: VisitNeeds
  readonly message: RpcMessage
  readonly signal: Stop
}

/** Makes all that an operation has to know of the message it answers. */
export function createVisit(needs: VisitNeeds, arrival: Arrival, sender: Sender): Visit {
  const { outlet } = arrival
  const { session, message } = sender
  if (session && message.kind === 'request') {
    const id = idText(message)
    if (needs.calls.mayResume(session, id)) outlet.keepIn(() => needs.calls.journal(session, id))
  }
  const visit: State = {
    needs,
    message,
    principal: arrival.principal,
    era: sender.era,
    requestId: arrival.requestId,
    server: arrival.server,
    client: sender.client,
    session,
    paramHeaders: sender.paramHeaders,
    narrowing: sender.narrowing,
    signal: createStop(),
    response: arrival.response,
    outlet,
    opened: undefined,
    // No accessor: the engine keeps its functions, and with them all of the request, until the next full collection.
    parked: undefined,
    seat: noSeat(),
    abort,
    notify,
    ask,
    flightKey,
    keepAlive,
  }
  return visit
}

/** What to do when the connection of a visit is gone. */
export function leave(visit: Visit): void {
  const { parked, response, outlet } = visit
  if (!parked?.detached && !response.writableFinished) {
    outlet.lost(() => visit.abort(problem('request.cancelled')))
  }
}

function abort(this: State, reason: Problem): void {
  this.signal.abort(reason)
}

function notify(this: State, told: Buffer, method: string): void {
  const { client, parked, outlet } = this
  if (method === 'notifications/message' && !isWantedMessage(told, client.logLevel)) return
  if (parked?.detached) parked.notify(told, method)
  else if (!outlet.notify(told)) this.abort(problem('request.not_read'))
}

function ask(this: State, question: Question, asker: UpstreamId): Promise<Reply> {
  const { needs, message, era, session, signal, outlet } = this
  if (message.kind !== 'request') return Promise.resolve(cannotAsk(question))
  if (era.name === 'modern') return (this.parked ??= park(this, message, asker)).ask(question)
  if (!session) return Promise.resolve(cannotAsk(question))
  return needs.asking.ask(session, question, { through: (told) => outlet.ask(told), signal })
}

/** A call whose client waits on no stream is kept; the client comes again with its answers. */
function park(visit: State, request: RpcRequest, server: UpstreamId): Parked {
  const { needs, principal, client, outlet } = visit
  return needs.parking.park({
    principal,
    request,
    client,
    server,
    abort: (reason) => visit.abort(reason),
    detach: (result) => outlet.end(resultMessage(idText(request), result)),
  })
}

function flightKey(this: State): string | undefined {
  return this.message.kind === 'request' ? flightKeyOf(this.message.id, this) : undefined
}

function keepAlive(this: State): void {
  this.outlet.keepAlive()
}

/** The id in the very bytes it came in: `1.0` and `1` are one number, and not one text. */
export function idText({ bytes, idSpan }: RpcRequest): string {
  return bytes.toString('utf8', idSpan.start, idSpan.end)
}
