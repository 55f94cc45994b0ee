import { decodeHeader } from '../../base/header-value.ts'
import {
  isRecord,
  resultMessage,
  targetOf,
  withoutParams,
  type RpcMessage,
  type RpcRequest,
} from '../../base/json-rpc.ts'
import { findMember, splice, type Span } from '../../base/json-spans.ts'
import { problem } from '../../base/problem.ts'
import { VERSION } from '../../base/version.ts'
import { LOG_LEVELS, PLAIN_CLIENT, type ClientView } from '../../upstreams/client.ts'
import type { Handshake } from '../../upstreams/era.ts'
import { carried } from '../sessions/carried.ts'
import { CAPABILITIES_KEY, LOG_LEVEL_KEY, NAMED, REVISION, SERVER_KEY, VERSION_KEY } from './2026-07-28-words.ts'
import { MERGED, TASKS_EXTENSION, withoutTasks } from './capabilities.ts'
import type { ClientEra } from './client-era.ts'
import { mayHoldQuestions } from './input-required.ts'
import { hasMember, insertMember } from './members.ts'
import { ANYTHING, commonOperations, type Operation } from './operations.ts'

/** What the gate itself asks for is known by these; neither says or opens anything. */
const OPENED_KEY = 'sekisho_connect'
const OPENED_STATE = 'sekisho.connect'

const operations: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['server/discover', { kind: 'open' }],
  ['subscriptions/listen', { kind: 'listen' }],
  ['tasks/update', { kind: 'call', target: 'task' }],
  ...commonOperations,
])

/** What older revisions have and this one has not: no server may be asked for it by a client of this one. */
const GONE = new Set([
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
  'tasks/list',
  'tasks/result',
])

/** Whether a message says by itself that it is of this era. */
export function isModern(message: RpcMessage, versionHeader: string | undefined): boolean {
  return versionHeader === REVISION || message.meta?.[VERSION_KEY] !== undefined
}

/**
 * Revision 2026-07-28 toward clients: every request stands for itself and carries who asks and in which revision.
 *
 * @see the MCP specification 2026-07-28, basic/index#_meta and basic/transports/streamable-http
 */
export const modernClient: ClientEra = {
  name: 'modern',
  operation: (method) => operations.get(method) ?? (GONE.has(method) ? undefined : ANYTHING),
  check(message, headers) {
    if (message.kind !== 'request') return
    const version = message.meta?.[VERSION_KEY]
    if (typeof version !== 'string') throw problem('request.params', { reason: `_meta lacks ${VERSION_KEY}` })
    mustAgree('MCP-Protocol-Version', headers['mcp-protocol-version'], version)
    if (version !== REVISION)
      throw problem('request.version_unsupported', { requested: version, supported: [REVISION] })
    const capabilities = message.meta?.[CAPABILITIES_KEY]
    if (!isRecord(capabilities)) throw problem('request.params', { reason: `_meta lacks ${CAPABILITIES_KEY}` })
    mustAgree('Mcp-Method', headers['mcp-method'], message.method)
    if (message.method.startsWith('tasks/')) mustDeclareTasks(capabilities)
    const name = NAMED.has(message.method) ? targetOf(message) : undefined
    if (name !== undefined) mustAgree('Mcp-Name', headers['mcp-name'], name)
  },
  clientOf({ meta }): ClientView {
    const capabilities = carried(meta?.[CAPABILITIES_KEY])
    const wanted = meta?.[LOG_LEVEL_KEY]
    const logLevel = wanted === undefined ? undefined : LOG_LEVELS.find((level) => level === wanted)
    return capabilities === '{}' && logLevel === undefined ? PLAIN_CLIENT : { ...PLAIN_CLIENT, capabilities, logLevel }
  },
  opening: (instructions, _params, server) =>
    JSON.stringify({
      resultType: 'complete',
      supportedVersions: [REVISION],
      capabilities: server ? bridged(server) : MERGED,
      ...present('instructions', server ? server.instructions : instructions),
      ttlMs: 60_000,
      cacheScope: 'private',
      _meta: { [SERVER_KEY]: server?.serverInfo ?? { name: 'sekisho', title: 'Sekisho', version: VERSION } },
    }),
  /** @see MCP 2026-07-28, basic/patterns/mrtr: in place of the answers of three methods, and of no other */
  opensAddresses({ capabilities }, method) {
    if (!mayHoldQuestions(method)) return false
    const { elicitation } = JSON.parse(capabilities) as { elicitation?: unknown }
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
  nothing: '{"resultType":"complete"}',
  listPage(member, items, { nextCursor, ttlMs, cacheScope, rest }) {
    const cursor = nextCursor === undefined ? '' : `,"nextCursor":${JSON.stringify(nextCursor)}`
    const others = rest === '' ? '' : `,${rest}`
    return Buffer.concat([
      Buffer.from(`{"resultType":"complete","${member}":[`),
      items,
      Buffer.from(`],"ttlMs":${ttlMs},"cacheScope":"${cacheScope}"${cursor}${others}}`),
    ])
  },
  result: (members) => `{"resultType":"complete",${members}}`,
  failureStatus: ({ code, row }) => (isOfTheRequest(code) || row.status === 429 ? row.status : 200),
  /** @see MCP 2026-07-28, basic/index#error-codes: some errors are HTTP 400, an unknown method is 404 */
  answerStatus: (status) => (status === 400 || status === 404 ? status : 200),
  adopt(answer, request) {
    const error = findMember(answer, 0, 'error')
    if (error) return adoptError(answer, error, request)
    const result = findMember(answer, 0, 'result')
    if (!result || answer[result.start] !== OPEN_BRACE || hasMember(answer, result.start, 'resultType')) return answer
    return splice(answer, [insertMember(answer, result.start, RESULT_MEMBERS[request.method] ?? COMPLETE)])
  },
}

const OPEN_BRACE = 0x7b
const COMPLETE = '"resultType":"complete"'
/** What an older server does not say: nobody is to keep it. @see MCP 2026-07-28, server/utilities/caching */
const RESULT_MEMBERS: Readonly<Record<string, string>> = {
  'resources/read': `${COMPLETE},"ttlMs":0,"cacheScope":"private"`,
}

/**
 * Two errors are spoken differently in this revision: the resource that is not there, and that the user should open an
 * address first.
 *
 * @see MCP 2026-07-28, basic/index#error-codes: neither code may be sent
 */
function adoptError(answer: Buffer, error: Span, request: RpcRequest): Buffer {
  const code = findMember(answer, error.start, 'code')
  if (!code) return answer
  const text = answer.toString('latin1', code.start, code.end)
  if (text === '-32002') return splice(answer, [{ ...code, by: '-32602' }])
  if (text !== '-32042') return answer
  return adoptAddresses(answer, error, request) ?? splice(answer, [{ ...code, by: '-32603' }])
}

/**
 * The request comes again when they are open, and is then sent as if for the first time. A tool's result can link to
 * them instead; `undefined` where there is neither way.
 */
function adoptAddresses(answer: Buffer, { start, end }: Span, request: RpcRequest): Buffer | undefined {
  const { data, message } = JSON.parse(answer.toString('utf8', start, end)) as { data?: unknown; message?: unknown }
  const listed = isRecord(data) && Array.isArray(data['elicitations']) ? data['elicitations'].filter(isRecord) : []
  const id = request.bytes.toString('utf8', request.idSpan.start, request.idSpan.end)
  const { method } = request
  if (listed.length === 0 || !modernClient.opensAddresses(modernClient.clientOf(request), method)) {
    if (method !== 'tools/call') return undefined
    const links = listed.map(({ message: why, url }) => `${String(why)} ${String(url)}`).join('\n')
    const text = JSON.stringify(`${String(message)}\n${links}`)
    return resultMessage(id, modernClient.result(`"content":[{"type":"text","text":${text}}],"isError":true`))
  }
  const inputRequests = Object.fromEntries(
    listed.map(({ message: why, url }, index) => [
      index === 0 ? OPENED_KEY : `${OPENED_KEY}_${index}`,
      { method: 'elicitation/create', params: { mode: 'url', url, message: why } },
    ]),
  )
  const result = { resultType: 'input_required', inputRequests, requestState: OPENED_STATE }
  return resultMessage(id, JSON.stringify(result))
}

/** What of a server's capabilities a client of this era can use through the gate. */
function bridged({ era, capabilities }: Handshake): Readonly<Record<string, unknown>> {
  return era === 'modern' ? capabilities : withoutTasks(capabilities)
}

function present<T>(name: string, value: T | undefined): Record<string, T> {
  return value === undefined ? {} : { [name]: value }
}

function isOfTheRequest(code: string): boolean {
  return code.startsWith('request.') || code === 'call.state'
}

/** @see SEP-2663, capability negotiation */
function mustDeclareTasks({ extensions }: Readonly<Record<string, unknown>>): void {
  if (isRecord(extensions) && TASKS_EXTENSION in extensions) return
  throw problem('request.capability_missing', { requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } } })
}

/** @see MCP 2026-07-28, basic/transports/streamable-http#standard-mcp-request-headers */
function mustAgree(header: string, value: string | string[] | undefined, expected: string): void {
  if (typeof value !== 'string' || decodeHeader(value) !== expected)
    throw problem('request.header_mismatch', { header })
}
