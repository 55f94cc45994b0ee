/** An application that signs its users in here. */
export interface IdentityClient {
  readonly id: string
  readonly secret: string
  readonly name: string
  readonly redirectUris: readonly string[]
  /** Where it takes logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.2). */
  readonly backchannelLogoutUri?: string
  /** Where a browser may be sent to after signing out. */
  readonly postLogoutRedirectUris?: readonly string[]
}

export interface IdentityOptions {
  readonly clients: readonly IdentityClient[]
  /** The address to bind; loopback unless told otherwise. */
  readonly host?: string
}

/** What a hostile or broken provider does. Each is one thing that a relying party has to refuse. */
export type Oddity =
  | 'wrong-iss'
  | 'wrong-aud'
  | 'wrong-azp'
  | 'wrong-nonce'
  | 'no-nonce'
  | 'expired'
  | 'from-the-future'
  | 'alg-none'
  | 'alg-hs256'
  | 'unknown-key'
  | 'old-auth-time'
  | 'no-id-token'
  | 'other-userinfo'
  | 'changed-sub'
  | 'no-iss-parameter'
  | 'wrong-iss-parameter'
  | 'foreign-code'
  | 'wrong-discovery'

/** Every value may be set at any time and counts from the next request on. */
export interface IdentitySettings {
  oddity: Oddity | undefined
  /** Whether requests are answered at all; otherwise they are left waiting, or their connection is cut. */
  reach: 'up' | 'hangs' | 'down'
}

/** The application that is registered where none is named: a gate on this machine. */
export function defaultClient(gate: string, provider = 'playground'): IdentityClient {
  return {
    id: 'sekisho',
    secret: `${'9a7e'.repeat(15)}beef`,
    name: 'Sekisho',
    redirectUris: [`${gate}/sign-in/from/${provider}`],
    backchannelLogoutUri: `${gate}/sign-in/logout/${provider}`,
    postLogoutRedirectUris: [`${gate}/sign-in`],
  }
}
