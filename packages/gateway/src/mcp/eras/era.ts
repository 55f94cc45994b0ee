import type { IncomingHttpHeaders } from 'node:http'
import type { RpcMessage } from '../../base/json-rpc.ts'
import type { UpstreamEras } from '../../upstreams/era.ts'
import type { ClientEra } from './client-era.ts'
import { isModern, modernClient } from './2026-07-28.ts'
import { modernUpstream } from './2026-07-28-upstream.ts'
import { legacyClient } from './legacy.ts'
import { legacyUpstream } from './legacy-upstream.ts'

/** How the gate speaks to upstreams; the composition root hands it to them. */
export const upstreamEras: UpstreamEras = { modern: modernUpstream, legacy: legacyUpstream }

/**
 * Decides, once per message, which era a client speaks: the modern one says so in every message.
 *
 * @throws {Problem} where the message does not keep to its era.
 */
export function decideEra(message: RpcMessage, headers: IncomingHttpHeaders): ClientEra {
  const version = headers['mcp-protocol-version']
  const era = isModern(message, typeof version === 'string' ? version : undefined) ? modernClient : legacyClient
  era.check(message, headers)
  return era
}
