/** What a server says of the access it wants, where it refuses a request. */
export interface Challenge {
  readonly error: string | undefined
  readonly resourceMetadata: string | undefined
  readonly scopes: readonly string[] | undefined
}

/** A stranger's words go into addresses and pages: no more of them than any honest server needs. */
const SCOPES_MOST = 50
/** @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.3 RFC 6749 §3.3} */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/

/**
 * Reads the challenge of a Bearer scheme; anything else says nothing.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 RFC 6750 §3} and {@link
 *   https://www.rfc-editor.org/rfc/rfc9728#section-5.1 RFC 9728 §5.1}
 */
export function readChallenge(header: string | null | undefined): Challenge {
  const bearer = /\bbearer\b(.*)/is.exec(header ?? '')?.[1] ?? ''
  const parameter = (name: string) => new RegExp(`\\b${name}="([^"]*)"`, 'i').exec(bearer)?.[1]
  const scopes = parameter('scope')
    ?.split(' ')
    .filter((scope) => SCOPE.test(scope))
    .slice(0, SCOPES_MOST)
  return {
    error: parameter('error'),
    resourceMetadata: parameter('resource_metadata'),
    scopes: scopes?.length ? scopes : undefined,
  }
}

/** The scopes a server wants before it does what it was asked; `undefined` where it refuses for another reason. */
export function scopesWanted(status: number, header: string | null | undefined): readonly string[] | undefined {
  if (status !== 403) return undefined
  const { error, scopes } = readChallenge(header)
  return error === 'insufficient_scope' ? scopes : undefined
}
