import { createHash } from 'node:crypto'
import { BudgetSpent } from './budget.ts'
import type { Clock } from './clock.ts'
import type { Counters } from './counters.ts'
import { readText, requireApiUrl, type Fetch } from './network.ts'
import { findWithin } from './paging.ts'
import type { Queue, Urgency } from './queue.ts'
import { nextAttemptIn, readRetryAfter } from './retry.ts'
import type { Secret } from './secret.ts'

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

export interface ApiRequest {
  readonly method: 'GET' | 'PATCH' | 'DELETE'
  /** Below the base address. */
  readonly path: string
  readonly query?: Query
  readonly form?: URLSearchParams
  readonly urgency?: Urgency
}

export interface ApiAnswer {
  readonly status: number
  readonly body: unknown
  /** How long the text of the answer was. */
  readonly bytes: number
}

/** Calls an API as one account. Everything it throws comes from `problem`, or is the reason the signal fired for. */
export interface ApiClient {
  /** Stands for the account, and says nothing of it. */
  readonly account: string
  /** The same account's calls with another end. */
  until(signal: AbortSignal): ApiClient
  request(request: ApiRequest): Promise<ApiAnswer>
  /** Reads a next page, if it lies within the same API. */
  follow(next: string): Promise<ApiAnswer>
}

/** An answer that says no, as far as a decision needs it. */
export interface Refusal {
  readonly method: ApiRequest['method']
  readonly status: number
  readonly path: string
  readonly body: string
  readonly retryAfterMs: number | undefined
}

/** What a refusal means: `accepted` is none after all. */
export type Meaning<Code extends string> = { readonly accepted: true } | Refused<Code>

export interface Refused<Code extends string> {
  readonly accepted?: false
  readonly code: Code
  /** Whether trying again may help. */
  readonly retry: boolean
  readonly says: string | undefined
}

/** What goes wrong with any API. */
export type CommonCode = 'timeout' | 'unavailable' | 'unreadable' | 'unsafe_paging' | 'budget_spent'

export interface ApiNeeds<Code extends string> {
  readonly baseUrl: string
  readonly userAgent: string
  readonly fetch: Fetch
  readonly queue: Queue
  readonly clock: Clock
  readonly counters: Counters
  readonly settings: { readonly requestTimeoutMs: number; readonly retryDelaysMs: readonly number[] }
  /** The name of an endpoint for the counters: its path below the base, without ids and names. */
  endpointOf(path: string): string
  readRefusal(refusal: Refusal): Meaning<Code>
  /** The failure in the words of whoever asked. */
  problem(code: Code | CommonCode, more?: { says?: string | undefined; cause?: unknown }): Error
}

/** An HTTP API of JSON and forms that is called with somebody's access token. */
export function createApi<Code extends string>(needs: ApiNeeds<Code>) {
  const { fetch, queue, clock, counters, settings, problem } = needs
  const base = requireApiUrl(needs.baseUrl.replace(/\/+$/, ''))
  const root = base.pathname.replace(/\/$/, '')

  function open({ token, signal }: { readonly token: Secret; readonly signal: AbortSignal }): ApiClient {
    const account = createHash('sha256').update(token.reveal()).digest('base64url')

    async function ask({ urgency = 'person', ...sent }: Sent): Promise<ApiAnswer> {
      for (let attempt = 0; ; attempt += 1) {
        await takeTurn(account, urgency, signal)
        const answer = await once(sent, { token, signal, account })
        if (answer.meaning === undefined) {
          return { status: 200, body: parse(answer.body), bytes: answer.body.length }
        }
        if (answer.meaning.accepted) return { status: answer.status, body: undefined, bytes: 0 }
        // The whole account rests, or its other calls would keep the door shut.
        queue.rest(account, requireWait(answer.meaning, answer.retryAfterMs, attempt))
      }
    }

    return {
      account,
      until: (other) => open({ token, signal: other }),
      request: ({ path, query = {}, ...rest }) => ask({ ...rest, url: urlOf(base, path, query) }),
      async follow(next) {
        const url = findWithin(next, base)
        if (url === undefined) throw problem('unsafe_paging')
        return ask({ method: 'GET', url })
      },
    }
  }

  async function takeTurn(account: string, urgency: Urgency, signal: AbortSignal): Promise<void> {
    try {
      await queue.take({ account, urgency, signal })
    } catch (error) {
      if (!(error instanceof BudgetSpent)) throw error
      const { of, period, renewedAt } = error.spent
      const says = `It is ${of} for one ${period}; it goes on at ${new Date(renewedAt).toISOString()}.`
      throw problem('budget_spent', { says })
    }
  }

  /** Sends one request, and counts how it ended. */
  async function once(sent: Sent, who: Who) {
    const what = `${sent.method} ${needs.endpointOf(sent.url.pathname.slice(root.length))}`
    const startedAt = clock.now()
    const count = (outcome: string) =>
      counters.add({ account: who.account, what, outcome, ms: clock.now() - startedAt })
    try {
      const { status, headers, body } = await exchange(sent, who)
      const retryAfterMs = readRetryAfter(headers.get('retry-after'), clock.now())
      const { method, url } = sent
      const meaning =
        status === 200 ? undefined : needs.readRefusal({ method, status, path: url.pathname, body, retryAfterMs })
      count(meaning === undefined || meaning.accepted ? 'ok' : meaning.code)
      return { status, body, retryAfterMs, meaning }
    } catch (error) {
      count(who.signal.aborted ? 'left' : 'failed')
      throw error
    }
  }

  async function exchange({ method, url, form }: Sent, { token, signal }: Pick<Who, 'token' | 'signal'>) {
    const deadline = AbortSignal.timeout(settings.requestTimeoutMs)
    try {
      const answer = await fetch(url, {
        method,
        headers: {
          ...(token && { authorization: `Bearer ${token.reveal()}` }),
          accept: 'application/json',
          'user-agent': needs.userAgent,
          ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
        },
        ...(form && { body: form.toString() }),
        redirect: 'manual',
        signal: AbortSignal.any([signal, deadline]),
      })
      return { status: answer.status, headers: answer.headers, body: await readText(answer) }
    } catch (cause) {
      signal.throwIfAborted()
      throw problem(deadline.aborted ? 'timeout' : 'unavailable', { cause })
    }
  }

  /** How long to wait before the next attempt. Throws where there is none. */
  function requireWait(meaning: Refused<Code>, retryAfterMs: number | undefined, attempt: number): number {
    const wait = meaning.retry ? nextAttemptIn(attempt, settings.retryDelaysMs, retryAfterMs) : undefined
    if (wait !== undefined) return wait
    const isAsked = meaning.retry && retryAfterMs !== undefined && attempt < settings.retryDelaysMs.length
    const says = isAsked ? `It asks to come back in ${Math.ceil(retryAfterMs / 1000)} seconds.` : meaning.says
    throw problem(meaning.code, { says })
  }

  function parse(body: string): unknown {
    try {
      return JSON.parse(body)
    } catch (cause) {
      throw problem('unreadable', { cause })
    }
  }

  return {
    host: base.host,
    open,
    /** Asks once, as nobody and outside of the queue, whether anything answers; any answer will do. */
    async ping(path: string, signal: AbortSignal): Promise<{ status: number; ms: number }> {
      const startedAt = performance.now()
      const { status } = await exchange({ method: 'GET', url: urlOf(base, path, {}) }, { token: undefined, signal })
      return { status, ms: Math.round(performance.now() - startedAt) }
    },
  }
}

export type Api = Pick<ReturnType<typeof createApi>, 'host' | 'open' | 'ping'>

interface Who {
  readonly token: Secret | undefined
  readonly signal: AbortSignal
  readonly account: string
}

interface Sent {
  readonly method: ApiRequest['method']
  readonly url: URL
  readonly form?: URLSearchParams
  readonly urgency?: Urgency
}

function urlOf(base: URL, path: string, query: Query): URL {
  const url = new URL(`${base.href.replace(/\/$/, '')}${path}`)
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return url
}
