import { isRecord } from '../../base/json-rpc.ts'
import { findMember, splice, type Edit, type Span } from '../../base/json-spans.ts'
import { problem } from '../../base/problem.ts'
import type { Interests, ListName } from '../../upstreams/transport.ts'
import { SUBSCRIPTION_KEY } from './2026-07-28-words.ts'
import { insertMember } from './members.ts'

/**
 * What a client of revision 2026-07-28 is told outside of any other request.
 *
 * @see the MCP specification 2026-07-28, basic/patterns/subscriptions
 */
const FILTERS: Readonly<Record<ListName, string>> = {
  tools: 'toolsListChanged',
  prompts: 'promptsListChanged',
  resources: 'resourcesListChanged',
}
const URIS = 'resourceSubscriptions'

/** How many resources one request may name. */
const URIS_MOST = 1_000

/**
 * Reads what a `subscriptions/listen` asks to be told of; resources by the URIs that the client has for them.
 *
 * @throws {Problem} `request.params`
 */
export function readWanted(params: Readonly<Record<string, unknown>> | undefined): Interests {
  const filter = params?.['notifications']
  if (!isRecord(filter)) throw invalid('notifications is not an object')
  const names: readonly ListName[] = ['tools', 'prompts', 'resources']
  const { [URIS]: uris = [] } = filter
  if (!Array.isArray(uris) || !uris.every((uri) => typeof uri === 'string')) throw invalid(`${URIS} is no list of URIs`)
  if (uris.length > URIS_MOST) throw invalid(`${URIS} has more than ${URIS_MOST} of them`)
  return { lists: new Set(names.filter((name) => filter[FILTERS[name]] === true)), uris: new Set(uris) }
}

function invalid(reason: string) {
  return problem('request.params', { reason })
}

/** The first message of such a stream: what of it the client will be told. `id` is the text of the request's own. */
export function acknowledged({ lists, uris }: Interests, id: string): Buffer {
  const notifications = {
    ...Object.fromEntries([...lists].map((name) => [FILTERS[name], true])),
    ...(uris.size > 0 ? { [URIS]: [...uris] } : {}),
  }
  const params = `{"_meta":{"${SUBSCRIPTION_KEY}":${id}},"notifications":${JSON.stringify(notifications)}}`
  return Buffer.from(`{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":${params}}`)
}

/** A notification as it stands on such a stream, with the id of the request that asked for it. */
export function told(message: Buffer, id: string): Buffer {
  const params = findMember(message, 0, 'params')
  if (!params) return splice(message, [insertMember(message, 0, `"params":{"_meta":{"${SUBSCRIPTION_KEY}":${id}}}`)])
  const meta = findMember(message, params.start, '_meta')
  if (!meta) return splice(message, [insertMember(message, params.start, `"_meta":{"${SUBSCRIPTION_KEY}":${id}}`)])
  return splice(message, [marked(message, meta, id)])
}

/** The mark of the stream that the message came on, where it has one, is not that of the one it goes out on. */
function marked(message: Buffer, meta: Span, id: string): Edit {
  const mark = findMember(message, meta.start, SUBSCRIPTION_KEY)
  return mark ? { ...mark, by: id } : insertMember(message, meta.start, `"${SUBSCRIPTION_KEY}":${id}`)
}

/** The result of such a request: the gate tells nothing more. */
export function toldAll(id: string): string {
  return `{"resultType":"complete","_meta":{"${SUBSCRIPTION_KEY}":${id}}}`
}
