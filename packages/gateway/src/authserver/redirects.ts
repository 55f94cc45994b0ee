import { isLoopbackHost } from '../base/loopback.ts'

/** Schemes that run something, show what is here, or belong to the browser itself. */
const FORBIDDEN: ReadonlySet<string> = new Set(
  ['about', 'blob', 'chrome', 'data', 'file', 'filesystem', 'ftp', 'intent', 'javascript', 'vbscript', 'view-source']
    .concat(['ws', 'wss', 'mailto', 'tel', 'sms'])
    .map((scheme) => `${scheme}:`),
)

type RedirectKind = 'https' | 'loopback' | 'private'

/**
 * Says where an answer would go: to a web address, to a program on the user's machine, or to whichever program has
 * claimed a scheme. Anything else is no redirect URI; a `*` stands for nothing, and nobody shall think that it does.
 *
 * @see RFC 8252 §7, OAuth 2.1 §2.3.1
 */
export function redirectKind(redirectUri: string): RedirectKind | undefined {
  const url = URL.parse(redirectUri)
  if (url === null || /[#*]/.test(redirectUri) || url.username !== '' || url.password !== '') return undefined
  if (url.protocol === 'https:') return 'https'
  if (url.protocol === 'http:') return isLoopbackHost(url.hostname) ? 'loopback' : undefined
  return FORBIDDEN.has(url.protocol) ? undefined : 'private'
}

/** What a person is told of where the answer goes: a host, or the scheme that a program has claimed. */
export function redirectHostOf(redirectUri: string): string {
  const url = URL.parse(redirectUri)
  if (url === null) return ''
  if (url.protocol === 'https:' || url.protocol === 'http:') return url.host
  return url.host === '' ? url.protocol : `${url.protocol}//${url.host}`
}

/** The same without the port, which a program on the user's machine takes as it comes. @see RFC 8252 §7.3 */
export function withoutLoopbackPort(host: string): string {
  const hostname = host.replace(/:\d+$/, '')
  return isLoopbackHost(hostname) ? hostname : host
}
