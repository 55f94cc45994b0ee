import { lookup as resolve } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, fetch as send, type RequestInit as Sent, type Response as Answer } from 'undici'
import { problem, Problem } from '../base/problem.ts'
import { findSpecialRange, isGlobal } from './addresses.ts'
import { createUnderWay } from './under-way.ts'

/** The web's `fetch`, as libraries take it; some of them say `undefined` of what they leave out. */
export type Fetch = (input: string | URL | Request, init?: FetchInit) => Promise<Response>
export type FetchInit = { [Key in keyof RequestInit]: RequestInit[Key] | undefined }

/** Answers all addresses of a name, at least one. */
export type Lookup = (hostname: string) => Promise<readonly string[]>

export interface GuardedFetchSettings {
  /**
   * Hosts that the operator named, as a URL's `host` has them, or with `*` for every port; they may be private and speak
   * plain HTTP.
   */
  readonly allowedHosts: readonly string[]
  /** For the whole exchange, from the name's lookup to the last byte, redirects included. */
  readonly timeoutMs?: number
  /** Of the answer's content, both as it is sent and as it is read. */
  readonly maxBytes?: number
  readonly maxRedirects?: number
  readonly lookup?: Lookup
}

export interface GuardedFetch {
  /**
   * Asks one address that a stranger chose. The answer is whole when it is given. A signal ends it with the signal's
   * own reason, as the web's `fetch` does.
   *
   * @throws {Problem} `outbound.refused`, `outbound.failed`, `outbound.timeout`, `outbound.too_large`, `gate.stopping`
   */
  readonly fetch: Fetch
  /** Gives up what is under way, and asks nobody any more. */
  close(): Promise<void>
}

/**
 * Makes a `fetch` that can be sent by a stranger to the public internet only: https, no credentials in the address,
 * and every address of the name global. The connection is made to the addresses that were looked at, so that a name
 * which answers otherwise the second time gains nothing; it is not kept for the next exchange. Redirects are
 * followed for GET and HEAD, each hop under the same rules, and no authorization is carried to another origin.
 * Cookies are neither sent nor taken, and a `dispatcher` that a library hands in is not used.
 *
 * @see MCP 2026-07-28, basic/security_best_practices, "Server-Side Request Forgery"
 */
export function createGuardedFetch(settings: GuardedFetchSettings): GuardedFetch {
  const { allowedHosts, timeoutMs, maxBytes, maxRedirects, lookup } = { ...DEFAULTS, ...settings }
  const isAllowed = ({ host, hostname }: URL) => allowedHosts.includes(host) || allowedHosts.includes(`${hostname}:*`)
  const closing = new AbortController()
  const underWay = createUnderWay()

  async function guardedFetch(input: string | URL | Request, init: FetchInit = {}): Promise<Response> {
    const url = parseUrl(input instanceof Request ? input.url : input)
    // Looked at before a Request is made of it, which has an error of its own for credentials.
    checkUrl(url, isAllowed(url))
    const late = new AbortController()
    const give = () => late.abort(problem('outbound.timeout', { host: url.host, seconds: timeoutMs / 1000 }))
    const timer = setTimeout(give, timeoutMs)
    const caller = init.signal ?? (input instanceof Request ? input.signal : undefined)
    const signal = AbortSignal.any([late.signal, closing.signal, ...(caller ? [caller] : [])])
    try {
      signal.throwIfAborted()
      return await unlessAborted(signal, underWay.follow(exchange(url, toRequest(input, init), signal)))
    } finally {
      clearTimeout(timer)
    }
  }

  async function exchange(url: URL, request: Request, signal: AbortSignal): Promise<Response> {
    const body = request.body === null ? null : new Uint8Array(await request.arrayBuffer())
    let asked: Asked = { url, method: request.method, headers: headersOf(request), body }
    for (let hops = 0; ; hops++) {
      const answer = await ask(asked, signal)
      const location = REDIRECTS.has(answer.status) ? answer.headers.get('location') : null
      if (location === null || request.redirect === 'manual') return answer
      if (request.redirect === 'error' || hops === maxRedirects || !FOLLOWED.has(asked.method))
        throw refused(asked.url, 'it leads on to another address')
      asked = lead(asked, parseUrl(location, asked.url))
    }
  }

  async function ask({ url, ...asked }: Asked, signal: AbortSignal): Promise<Response> {
    const allowed = isAllowed(url)
    checkUrl(url, allowed)
    let agent: Agent | undefined
    try {
      const addresses = await addressesOf(url, lookup)
      if (!allowed) checkAddresses(url, addresses)
      signal.throwIfAborted()
      const connect = { timeout: timeoutMs, lookup: pinTo(addresses) }
      agent = new Agent({ connect, headersTimeout: 0, bodyTimeout: 0, maxResponseSize: maxBytes })
      const init: Sent = { ...asked, headers: [...asked.headers], redirect: 'manual', signal, dispatcher: agent }
      return await takeWhole(await send(url, init), maxBytes)
    } catch (error) {
      signal.throwIfAborted()
      throw asOutbound(error, url.host, maxBytes)
    } finally {
      await agent?.destroy()
    }
  }

  return {
    fetch: guardedFetch,
    async close() {
      closing.abort(problem('gate.stopping'))
      await underWay.landed(CLOSE_MS)
    },
  }
}

const DEFAULTS = {
  timeoutMs: 10_000,
  maxBytes: 65_536,
  maxRedirects: 0,
  lookup: async (hostname: string) => (await resolve(hostname, { all: true })).map(({ address }) => address),
}

/** How long a close waits for what it gave up; a lookup of the system cannot be ended, and is not waited for. */
const CLOSE_MS = 1_000

/** One request, which may be made again elsewhere. */
interface Asked {
  readonly url: URL
  readonly method: string
  readonly headers: Headers
  readonly body: Uint8Array | null
}

/** @see RFC 9110 §15.4 */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
/** What is sent by another method may hold a secret, and was meant for the first address. */
const FOLLOWED: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/** To the platform `undefined` and left out are the same, to the types of `RequestInit` they are not. */
function toRequest(input: string | URL | Request, init: FetchInit): Request {
  return new Request(input, init as RequestInit)
}

/** Odd spellings of an IPv4 address are put right here. @see the URL standard, "IPv4 parser" */
function parseUrl(text: string | URL, base?: URL): URL {
  const url = URL.parse(String(text), base?.href)
  if (url === null) throw problem('outbound.refused', { host: base?.host ?? 'this address', reason: UNREADABLE })
  return url
}

const UNREADABLE = 'it cannot be read, or leads to what cannot'

function checkUrl(url: URL, allowed: boolean): void {
  if (url.protocol !== 'https:' && !(allowed && url.protocol === 'http:')) throw refused(url, 'it is not https')
  if (url.username !== '' || url.password !== '') throw refused(url, 'it holds a user name or a password')
}

async function addressesOf({ hostname }: URL, lookup: Lookup): Promise<readonly string[]> {
  const literal = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return isIP(literal) === 0 ? lookup(hostname) : [literal]
}

/** One bad address refuses the name, since nobody knows to which of them a connection would be made. */
function checkAddresses(url: URL, addresses: readonly string[]): void {
  const address = addresses.find((each) => !isGlobal(each))
  if (address !== undefined)
    throw refused(url, 'it is not on the public internet', { address, range: findSpecialRange(address)?.what })
}

function refused({ host }: URL, reason: string, details: Readonly<Record<string, unknown>> = {}): Problem {
  return problem('outbound.refused', { ...details, host, reason })
}

/** Answers a socket that asks for the name with what was looked at; an address itself is not asked for. */
function pinTo(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }))
  return (hostname, options, callback) => {
    const [first] = all
    if (first === undefined) callback(Object.assign(new Error(`No address for ${hostname}`), { code: 'ENOTFOUND' }), [])
    else if (options.all === true) callback(null, all)
    else callback(null, first.address, first.family)
  }
}

function headersOf({ headers }: Request): Headers {
  const sent = new Headers(headers)
  for (const name of ['cookie', 'host']) sent.delete(name)
  sent.set('user-agent', 'sekisho')
  return sent
}

/** The same request for where a redirect leads. @see the Fetch standard, "HTTP-redirect fetch" */
function lead(asked: Asked, url: URL): Asked {
  const headers = new Headers(asked.headers)
  if (url.origin !== asked.url.origin) for (const name of ['authorization', 'proxy-authorization']) headers.delete(name)
  return { ...asked, url, headers }
}

/** Reads the answer to its end, decompressed, and makes it one of the platform's own, which libraries look for. */
async function takeWhole(answer: Answer, maxBytes: number): Promise<Response> {
  const { host } = new URL(answer.url)
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of answer.body ?? []) {
    size += part.byteLength
    if (size > maxBytes) throw problem('outbound.too_large', { host, limit: maxBytes })
    parts.push(part)
  }
  const headers = new Headers([...answer.headers].filter(([name]) => name !== 'set-cookie'))
  return new Response(size === 0 ? null : Buffer.concat(parts), { status: answer.status, headers })
}

/** Leaves at once when the signal says so, though the work may notice later. */
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const leave = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', leave)
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

function asOutbound(error: unknown, host: string, limit: number): Problem {
  if (error instanceof Problem) return error
  const code = codeOf(error)
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return problem('outbound.too_large', { host, limit, cause: error })
  return problem('outbound.failed', { host, reason: code ?? 'no valid answer', cause: error })
}

/** The code of the innermost cause that has one: what `fetch` throws says no more than that it failed. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const own = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return codeOf(error.cause) ?? own
}
