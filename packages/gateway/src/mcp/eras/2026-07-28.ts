import { problem } from '../../base/problem.ts'
import { VERSION } from '../../base/version.ts'
import { isRecord, withoutParams, type RpcMessage, type RpcRequest } from '../../base/json-rpc.ts'
import { eachMember, skipSpace, splice, type Span } from '../../base/json-spans.ts'
import type { Handshake, UpstreamEra } from '../../upstreams/era.ts'
import type { ClientEra, Operation } from './client-era.ts'

/**
 * Revision 2026-07-28: every request stands for itself and carries who asks and in which revision.
 *
 * @see the MCP specification 2026-07-28, basic/index#_meta and basic/transports/streamable-http
 */
const REVISION = '2026-07-28'

const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion'
const CAPABILITIES_KEY = 'io.modelcontextprotocol/clientCapabilities'
const CLIENT_KEY = 'io.modelcontextprotocol/clientInfo'
const SERVER_KEY = 'io.modelcontextprotocol/serverInfo'

/** What the gate itself asks for is known by these; neither says or opens anything. */
const OPENED_KEY = 'sekisho_connect'
const OPENED_STATE = 'sekisho.connect'

const operations: Readonly<Record<string, Operation>> = {
  'server/discover': 'open',
  'tools/list': 'tools.list',
  'tools/call': 'tools.call',
}

/** Methods whose target also stands in the header `Mcp-Name`, and where it stands in the body. */
const NAMED: Readonly<Record<string, 'name' | 'uri'>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
}

/** Whether a message says by itself that it is of this era. */
export function isModern(message: RpcMessage, versionHeader: string | undefined): boolean {
  return versionHeader === REVISION || message.meta?.[VERSION_KEY] !== undefined
}

export const modernClient: ClientEra = {
  name: 'modern',
  operations,
  check(message, headers) {
    if (message.kind !== 'request') return
    const version = message.meta?.[VERSION_KEY]
    if (typeof version !== 'string') throw problem('request.params', { reason: `_meta lacks ${VERSION_KEY}` })
    mustAgree('MCP-Protocol-Version', headers['mcp-protocol-version'], version)
    if (version !== REVISION)
      throw problem('request.version_unsupported', { requested: version, supported: [REVISION] })
    if (!isRecord(message.meta?.[CAPABILITIES_KEY])) {
      throw problem('request.params', { reason: `_meta lacks ${CAPABILITIES_KEY}` })
    }
    mustAgree('Mcp-Method', headers['mcp-method'], message.method)
    const target = NAMED[message.method]
    const name = target && message[target]
    if (name !== undefined) mustAgree('Mcp-Name', headers['mcp-name'], name)
  },
  opening: (instructions) =>
    JSON.stringify({
      resultType: 'complete',
      supportedVersions: [REVISION],
      capabilities: { tools: {} },
      ...(instructions === undefined ? {} : { instructions }),
      ttlMs: 60_000,
      cacheScope: 'private',
      _meta: { [SERVER_KEY]: { name: 'sekisho', title: 'Sekisho', version: VERSION } },
    }),
  openingHeaders: () => [],
  opensAddresses({ meta }) {
    const capabilities = meta?.[CAPABILITIES_KEY]
    const elicitation = isRecord(capabilities) ? capabilities['elicitation'] : undefined
    return isRecord(elicitation) && isRecord(elicitation['url'])
  },
  /** @see MCP 2026-07-28, basic/patterns/mrtr and client/elicitation#url-mode */
  askToOpen({ url, message }) {
    const params = { mode: 'url', url, message }
    const inputRequests = { [OPENED_KEY]: { method: 'elicitation/create', params } }
    return {
      kind: 'result',
      result: JSON.stringify({ resultType: 'input_required', inputRequests, requestState: OPENED_STATE }),
    }
  },
  readOpened(message) {
    const { paramsValue } = message
    if (paramsValue?.['requestState'] !== OPENED_STATE) return undefined
    const responses = paramsValue['inputResponses']
    const said = isRecord(responses) ? responses[OPENED_KEY] : undefined
    const request = withoutParams(message, ['requestState', 'inputResponses'])
    return { accepted: isRecord(said) && said['action'] === 'accept', request }
  },
  pong: '{"resultType":"complete"}',
  toolsPage(tools, nextCursor, ttlMs) {
    const cursor = nextCursor === undefined ? '' : `,"nextCursor":${JSON.stringify(nextCursor)}`
    return Buffer.concat([
      Buffer.from('{"resultType":"complete","tools":['),
      tools,
      Buffer.from(`],"ttlMs":${ttlMs},"cacheScope":"private"${cursor}}`),
    ])
  },
  result: (members) => `{"resultType":"complete",${members}}`,
  failureStatus: ({ code, row }) => (code.startsWith('request.') || row.status === 429 ? row.status : 200),
  /** @see MCP 2026-07-28, basic/index#error-codes: some errors are HTTP 400, an unknown method is 404 */
  answerStatus: (status) => (status === 400 || status === 404 ? status : 200),
  adopt: (answer) => {
    const at = resultOf(answer)
    return at === undefined ? answer : splice(answer, [insertMember(answer, at, '"resultType":"complete"')])
  },
}

export const modernUpstream: UpstreamEra = {
  name: 'modern',
  opening: { method: 'server/discover', params: `{"_meta":${meta()}}` },
  opened: undefined,
  cancelled: () => undefined,
  accept(answer): Handshake | undefined {
    if (!isRecord(answer)) return undefined
    const { supportedVersions } = answer
    if (!Array.isArray(supportedVersions) || !supportedVersions.includes(REVISION)) return undefined
    return { era: 'modern', version: REVISION }
  },
  headers(method, name) {
    const headers = ['mcp-protocol-version', REVISION, 'mcp-method', method]
    if (name !== undefined && method in NAMED) headers.push('mcp-name', headerValue(name))
    return headers
  },
  dress(request) {
    if (request.meta?.[VERSION_KEY] !== undefined) return request.bytes
    return splice(request.bytes, [envelope(request)])
  },
}

/** Who asks, for a client that speaks an older revision: the gate, which can do nothing more than wait. */
function meta(): string {
  return JSON.stringify({
    [VERSION_KEY]: REVISION,
    [CLIENT_KEY]: { name: 'sekisho', version: VERSION },
    [CAPABILITIES_KEY]: {},
  })
}

const ENVELOPE = meta()

function envelope({ bytes, params, metaSpan, idSpan }: RpcRequest) {
  if (metaSpan) return insertMember(bytes, metaSpan.start, ENVELOPE.slice(1, -1))
  if (params) return insertMember(bytes, params.start, `"_meta":${ENVELOPE}`)
  return { start: idSpan.end, end: idSpan.end, by: `,"params":{"_meta":${ENVELOPE}}` }
}

/** Puts a member first in the object that starts at `at`. */
function insertMember(bytes: Buffer, at: number, member: string) {
  const first = skipSpace(bytes, at + 1)
  const by = bytes[first] === 0x7d ? member : `${member},`
  return { start: at + 1, end: at + 1, by }
}

/** Where the result starts, unless it says what it is already. */
function resultOf(answer: Buffer): number | undefined {
  let result: Span | undefined
  eachMember(answer, 0, (key, start, end) => {
    if (key === 'result' && answer[start] === 0x7b) result = { start, end }
  })
  if (!result) return undefined
  let typed = false
  eachMember(answer, result.start, (key) => {
    if (key === 'resultType') typed = true
  })
  return typed ? undefined : result.start
}

/** @see MCP 2026-07-28, basic/transports/streamable-http#standard-mcp-request-headers */
function mustAgree(header: string, value: string | string[] | undefined, expected: string): void {
  if (typeof value !== 'string' || decodeHeader(value) !== expected)
    throw problem('request.header_mismatch', { header })
}

const ENCODED = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/

function decodeHeader(value: string): string {
  const encoded = ENCODED.exec(value)?.[1]
  return encoded === undefined ? value : Buffer.from(encoded, 'base64').toString()
}

/** A name that cannot stand in a header, or would be taken for an encoded one, is sent as base64. */
function headerValue(name: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(name) && !ENCODED.test(name)) return name
  return `=?base64?${Buffer.from(name).toString('base64')}?=`
}
