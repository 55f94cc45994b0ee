import type { RpcNotification, RpcResponse } from '../base/json-rpc.ts'
import { flightKeyOf } from './flights.ts'
import { isNews } from './messages.ts'
import type { Asking } from './sessions/asking.ts'
import type { Visit } from './visit.ts'

export interface NoteNeeds {
  /** Ends the request of that key, in whichever process it is answered. */
  cancel(key: string): void
  readonly asking: Pick<Asking, 'replied'>
  /** Passes a notification on to one server, or to all that this client has open. */
  tellUpstreams(message: Buffer, visit: Visit): void
}

/** Takes what asks for no answer: a cancellation, an answer to a question of the gate's, or news for the servers. */
export function takeNote(needs: NoteNeeds, message: RpcNotification | RpcResponse, visit: Visit): void {
  if (message.kind === 'response') {
    if (visit.session) needs.asking.replied(visit.session, message)
    return
  }
  switch (message.method) {
    case 'notifications/cancelled':
      return cancel(needs, message, visit)
    case 'notifications/initialized':
      return
    default:
      if (isNews(message.method)) needs.tellUpstreams(message.bytes, visit)
  }
}

function cancel(needs: NoteNeeds, { paramsValue }: RpcNotification, visit: Visit): void {
  const target = paramsValue?.['requestId']
  if (typeof target !== 'string' && typeof target !== 'number') return
  const key = flightKeyOf(target, visit)
  if (key !== undefined) needs.cancel(key)
}
