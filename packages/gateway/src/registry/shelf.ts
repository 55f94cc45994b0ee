import { isUtf8 } from 'node:buffer'
import type { UpstreamId } from '../base/ids.ts'
import { isRecord, readMessage, type RpcRequest } from '../base/json-rpc.ts'
import { elements, findMember, splice } from '../base/json-spans.ts'
import type { Log } from '../base/log.ts'
import { problem, type Problem } from '../base/problem.ts'
import type { EraName } from '../upstreams/era.ts'
import type { Caller } from '../upstreams/transport.ts'
import type { Upstreams } from '../upstreams/upstreams.ts'
import { exposeName } from './names.ts'

/** A tool as its upstream describes it, byte for byte, and as the merged endpoint calls it. */
export interface Tool {
  readonly upstream: UpstreamId
  readonly name: string
  readonly exposed: string
  readonly json: Buffer
  /** The same description with the exposed name in place of the upstream's. */
  readonly exposedJson: Buffer
}

/** The tools of one upstream. */
export interface Shelf {
  /** What the descriptions take in memory. */
  readonly bytes: number
  readonly tools: readonly Tool[]
  readonly byName: ReadonlyMap<string, Tool>
  readonly byExposed: ReadonlyMap<string, Tool>
}

/**
 * Puts tools on a shelf; one that has no name, or the name of another, or is no JSON, is left out and logged:
 * it would spoil the list of all the others.
 */
export function toShelf(upstream: UpstreamId, tools: readonly Buffer[], nameLimit: number, log: Log): Shelf {
  const byName = new Map<string, Tool>()
  const byExposed = new Map<string, Tool>()
  const leftOut: (string | undefined)[] = []
  for (const json of tools) {
    const tool = readTool(upstream, json, nameLimit)
    if (!tool || byName.has(tool.name) || byExposed.has(tool.exposed)) {
      leftOut.push(tool?.name.slice(0, 100))
      continue
    }
    byName.set(tool.name, tool)
    byExposed.set(tool.exposed, tool)
  }
  if (leftOut.length > 0)
    log.warn({ server: upstream, count: leftOut.length, first: leftOut.slice(0, 5) }, 'registry.tools_left_out')
  const kept = [...byName.values()]
  const bytes = kept.reduce((sum, { json, exposedJson }) => sum + json.length + exposedJson.length, 0)
  return { bytes, tools: kept, byName, byExposed }
}

function readTool(upstream: UpstreamId, json: Buffer, nameLimit: number): Tool | undefined {
  const name = nameOf(json)
  const at = name === undefined ? undefined : findMember(json, 0, 'name')
  if (at === undefined || name === undefined) return undefined
  const exposed = exposeName(upstream, name, nameLimit)
  return { upstream, name, exposed, json, exposedJson: splice(json, [{ ...at, by: JSON.stringify(exposed) }]) }
}

function nameOf(json: Buffer): string | undefined {
  if (!isUtf8(json)) return undefined
  try {
    const tool: unknown = JSON.parse(json.toString())
    return isRecord(tool) && typeof tool['name'] === 'string' && tool['name'] !== '' ? tool['name'] : undefined
  } catch {
    return undefined
  }
}

interface FetchNeeds {
  readonly upstreams: Pick<Upstreams, 'call'>
  readonly newRequestId: () => string
  readonly id: UpstreamId
  /** Asked anew for each page, so that a credential replaced meanwhile is not used again. */
  callerFor(): Promise<Caller>
  readonly era: EraName
}

const PAGES_MOST = 200
const TOOLS_MOST = 30_000
/** The list is held in memory, for each user where it may differ. */
const BYTES_MOST = 64 * 1024 * 1024

/**
 * Asks an upstream for all its tools, page by page.
 *
 * @returns each tool's own bytes, and for how long the upstream says the list is good (0 where it does not).
 * @throws {Problem} `upstream.*`
 */
export async function fetchTools(needs: FetchNeeds): Promise<{ tools: Buffer[]; ttlMs: number }> {
  try {
    return await fetchPages(needs)
  } catch (cause) {
    throw cause instanceof SyntaxError ? badList(needs.id, 'not valid JSON', cause) : cause
  }
}

async function fetchPages(needs: FetchNeeds): Promise<{ tools: Buffer[]; ttlMs: number }> {
  const tools: Buffer[] = []
  let cursor: unknown
  let ttlMs = 0
  let size = 0
  for (let page = 0; page < PAGES_MOST; page++) {
    const result = await ask(needs, listRequest(page, cursor))
    const list = findMember(result, 0, 'tools')
    if (!list || result[list.start] !== 0x5b) throw badList(needs.id, 'no list of tools')
    size += list.end - list.start
    if (size > BYTES_MOST) throw problem('upstream.too_large', { server: needs.id, limit: BYTES_MOST })
    for (const { start, end } of elements(result, list.start)) tools.push(Buffer.from(result.subarray(start, end)))
    if (tools.length > TOOLS_MOST) throw badList(needs.id, `more than ${TOOLS_MOST} tools`)
    ttlMs = Number(valueOf(result, 'ttlMs') ?? 0) || 0
    cursor = valueOf(result, 'nextCursor')
    if (typeof cursor !== 'string') return { tools, ttlMs }
  }
  throw badList(needs.id, `more than ${PAGES_MOST} pages of tools`)
}

function listRequest(page: number, cursor: unknown): RpcRequest {
  const params = typeof cursor === 'string' ? { cursor } : {}
  const bytes = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: page, method: 'tools/list', params }))
  const message = readMessage(bytes)
  if (message.kind !== 'request') throw new TypeError('a request was written and another kind of message read')
  return message
}

async function ask(needs: FetchNeeds, request: RpcRequest): Promise<Buffer> {
  const { upstreams, newRequestId, id, era } = needs
  const controller = new AbortController()
  const answer = await upstreams.call(
    id,
    {
      request,
      era,
      requestId: newRequestId(),
      paramHeaders: [],
      signal: controller.signal,
      abort: (reason: Problem) => controller.abort(reason),
      notify: () => {},
    },
    await needs.callerFor(),
  )
  const bytes = answer.kind === 'whole' ? answer.bytes : await drain(answer.head, answer.pipe)
  const result = findMember(bytes, 0, 'result')
  if (!result && isMethodUnknown(bytes)) return NO_TOOLS
  if (!result || bytes[result.start] !== 0x7b) throw badList(id, 'it answered tools/list with an error')
  return bytes.subarray(result.start, result.end)
}

/** A server without the capability has no tools, which is nothing to complain of. */
function isMethodUnknown(answer: Buffer): boolean {
  const error = valueOf(answer, 'error')
  return isRecord(error) && error['code'] === -32601
}

const NO_TOOLS = Buffer.from('{"tools":[]}')

function drain(
  head: Buffer,
  pipe: (sink: { write(chunk: Buffer): boolean; end(): void; fail(error: unknown): void }) => void,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks = [head]
    pipe({ write: (chunk) => chunks.push(chunk) > 0, end: () => resolve(Buffer.concat(chunks)), fail: reject })
  })
}

function valueOf(result: Buffer, key: string): unknown {
  const at = findMember(result, 0, key)
  return at && JSON.parse(result.toString('utf8', at.start, at.end))
}

function badList(server: string, reason: string, cause?: unknown): Problem {
  return problem('upstream.bad_answer', { server, reason, cause })
}
