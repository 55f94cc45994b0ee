import { randomUUID } from 'node:crypto'
import { problem } from '../../base/problem.ts'
import { VERSION } from '../../base/version.ts'
import { isRecord } from '../../base/json-rpc.ts'
import type { Handshake, UpstreamEra } from '../../upstreams/era.ts'
import type { ClientEra } from './client-era.ts'

/**
 * The revisions with a handshake: 2025-11-25, 2025-06-18, 2025-03-26, and 2024-11-05 as far as it differs
 * in nothing the gate reads.
 *
 * @see the MCP specification 2025-11-25, basic/lifecycle
 */
const REVISIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']
const LATEST = '2025-11-25'

/** At the end of a session id: its client takes URL elicitation. */
const OPENS_ADDRESSES = '.url'

export const legacyClient: ClientEra = {
  name: 'legacy',
  operations: {
    initialize: 'open',
    ping: 'ping',
    'tools/list': 'tools.list',
    'tools/call': 'tools.call',
  },
  /** The header came with 2025-06-18; without it, an older revision is spoken. */
  check(message, headers) {
    const version = headers['mcp-protocol-version']
    if (version === undefined || REVISIONS.includes(String(version))) return
    if (message.kind === 'request' && message.method === 'initialize') return
    throw problem('request.version_unsupported', { requested: String(version).slice(0, 40), supported: REVISIONS })
  },
  opening(instructions, params) {
    const requested = params?.['protocolVersion']
    return JSON.stringify({
      protocolVersion: typeof requested === 'string' && REVISIONS.includes(requested) ? requested : LATEST,
      capabilities: { tools: {} },
      serverInfo: { name: 'sekisho', title: 'Sekisho', version: VERSION },
      ...(instructions === undefined ? {} : { instructions }),
    })
  },
  /**
   * A label that keeps the client's requests apart from those of others, and says what the client can do; nothing is
   * stored under it. Whoever makes one up is believed, and is asked for what they then cannot do.
   */
  openingHeaders(params) {
    const { capabilities } = params ?? {}
    const elicitation = isRecord(capabilities) ? capabilities['elicitation'] : undefined
    const opens = isRecord(elicitation) && isRecord(elicitation['url'])
    return ['Mcp-Session-Id', opens ? `${randomUUID()}${OPENS_ADDRESSES}` : randomUUID()]
  },
  opensAddresses: (_message, sessionId) => sessionId?.endsWith(OPENS_ADDRESSES) ?? false,
  /** @see MCP 2025-11-25, client/elicitation#url-elicitation-required-error */
  askToOpen: ({ url, message }) => ({
    kind: 'error',
    code: -32042,
    data: { elicitations: [{ mode: 'url', elicitationId: randomUUID(), url, message }] },
  }),
  readOpened: () => undefined,
  pong: '{}',
  toolsPage(tools, nextCursor) {
    const cursor = nextCursor === undefined ? '' : `,"nextCursor":${JSON.stringify(nextCursor)}`
    return Buffer.concat([Buffer.from('{"tools":['), tools, Buffer.from(`]${cursor}}`)])
  },
  result: (members) => `{${members}}`,
  /** Not 404, which would tell the client that its session has ended. */
  failureStatus: ({ row }) => (row.status === 429 ? 429 : 200),
  answerStatus: () => 200,
  adopt: (answer) => answer,
}

export const legacyUpstream: UpstreamEra = {
  name: 'legacy',
  opening: {
    method: 'initialize',
    params: JSON.stringify({
      protocolVersion: LATEST,
      capabilities: {},
      clientInfo: { name: 'sekisho', title: 'Sekisho', version: VERSION },
    }),
  },
  opened: '{"jsonrpc":"2.0","method":"notifications/initialized"}',
  /** @see MCP 2025-11-25, basic/transports#sending-messages-to-the-server: a lost connection is no cancellation */
  cancelled: (requestId, reason) =>
    JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, reason } }),
  accept(answer): Handshake | undefined {
    if (!isRecord(answer)) return undefined
    const { protocolVersion } = answer
    if (typeof protocolVersion !== 'string' || !REVISIONS.includes(protocolVersion)) return undefined
    return { era: 'legacy', version: protocolVersion }
  },
  headers: (_method, _name, version) => (version === '' ? [] : ['mcp-protocol-version', version]),
  dress: (request) => request.bytes,
}
