import type { MalProblemCode } from './problem.ts'
import { asObject, asText } from './read.ts'

/** An answer other than 200, as far as a decision needs it. */
export interface Refusal {
  readonly status: number
  readonly path: string
  readonly body: string
  readonly retryAfterMs: number | undefined
}

/** What an answer means, and MyAnimeList's own words about it where there are any. */
export interface Meaning {
  readonly code: MalProblemCode
  readonly retry: boolean
  readonly says: string | undefined
}

/**
 * Reads a refusal. MyAnimeList uses 403 for three things and says which of them only sometimes: its documentation
 * names throttling ("DoS detected etc."), a list that is not public answers `forbidden`, and so does a credential
 * without access. What cannot be told apart is worth trying again; a private list is not.
 */
export function readRefusal(refusal: Refusal): Meaning {
  const { status } = refusal
  const body = parse(refusal.body)
  const message = asText(body?.['message']) ?? ''
  const says = message === '' ? undefined : `It says: "${short(message)}".`
  if (status === 401) return { code: 'token_rejected', retry: false, says: undefined }
  if (status === 403) return { ...readForbidden(refusal, body !== undefined, message), says }
  if (status === 404) return { code: 'not_found', retry: false, says }
  if (status === 429) return { code: 'throttled', retry: true, says }
  if (status >= 500) return { code: 'unavailable', retry: status !== 501, says: `It answered ${status}.` }
  if (status >= 400) return { code: 'bad_request', retry: false, says }
  // Redirects are not followed: the access token would go with them.
  return { code: 'unreadable', retry: false, says: `It answered ${status}.` }
}

function readForbidden(refusal: Refusal, isJson: boolean, message: string): Omit<Meaning, 'says'> {
  const othersList = refusal.path.includes('/users/') && !refusal.path.includes('/users/@me')
  if (/private|not public/i.test(message) || (othersList && isJson)) return { code: 'private', retry: false }
  // The pages of the protection in front of the API are HTML; the API itself always speaks JSON.
  const throttled =
    !isJson || refusal.retryAfterMs !== undefined || /\bdos\b|too many|\brate\b|limit|throttl/i.test(message)
  return { code: throttled ? 'throttled' : 'no_access', retry: true }
}

/**
 * Reads `Retry-After`, seconds or a date.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 RFC 9110 §10.2.3}
 */
export function readRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}

function parse(body: string): Record<string, unknown> | undefined {
  try {
    return asObject(JSON.parse(body))
  } catch {
    return undefined
  }
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length > 200 ? `${line.slice(0, 200)}…` : line
}
