import { readMessage, type RpcRequest } from '../base/json-rpc.ts'
import { findMember } from '../base/json-spans.ts'
import { problem, type Problem } from '../base/problem.ts'
import type { UpstreamId } from '../base/ids.ts'
import type { ClientView } from '../upstreams/client.ts'
import type { EraName } from '../upstreams/era.ts'
import type { Answer, Caller, Reply } from '../upstreams/transport.ts'
import type { Upstreams } from '../upstreams/upstreams.ts'
import { kinds, type KindName } from './kinds.ts'
import { readPage, type Listing, type Page } from './listing.ts'

export interface FetchNeeds {
  readonly upstreams: Pick<Upstreams, 'call'>
  readonly newRequestId: () => string
  readonly id: UpstreamId
  readonly kind: KindName
  /** Asked anew for each page, so that a credential replaced meanwhile is not used again. */
  callerFor(): Promise<Caller>
  readonly era: EraName
  readonly client: ClientView
}

const PAGES_MOST = 200
const ITEMS_MOST = 30_000
/** The list is held in memory, for each user where it may differ. */
const BYTES_MOST = 64 * 1024 * 1024

/**
 * Asks an upstream for all of a list, page by page. It is good for as long as the least of its pages, and for anybody
 * where all of them are; what stands beside it is taken from the first.
 *
 * @throws {Problem} `upstream.*`
 */
export async function fetchList(needs: FetchNeeds): Promise<Listing> {
  try {
    return await fetchPages(needs)
  } catch (cause) {
    throw cause instanceof SyntaxError ? badList(needs, 'not valid JSON', cause) : cause
  }
}

async function fetchPages(needs: FetchNeeds): Promise<Listing> {
  const pages: Page[] = []
  const items: Buffer[] = []
  let size = 0
  for (let cursor: string | undefined; pages.length < PAGES_MOST;) {
    const result = await ask(needs, listRequest(needs, pages.length, cursor))
    size += result.length
    if (size > BYTES_MOST) throw problem('upstream.too_large', { server: needs.id, limit: BYTES_MOST })
    const page = readPage(result, kinds[needs.kind].member)
    if (!page) throw badList(needs, `no list of ${needs.kind}`)
    pages.push(page)
    for (const item of page.items) items.push(item)
    if (items.length > ITEMS_MOST) throw badList(needs, `more than ${ITEMS_MOST} ${needs.kind}`)
    cursor = page.nextCursor
    if (cursor === undefined) return whole(pages, items)
  }
  throw badList(needs, `more than ${PAGES_MOST} pages of ${needs.kind}`)
}

function whole(pages: readonly Page[], items: readonly Buffer[]): Listing {
  const said = pages.flatMap(({ ttlMs }) => ttlMs ?? [])
  return {
    items,
    rest: pages[0]?.rest ?? '',
    ttlMs: said.length === 0 ? undefined : Math.min(...said),
    isPublic: pages.every(({ isPublic }) => isPublic),
  }
}

function listRequest({ kind }: FetchNeeds, id: number, cursor: string | undefined): RpcRequest {
  const params = cursor === undefined ? {} : { cursor }
  const message = readMessage(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method: kinds[kind].method, params })))
  if (message.kind !== 'request') throw new TypeError('a request was written and another kind of message read')
  return message
}

async function ask(needs: FetchNeeds, request: RpcRequest): Promise<Buffer> {
  const { upstreams, newRequestId, id, era, client, kind } = needs
  const controller = new AbortController()
  const answer = await upstreams.call(
    id,
    {
      request,
      era,
      client,
      requestId: newRequestId(),
      paramHeaders: [],
      signal: controller.signal,
      abort: (reason: Problem) => controller.abort(reason),
      notify: () => {},
      ask: async () => NOBODY,
    },
    await needs.callerFor(),
  )
  const bytes = await wholeOf(answer)
  const result = findMember(bytes, 0, 'result')
  if (!result && isMethodUnknown(bytes)) return Buffer.from(`{"${kinds[kind].member}":[]}`)
  if (!result || bytes[result.start] !== OPEN_BRACE)
    throw badList(needs, `it answered ${kinds[kind].method} with an error`)
  return bytes.subarray(result.start, result.end)
}

/** Nobody is asked for anything only because somebody wants to know what there is. */
const NOBODY = '"error":{"code":-32601,"message":"Nothing is asked while a list is made."}' as Reply
const OPEN_BRACE = 0x7b

function wholeOf(answer: Answer): Buffer | Promise<Buffer> {
  if (answer.kind === 'whole') return answer.bytes
  const { head, pipe } = answer
  return new Promise((resolve, reject) => {
    const chunks = [head]
    pipe({ write: (chunk) => chunks.push(chunk) > 0, end: () => resolve(Buffer.concat(chunks)), fail: reject })
  })
}

/** A server without such a list has nothing in it, which is nothing to complain of. */
function isMethodUnknown(answer: Buffer): boolean {
  const error = findMember(answer, 0, 'error')
  const code = error && answer[error.start] === OPEN_BRACE ? findMember(answer, error.start, 'code') : undefined
  return code !== undefined && answer.toString('latin1', code.start, code.end) === '-32601'
}

function badList({ id }: FetchNeeds, reason: string, cause?: unknown): Problem {
  return problem('upstream.bad_answer', { server: id, reason, cause })
}
