import type { Clock } from '../base/clock.ts'
import { createRecent } from '../base/recent.ts'
import type { Fetch } from '../http/guarded-fetch.ts'
import { normaliseDocument } from './client-metadata.ts'

export interface DocumentsNeeds {
  /** Guarded: the addresses are of strangers' choosing. */
  readonly fetch: Fetch
  readonly clock: Clock
}

/** What was last read at an address. */
interface Copy {
  readonly text: string
  readonly headers: readonly [string, string][]
  readonly readAt: number
}

const COPIES = 200
const STALE_MS = 86_400_000
/** Not found, and gone. @see RFC 9110 §15.5.5 and §15.5.11 */
const GONE: ReadonlySet<number> = new Set([404, 410])

/**
 * Fetches what clients publish of themselves. A metadata document is put into the words that are understood here. Where
 * its address does not answer, the copy read last stands in for a day: a client that lost its website for an hour must
 * not lose its users' permission, which it would where it were told that it is unknown. One that its publisher has
 * taken away is gone for good, whatever becomes of the website afterwards.
 *
 * @see draft-ietf-oauth-client-id-metadata-document §4.4, RFC 5861 §4
 */
export function createDocumentFetch({ fetch, clock }: DocumentsNeeds) {
  const copies = createRecent<string, Copy>(COPIES)

  async function read(url: string, init: RequestInit | undefined): Promise<Copy | Response> {
    const answer = await fetch(url, init)
    if (answer.status !== 200) return answer
    const text = await answer.text()
    return { text: normalise(text, url) ?? text, headers: keptHeaders(answer.headers), readAt: clock.now() }
  }

  return async function fetchDocument(url: string, init?: RequestInit): Promise<Response> {
    const fresh = await read(url, init).catch((error: unknown) => asError(error))
    if (isCopy(fresh)) copies.set(url, fresh)
    else if (fresh instanceof Response && GONE.has(fresh.status)) copies.delete(url)
    const copy = copies.get(url)
    const isDown = fresh instanceof Error || (fresh instanceof Response && fresh.status >= 500)
    if (copy !== undefined && (copy === fresh || (isDown && clock.now() - copy.readAt < STALE_MS)))
      return new Response(copy.text, { headers: new Headers(copy === fresh ? [...copy.headers] : []) })
    if (fresh instanceof Response) return fresh
    throw fresh
  }
}

function isCopy(outcome: Copy | Response | Error): outcome is Copy {
  return 'readAt' in outcome
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('not fetched', { cause: error })
}

/** Answers `undefined` for what is not the metadata document of that address: it is somebody's keys, or nothing. */
function normalise(text: string, url: string): string | undefined {
  try {
    const document: unknown = JSON.parse(text)
    if (typeof document !== 'object' || document === null) return undefined
    const metadata = Object.fromEntries(Object.entries(document))
    return metadata['client_id'] === url ? JSON.stringify(normaliseDocument(metadata)) : undefined
  } catch {
    return undefined
  }
}

/** Those that say how long it may be kept. @see RFC 9111 §5 */
function keptHeaders(headers: Headers): [string, string][] {
  return [...headers].filter(([name]) => name === 'cache-control' || name === 'expires')
}
