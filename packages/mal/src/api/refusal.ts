import { asObject, asText } from '#kit/read'
import type { Meaning, Refusal } from '#kit/api'
import type { MalProblemCode } from './problem.ts'

/**
 * Reads a refusal. MyAnimeList uses 403 for three things and says which of them only sometimes: its documentation
 * names throttling ("DoS detected etc."), a list that is not public answers `forbidden`, and so does a credential
 * without access. What cannot be told apart is worth trying again; a private list is not.
 */
export function readRefusal(refusal: Refusal): Meaning<MalProblemCode> {
  const { status } = refusal
  const body = parse(refusal.body)
  const message = asText(body?.['message']) ?? ''
  const says = message === '' ? undefined : `It says: "${short(message)}".`
  if (status === 401) return { code: 'token_rejected', retry: false, says: undefined }
  if (status === 403) return { ...readForbidden(refusal, body !== undefined, message), says }
  // What is not there is removed already.
  if (status === 404 && refusal.method === 'DELETE') return { accepted: true }
  if (status === 404) return { code: isOthersList(refusal) ? 'no_such_user' : 'not_found', retry: false, says }
  if (status === 429) return { code: 'throttled', retry: true, says }
  if (status >= 500) return { code: 'unavailable', retry: status !== 501, says: `It answered ${status}.` }
  if (status >= 400) return { code: 'bad_request', retry: false, says }
  // Redirects are not followed: the access token would go with them.
  return { code: 'unreadable', retry: false, says: `It answered ${status}.` }
}

function readForbidden(refusal: Refusal, isJson: boolean, message: string) {
  if (/private|not public/i.test(message) || (isOthersList(refusal) && isJson))
    return { code: 'private', retry: false } as const
  // The pages of the protection in front of the API are HTML; the API itself always speaks JSON.
  const throttled =
    !isJson || refusal.retryAfterMs !== undefined || /\bdos\b|too many|\brate\b|limit|throttl/i.test(message)
  return { code: throttled ? 'throttled' : 'no_access', retry: true } as const
}

function isOthersList({ path }: Refusal): boolean {
  return path.includes('/users/') && !path.includes('/users/@me')
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
