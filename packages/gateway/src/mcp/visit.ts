import type { ServerResponse } from 'node:http'
import type { UpstreamId } from '../base/ids.ts'
import type { RpcMessage, RpcRequest } from '../base/json-rpc.ts'
import { resultMessage } from '../base/json-rpc.ts'
import { problem, type Problem } from '../base/problem.ts'
import type { Principal } from '../identity/principal.ts'
import type { ClientView } from '../upstreams/client.ts'
import type { Question, Reply } from '../upstreams/transport.ts'
import type { Parked, Parking } from './bridge/parking.ts'
import type { Context } from './context.ts'
import type { ClientEra } from './eras/client-era.ts'
import { isWantedMessage } from './messages.ts'
import type { Outlet } from './outlet.ts'
import type { Asking } from './sessions/asking.ts'
import { cannotAsk } from './sessions/asking.ts'
import type { CallStreams } from './sessions/call-streams.ts'
import type { Session } from './sessions/session.ts'

/** One message of a client's, from its arrival until it is answered. */
export interface Visit extends Context {
  readonly response: ServerResponse
  readonly outlet: Outlet
  /** Set from the first question on that its server asked a client without a stream. */
  parked: Parked | undefined
  /** The connection is gone. */
  readonly onClose: () => void
}

export interface VisitNeeds {
  readonly parking: Pick<Parking, 'park'>
  readonly asking: Pick<Asking, 'ask'>
  readonly calls: Pick<CallStreams, 'mayResume' | 'journal'>
}

export interface Visitor {
  readonly response: ServerResponse
  readonly outlet: Outlet
  readonly principal: Principal
  readonly requestId: string
  readonly server: UpstreamId | undefined
  readonly era: ClientEra
  readonly session: Session | undefined
  readonly client: ClientView
  readonly message: RpcMessage
  readonly paramHeaders: readonly string[]
}

/** Makes all that an operation has to know of the message it answers. */
export function createVisit(needs: VisitNeeds, visitor: Visitor): Visit {
  const { response, outlet, principal, requestId, server, era, session, client, message, paramHeaders } = visitor
  const controller = new AbortController()

  if (session && message.kind === 'request' && needs.calls.mayResume(session)) {
    outlet.keepIn(() => needs.calls.journal(session, idText(message)))
  }

  function abort(reason: Problem): void {
    controller.abort(reason)
  }

  /** A call whose client waits on no stream is kept; the client comes again with its answers. */
  function park(request: RpcRequest, asker: UpstreamId): Parked {
    const detach = (result: string) => outlet.end(resultMessage(idText(request), result))
    return needs.parking.park({ principal, request, client, server: asker, abort, detach })
  }

  const visit: Visit = {
    principal,
    era,
    requestId,
    server,
    client,
    session,
    paramHeaders,
    signal: controller.signal,
    response,
    outlet,
    abort,
    // No accessor: the engine keeps its functions, and with them all of the request, until the next full collection.
    parked: undefined,
    onClose() {
      if (!visit.parked?.detached && !response.writableFinished) outlet.lost(() => abort(problem('request.cancelled')))
    },
    notify(told, method) {
      if (method === 'notifications/message' && !isWantedMessage(told, client.logLevel)) return
      if (visit.parked?.detached) visit.parked.notify(told, method)
      else if (!outlet.notify(told)) abort(problem('request.not_read'))
    },
    ask(question: Question, asker: UpstreamId): Promise<Reply> {
      if (message.kind !== 'request') return Promise.resolve(cannotAsk(question))
      if (era.name === 'modern') return (visit.parked ??= park(message, asker)).ask(question)
      if (!session) return Promise.resolve(cannotAsk(question))
      return needs.asking.ask(session, question, { through: outlet.ask, signal: controller.signal })
    },
  }
  return visit
}

/** The id in the very bytes it came in: `1.0` and `1` are one number, and not one text. */
export function idText({ bytes, idSpan }: RpcRequest): string {
  return bytes.toString('utf8', idSpan.start, idSpan.end)
}
