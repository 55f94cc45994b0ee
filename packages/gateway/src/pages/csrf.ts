import { createHmac, timingSafeEqual } from 'node:crypto'
import { problem } from '../base/problem.ts'

/**
 * The token that a form of ours carries: only a page of ours in the browser that holds the cookie can know it.
 * `purpose` binds it further, to the one thing the form is about.
 */
export function csrfToken(cookieValue: string, purpose = 'csrf'): string {
  return createHmac('sha256', cookieValue).update(purpose).digest('base64url')
}

/**
 * Refuses a form that does not carry the token.
 *
 * @throws {Problem} `request.csrf`
 */
export function requireCsrf(form: URLSearchParams, expected: string | undefined): void {
  const given = Buffer.from(form.get('csrf') ?? '')
  const wanted = Buffer.from(expected ?? '')
  if (wanted.length === 0 || given.length !== wanted.length || !timingSafeEqual(given, wanted))
    throw problem('request.csrf', { reason: 'token' })
}

/**
 * Refuses a form that another site sent, as far as the browser tells. The host of the request is known to be ours:
 * the edge has looked at it.
 *
 * @throws {Problem} `request.csrf`
 * @see the Fetch standard, "origin header"; W3C Fetch Metadata, `Sec-Fetch-Site`
 */
export function requireOwnOrigin({ headers }: Request, publicUrl: string): void {
  const origin = headers.get('Origin')
  const site = headers.get('Sec-Fetch-Site')
  const isForeign = origin !== null && !isOwn(origin, publicUrl, headers.get('Host'))
  if (isForeign || site === 'cross-site' || site === 'same-site') throw problem('request.csrf', { origin, site })
}

function isOwn(origin: string, publicUrl: string, host: string | null): boolean {
  const own = new URL(publicUrl)
  return origin === own.origin || (host !== null && origin === `${own.protocol}//${host.toLowerCase()}`)
}
