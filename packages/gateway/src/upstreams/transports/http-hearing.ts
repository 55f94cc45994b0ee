import { readMessage, type RpcMessage, type RpcRequest } from '../../base/json-rpc.ts'
import type { Log } from '../../base/log.ts'
import type { UpstreamEras } from '../era.ts'
import type { Interests, Who } from '../transport.ts'
import type { Group } from './http-group.ts'
import type { Link } from './http-link.ts'
import type { Speech, Way } from './http-speech.ts'

export interface HearingNeeds {
  readonly upstream: string
  readonly eras: UpstreamEras
  readonly log: Log
  readonly speech: Pick<Speech, 'answer'>
  /** Told of each notification, beside those who watch. */
  onNotification(method: string, who: Who): void
}

export type Hearing = ReturnType<typeof createHearing>

/** Takes what comes on the streams of groups, and hands it to those whom it concerns. */
export function createHearing({ upstream: server, eras, log, speech, onNotification }: HearingNeeds) {
  function tell({ caller, listeners }: Group, message: RpcMessage): void {
    if (message.kind !== 'notification') return
    onNotification(message.method, caller)
    listeners.tell(message)
  }

  return {
    read(data: Buffer): RpcMessage | undefined {
      try {
        return readMessage(data)
      } catch (error) {
        log.debug({ server, error }, 'upstream.told_nonsense')
        return undefined
      }
    },
    /** A notification, without what the era ties it to; a cancelled question is one of the upstream's own ids. */
    notification(group: Group, message: RpcMessage, { era }: Link): Interests | undefined {
      if (message.kind !== 'notification' || message.method === 'notifications/cancelled') return undefined
      const heard = eras[era].heard(message)
      if (heard.kind === 'honoured') return heard.interests
      tell(group, heard.message === message.bytes ? message : readMessage(heard.message))
      return undefined
    },
    /** A request of the upstream's own, outside of any call. */
    request({ listeners }: Group, way: Way, question: RpcRequest): void {
      speech.answer(way, question, listeners.findAsked(question)?.ask)
    },
    /** Has everybody look again at what they follow. */
    missed(group: Group): void {
      const { lists, uris } = group.listeners.wanted()
      for (const list of lists) onNotification(`notifications/${list}/list_changed`, group.caller)
      group.listeners.tellChanged()
      for (const uri of uris) tell(group, readMessage(updated(uri)))
    },
  }
}

function updated(uri: string): Buffer {
  return Buffer.from(`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":${JSON.stringify({ uri })}}`)
}
