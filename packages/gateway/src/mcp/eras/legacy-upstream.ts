import { isRecord, type RpcRequest } from '../../base/json-rpc.ts'
import { problem } from '../../base/problem.ts'
import { VERSION } from '../../base/version.ts'
import type { Handshake, UpstreamEra } from '../../upstreams/era.ts'
import { VERSION_KEY } from './2026-07-28-words.ts'
import { honoured } from './capabilities.ts'
import { mayHoldQuestions, requestStateOf } from './input-required.ts'
import { LATEST, REVISIONS } from './legacy-revisions.ts'

/**
 * The revisions with a handshake toward upstreams.
 *
 * @see the MCP specification 2025-11-25, basic/lifecycle
 */
export const legacyUpstream: UpstreamEra = {
  name: 'legacy',
  opening: ({ capabilities }) => ({
    method: 'initialize',
    params: `{"protocolVersion":"${LATEST}","capabilities":${capabilities},"clientInfo":${GATE}}`,
  }),
  opened: '{"jsonrpc":"2.0","method":"notifications/initialized"}',
  /** @see MCP 2025-11-25, basic/transports#sending-messages-to-the-server: a lost connection is no cancellation */
  cancelled: (requestId, reason) =>
    JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, reason } }),
  setLevel: (level) => ({ method: 'logging/setLevel', params: `{"level":"${level}"}` }),
  accept(result): Handshake | undefined {
    if (!isRecord(result)) return undefined
    const { protocolVersion, capabilities, instructions, serverInfo } = result
    if (typeof protocolVersion !== 'string' || !REVISIONS.includes(protocolVersion)) return undefined
    return {
      era: 'legacy',
      version: protocolVersion,
      capabilities: isRecord(capabilities) ? capabilities : {},
      instructions: typeof instructions === 'string' ? instructions : undefined,
      serverInfo: isRecord(serverInfo) ? serverInfo : undefined,
    }
  },
  isSpoken: () => false,
  follow: () => ({
    kind: 'session',
    subscribe: (uri) => ({ method: 'resources/subscribe', params: JSON.stringify({ uri }) }),
    unsubscribe: (uri) => ({ method: 'resources/unsubscribe', params: JSON.stringify({ uri }) }),
  }),
  heard: ({ bytes }) => ({ kind: 'told', message: bytes }),
  honoured,
  headers: (_method, _name, version) => (version === '' ? [] : ['mcp-protocol-version', version]),
  dress(request) {
    if (request.meta?.[VERSION_KEY] !== undefined) refuseState(request)
    return request.bytes
  },
}

/**
 * No server of these revisions gives a state: with one that is none, a call that has run would run once more.
 *
 * @throws {Problem} `call.state`
 */
function refuseState(request: RpcRequest): void {
  if (mayHoldQuestions(request.method) && requestStateOf(request) !== undefined) throw problem('call.state')
}

const GATE = JSON.stringify({ name: 'sekisho', title: 'Sekisho', version: VERSION })
