import { createHash } from 'node:crypto'
import type { Secret } from '../auth/secret.ts'
import type { Clock } from './clock.ts'
import { readText, requireApiUrl, type Fetch } from './network.ts'
import type { Pace } from './pace.ts'
import { MalProblem } from './problem.ts'
import { asObject } from './read.ts'
import { readRetryAfter } from './refusal.ts'
import { requireAnotherTry } from './retry.ts'

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

/** Reads as one account. Everything it throws is a {@link MalProblem}, or the reason the signal fired for. */
export interface MalReader {
  get(path: string, query: Query): Promise<Record<string, unknown>>
  /** Follows `paging.next`, if it leads to the same API. */
  follow(next: string): Promise<Record<string, unknown>>
}

export interface MalApi {
  open(session: { readonly token: Secret; readonly signal: AbortSignal }): MalReader
}

export interface MalApiNeeds {
  readonly apiBaseUrl: string
  readonly fetch: Fetch
  readonly pace: Pace
  readonly clock: Clock
  readonly settings: { readonly requestTimeoutMs: number; readonly retryDelaysMs: readonly number[] }
}

/** The MyAnimeList API v2 over HTTP, GET only. */
export function createMalApi({ apiBaseUrl, fetch, pace, clock, settings }: MalApiNeeds): MalApi {
  const base = requireApiUrl(apiBaseUrl.replace(/\/+$/, ''))

  return {
    open({ token, signal }) {
      const account = createHash('sha256').update(token.reveal()).digest('base64url')

      async function read(url: URL): Promise<Record<string, unknown>> {
        for (let attempt = 0; ; attempt += 1) {
          await pace.take(account, signal)
          const { status, retryAfter, body } = await send(url, token, signal)
          if (status === 200) return parse(body)
          const retryAfterMs = readRetryAfter(retryAfter, clock.now())
          // The whole account rests, or its other calls would keep the door shut.
          pace.rest(
            account,
            requireAnotherTry({ status, path: url.pathname, body, retryAfterMs }, attempt, settings.retryDelaysMs),
          )
        }
      }

      return {
        get: (path, query) => read(urlOf(base, path, query)),
        follow: async (next) => read(requireSameApi(next, base)),
      }
    },
  }

  async function send(url: URL, token: Secret, signal: AbortSignal) {
    const deadline = AbortSignal.timeout(settings.requestTimeoutMs)
    try {
      const answer = await fetch(url, {
        method: 'GET',
        headers: {
          authorization: `Bearer ${token.reveal()}`,
          accept: 'application/json',
          'user-agent': 'sekisho-mal',
        },
        redirect: 'manual',
        signal: AbortSignal.any([signal, deadline]),
      })
      return { status: answer.status, retryAfter: answer.headers.get('retry-after'), body: await readText(answer) }
    } catch (cause) {
      signal.throwIfAborted()
      throw new MalProblem(deadline.aborted ? 'timeout' : 'unavailable', { cause })
    }
  }
}

function urlOf(base: URL, path: string, query: Query): URL {
  const url = new URL(`${base.href.replace(/\/$/, '')}${path}`)
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return url
}

/**
 * A next page is an address that somebody else wrote, and the access token is sent to it: it must lie within the
 * API that was configured.
 */
function requireSameApi(next: string, base: URL): URL {
  const url = URL.parse(next)
  const within = url?.origin === base.origin && url.pathname.startsWith(`${base.pathname.replace(/\/$/, '')}/`)
  if (url === null || !within || url.username !== '' || url.password !== '') throw new MalProblem('unsafe_paging')
  return url
}

function parse(body: string): Record<string, unknown> {
  try {
    const answer = asObject(JSON.parse(body))
    if (answer) return answer
  } catch (cause) {
    throw new MalProblem('unreadable', { cause })
  }
  throw new MalProblem('unreadable')
}
