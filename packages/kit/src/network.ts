import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'

/** The part of `fetch` that is used here; the platform's own fits. */
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

/** Idle connections go before the other side ends them, which many do after 5 s: what is sent then would be lost. */
const agentSettings = { keepAlive: true, maxSockets: 16, timeout: 4000 }

/**
 * Opens the connections of one server: few, kept alive, and gone when it closes. On Node's own client, since `fetch`
 * takes 15 MB that a server of one person has better use for (`npm run large -w packages/mal`).
 */
export function createNetwork(): { fetch: Fetch; close(): Promise<void> } {
  const plain = { request: httpRequest, agent: new HttpAgent(agentSettings) }
  const secure = { request: httpsRequest, agent: new HttpsAgent(agentSettings) }
  return {
    fetch(url, { method, headers, body, signal }) {
      const { request, agent } = url.protocol === 'https:' ? secure : plain
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
      return new Promise((resolve, reject) => {
        request(url, { method, agent, signal, headers: { 'accept-encoding': 'gzip', ...headers, ...length } })
          .on('response', (message) => resolve(answerOf(message)))
          .on('error', reject)
          .end(body)
      })
    },
    async close() {
      plain.agent.destroy()
      secure.agent.destroy()
    },
  }
}

function answerOf(message: IncomingMessage): FetchAnswer {
  const { statusCode = 0, headers } = message
  const isPacked = headers['content-encoding'] === 'gzip'
  return {
    status: statusCode,
    headers: { get: (name) => asOne(headers[name.toLowerCase()]) },
    // Whoever reads it hears of what failed on the way.
    body: isPacked ? pipeline(message, createGunzip(), () => {}) : message,
  }
}

function asOne(value: string | string[] | undefined): string | null {
  return Array.isArray(value) ? value.join(', ') : (value ?? null)
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
