import { randomUUID } from 'node:crypto'
import { problem } from '../../base/problem.ts'
import { VERSION } from '../../base/version.ts'
import { isRecord } from '../../base/json-rpc.ts'
import { PLAIN_CLIENT } from '../../upstreams/client.ts'
import type { Handshake } from '../../upstreams/era.ts'
import { MERGED, withoutTasks } from './capabilities.ts'
import type { ClientEra } from './client-era.ts'
import { agreedRevision, REVISIONS } from './legacy-revisions.ts'
import { ANYTHING, commonOperations, type Operation } from './operations.ts'

const operations: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['initialize', { kind: 'open' }],
  ['ping', { kind: 'ping' }],
  ['logging/setLevel', { kind: 'level' }],
  ['resources/subscribe', { kind: 'subscribe' }],
  ['resources/unsubscribe', { kind: 'unsubscribe' }],
  ['tasks/result', { kind: 'call', target: 'task' }],
  ...commonOperations,
])

/** What only the newer revision has. */
const NOT_YET = new Set(['server/discover', 'subscriptions/listen', 'tasks/update'])

/**
 * The revisions with a handshake toward clients: 2025-11-25, 2025-06-18, 2025-03-26, and 2024-11-05 as far as it
 * differs in nothing the gate reads.
 *
 * @see the MCP specification 2025-11-25, basic/lifecycle
 */
export const legacyClient: ClientEra = {
  name: 'legacy',
  operation: (method) => operations.get(method) ?? (NOT_YET.has(method) ? undefined : ANYTHING),
  /** The header came with 2025-06-18; without it, an older revision is spoken. */
  check(message, headers) {
    const version = headers['mcp-protocol-version']
    if (version === undefined || REVISIONS.includes(String(version))) return
    if (message.kind === 'request' && message.method === 'initialize') return
    throw problem('request.version_unsupported', { requested: String(version).slice(0, 40), supported: REVISIONS })
  },
  /** It said once, when its session was opened. */
  clientOf: () => PLAIN_CLIENT,
  opening(instructions, params, server) {
    const words = server ? server.instructions : instructions
    return JSON.stringify({
      protocolVersion: agreedRevision(params?.['protocolVersion']),
      capabilities: server ? bridged(server) : MERGED,
      serverInfo: server?.serverInfo ?? { name: 'sekisho', title: 'Sekisho', version: VERSION },
      ...(words === undefined ? {} : { instructions: words }),
    })
  },
  opensAddresses({ capabilities }) {
    const { elicitation } = JSON.parse(capabilities) as { elicitation?: unknown }
    return isRecord(elicitation) && isRecord(elicitation['url'])
  },
  /** @see MCP 2025-11-25, client/elicitation#url-elicitation-required-error */
  askToOpen: ({ url, message }) => ({
    kind: 'error',
    code: -32042,
    data: { elicitations: [{ mode: 'url', elicitationId: randomUUID(), url, message }] },
  }),
  readOpened: () => undefined,
  nothing: '{}',
  listPage(member, items, { nextCursor, rest }) {
    const cursor = nextCursor === undefined ? '' : `,"nextCursor":${JSON.stringify(nextCursor)}`
    const others = rest === '' ? '' : `,${rest}`
    return Buffer.concat([Buffer.from(`{"${member}":[`), items, Buffer.from(`]${cursor}${others}}`)])
  },
  result: (members) => `{${members}}`,
  /** Not 404, which would tell the client that its session has ended. */
  failureStatus: ({ row }) => (row.status === 429 ? 429 : 200),
  answerStatus: () => 200,
  adopt: (answer) => answer,
}

/** What of a server's capabilities a client of this era can use through the gate. */
function bridged({ era, capabilities }: Handshake): Readonly<Record<string, unknown>> {
  return era === 'legacy' ? capabilities : { ...withoutTasks(capabilities), logging: {} }
}
