import { Agent, fetch as undiciFetch } from 'undici'

/** The part of `fetch` that is used here; the platform's own and undici's both fit. */
export type Fetch = (url: URL, init: FetchInit) => Promise<FetchAnswer>

export interface FetchInit {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly headers: Record<string, string>
  readonly body?: string
  readonly redirect: 'manual'
  readonly signal: AbortSignal
}

export interface FetchAnswer {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: AsyncIterable<Uint8Array> | null
}

/** A page of 1000 entries is about 1.5 MB. */
const LARGEST_ANSWER = 32 * 1024 * 1024

/** Opens the connections of one server: few, kept alive, and gone when it closes. */
export function createNetwork(): { fetch: Fetch; close(): Promise<void> } {
  const dispatcher = new Agent({ connections: 16, keepAliveTimeout: 30_000, connect: { timeout: 10_000 } })
  return {
    fetch: (url, init) => undiciFetch(url, { ...init, dispatcher }),
    close: () => dispatcher.destroy(),
  }
}

/** The whole body as text; throws when it is larger than any honest answer. */
export async function readText({ body }: FetchAnswer): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > LARGEST_ANSWER) throw new RangeError('The answer is too large.')
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** Parses the address of an API: https, or http to this machine. Throws a `TypeError` that says so. */
export function requireApiUrl(value: string): URL {
  const url = URL.parse(value)
  const isLoopback = url !== null && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback)) return url
  throw new TypeError(`${value} is not an address to send tokens to: use https, or http on this machine.`)
}
