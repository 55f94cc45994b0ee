import { renderPage, type PageView } from './page.ts'

export interface PageOptions {
  readonly status?: number | undefined
  /** Whether sending a form of the page ends at somebody else's address, as letting a client in does. */
  readonly leadsAway?: boolean | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Values of `Set-Cookie`. */
  readonly cookies?: readonly string[] | undefined
}

/** Answers with a page that runs nothing but the script it names, can be framed by nobody and is kept nowhere. */
export function showPage(view: PageView, options: PageOptions = {}): Response {
  const { status = 200, leadsAway = false, headers = {}, cookies = [] } = options
  const policy = [POLICY, view.script && SCRIPTS, !leadsAway && STAYING].filter(Boolean).join('; ')
  const all = new Headers({ ...GUARDS, 'Content-Security-Policy': policy, ...headers })
  if (!leadsAway) all.set('Cross-Origin-Opener-Policy', 'same-origin')
  for (const cookie of cookies) all.append('Set-Cookie', cookie)
  return new Response(renderPage(view), { status, headers: all })
}

/** Answers a form that was sent: the browser goes on with GET, and going back does not send it again. */
export function redirectTo(path: string, { cookies = [] }: { readonly cookies?: readonly string[] } = {}): Response {
  const headers = new Headers({ Location: path, 'Cache-Control': 'no-store', 'Referrer-Policy': 'same-origin' })
  for (const cookie of cookies) headers.append('Set-Cookie', cookie)
  return new Response(null, { status: 303, headers })
}

const POLICY = `default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'`

/** The referrer goes to ourselves only: with none at all, browsers would send `Origin: null` with our own forms. */
const GUARDS = {
  'Content-Type': 'text/html; charset=utf-8',
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
  'Cache-Control': 'no-store',
}

/** A file of ours, and no markup from text: the script has no need of that. */
const SCRIPTS = `script-src 'self'; require-trusted-types-for 'script'`

/**
 * Browsers hold `form-action` against every redirect that follows, so it cannot be set where a page leads away; and a
 * client that opened such a page in a window of its own waits for that window to come back to it.
 */
const STAYING = `form-action 'self'`
