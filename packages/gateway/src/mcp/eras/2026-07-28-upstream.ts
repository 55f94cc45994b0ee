import { encodeHeader } from '../../base/header-value.ts'
import { isRecord, type RpcRequest } from '../../base/json-rpc.ts'
import { eachMember, splice, type Edit } from '../../base/json-spans.ts'
import { VERSION } from '../../base/version.ts'
import type { ClientView } from '../../upstreams/client.ts'
import type { Handshake, UpstreamEra } from '../../upstreams/era.ts'
import {
  CAPABILITIES_KEY,
  CLIENT_KEY,
  LOG_LEVEL_KEY,
  NAMED,
  REVISION,
  SERVER_KEY,
  VERSION_KEY,
} from './2026-07-28-words.ts'
import { heard } from './2026-07-28-heard.ts'
import { honoured } from './capabilities.ts'
import { insertMember } from './members.ts'

/**
 * Revision 2026-07-28 toward upstreams.
 *
 * @see the MCP specification 2026-07-28, basic/index#_meta and basic/transports/streamable-http
 */
export const modernUpstream: UpstreamEra = {
  name: 'modern',
  opening: (client) => ({ method: 'server/discover', params: `{"_meta":${envelope(client)}}` }),
  opened: undefined,
  cancelled: () => undefined,
  setLevel: () => undefined,
  accept(result): Handshake | undefined {
    if (!isRecord(result)) return undefined
    const { supportedVersions, capabilities, instructions, cacheScope, _meta } = result
    if (!Array.isArray(supportedVersions) || !supportedVersions.includes(REVISION)) return undefined
    const serverInfo = isRecord(_meta) ? _meta[SERVER_KEY] : undefined
    return {
      era: 'modern',
      version: REVISION,
      capabilities: isRecord(capabilities) ? capabilities : {},
      instructions: typeof instructions === 'string' ? instructions : undefined,
      serverInfo: isRecord(serverInfo) ? serverInfo : undefined,
      isPublic: cacheScope === 'public',
    }
  },
  /** @see MCP 2026-07-28, basic/versioning#negotiation-errors: the client is to choose of what is supported */
  isSpoken(error) {
    const { code, data } = isRecord(error) ? error : {}
    const supported = isRecord(data) ? data['supported'] : undefined
    return code === UNSUPPORTED && Array.isArray(supported) && supported.includes(REVISION)
  },
  follow: ({ lists, uris }, client) => {
    const notifications = {
      ...(lists.has('tools') ? { toolsListChanged: true } : {}),
      ...(lists.has('prompts') ? { promptsListChanged: true } : {}),
      ...(lists.has('resources') ? { resourcesListChanged: true } : {}),
      ...(uris.size > 0 ? { resourceSubscriptions: [...uris] } : {}),
    }
    const params = `{"_meta":${envelope(client)},"notifications":${JSON.stringify(notifications)}}`
    return { kind: 'request', request: { method: 'subscriptions/listen', params } }
  },
  heard,
  honoured,
  headers(method, name) {
    const headers = ['mcp-protocol-version', REVISION, 'mcp-method', method]
    if (name !== undefined && NAMED.has(method)) headers.push('mcp-name', encodeHeader(name))
    return headers
  },
  dress(request, client) {
    if (request.meta?.[VERSION_KEY] !== undefined) return request.bytes
    return splice(request.bytes, [dressed(request, client)])
  },
}

const UNSUPPORTED = -32022

/** Who asks, for a client that speaks an older revision: the gate, with what that client can do. */
function envelope({ capabilities, logLevel }: ClientView): string {
  const level = logLevel === undefined ? '' : `,"${LOG_LEVEL_KEY}":"${logLevel}"`
  return `{"${VERSION_KEY}":"${REVISION}","${CLIENT_KEY}":${GATE},"${CAPABILITIES_KEY}":${capabilities}${level}}`
}

const GATE = JSON.stringify({ name: 'sekisho', version: VERSION })

function dressed({ bytes, params, metaSpan, meta, idSpan }: RpcRequest, client: ClientView): Edit {
  const own = envelope(client)
  if (metaSpan && meta && OURS.some((key) => Object.hasOwn(meta, key)))
    return { ...metaSpan, by: `{${[own.slice(1, -1), ...othersOf(bytes, metaSpan.start)].join(',')}}` }
  if (metaSpan) return insertMember(bytes, metaSpan.start, own.slice(1, -1))
  if (params) return insertMember(bytes, params.start, `"_meta":${own}`)
  return { start: idSpan.end, end: idSpan.end, by: `,"params":{"_meta":${own}}` }
}

/** What decides who asks stands there once; a client of an older revision may have written anything. */
const OURS: readonly string[] = [VERSION_KEY, CLIENT_KEY, CAPABILITIES_KEY, LOG_LEVEL_KEY]

function othersOf(bytes: Buffer, at: number): string[] {
  const kept: string[] = []
  eachMember(bytes, at, (key, start, end) => {
    if (!OURS.includes(key)) kept.push(`${JSON.stringify(key)}:${bytes.toString('utf8', start, end)}`)
  })
  return kept
}
