import { isRecord, type RpcNotification } from '../../base/json-rpc.ts'
import { eachMember, splice } from '../../base/json-spans.ts'
import type { Heard } from '../../upstreams/era.ts'
import type { Interests, ListName } from '../../upstreams/transport.ts'
import { SUBSCRIPTION_KEY } from './2026-07-28-words.ts'

/**
 * Reads what comes on the stream of `subscriptions/listen`.
 *
 * @see MCP 2026-07-28, basic/utilities/subscriptions: first what is honoured, then what happens
 */
export function heard(message: RpcNotification): Heard {
  if (message.method === 'notifications/subscriptions/acknowledged') {
    return { kind: 'honoured', interests: acknowledged(message.paramsValue?.['notifications']) }
  }
  return { kind: 'told', message: withoutSubscription(message) }
}

const FLAGS: readonly (readonly [flag: string, list: ListName])[] = [
  ['toolsListChanged', 'tools'],
  ['promptsListChanged', 'prompts'],
  ['resourcesListChanged', 'resources'],
]

function acknowledged(said: unknown): Interests {
  const flags = isRecord(said) ? said : {}
  const uris = flags['resourceSubscriptions']
  return {
    lists: new Set(FLAGS.filter(([flag]) => flags[flag] === true).map(([, list]) => list)),
    uris: new Set(Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string') : []),
  }
}

/** The id in it is that of the gate's own request, and means nothing to whoever the message goes on to. */
function withoutSubscription({ bytes, meta, metaSpan }: RpcNotification): Buffer {
  if (metaSpan === undefined || meta?.[SUBSCRIPTION_KEY] === undefined) return bytes
  const kept: string[] = []
  eachMember(bytes, metaSpan.start, (key, start, end) => {
    if (key !== SUBSCRIPTION_KEY) kept.push(`${JSON.stringify(key)}:${bytes.toString('utf8', start, end)}`)
  })
  return splice(bytes, [{ ...metaSpan, by: `{${kept.join(',')}}` }])
}
