export interface CookieRules {
  /** Whether the gate is reached by https; the browser then sends the cookie by nothing else. */
  readonly secure: boolean
  /** Without it the cookie ends with the browser. */
  readonly maxAgeSeconds?: number | undefined
}

/**
 * How a cookie of ours is called. Under https the prefix makes the browser vouch that this host set it, for all of
 * its paths, and by https: neither a neighbouring host nor an unencrypted answer can have put it there.
 *
 * @see RFC 6265bis §4.1.3.2
 */
export type CookieName = 'sekisho' | 'sekisho-form' | 'sekisho-half' | 'sekisho-with'

export function cookieName(name: CookieName, secure: boolean): string {
  return secure ? `__Host-${name}` : name
}

/** The value of a `Set-Cookie` header. Scripts cannot read the cookie, and other sites send it only by plain links. */
export function setCookie(name: string, value: string, { secure, maxAgeSeconds }: CookieRules): string {
  const age = maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}${age}`
}

/** The value of a `Set-Cookie` header that takes a cookie away. */
export function clearCookie(name: string, secure: boolean): string {
  return setCookie(name, '', { secure, maxAgeSeconds: 0 })
}

/** Finds a cookie's value; of several with that name the first, as the browser ranks them. */
export function readCookie(header: string | null | undefined, name: string): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
  }
  return undefined
}
