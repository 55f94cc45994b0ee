import type { UpstreamId } from '../base/ids.ts'

/** A client that the operator knows. */
export interface KnownClient {
  readonly clientId: string
  readonly name: string
  readonly redirectUris: readonly string[]
  /** Where its public keys are, where it proves who it is by them. */
  readonly jwksUri?: string | undefined
}

/** An identity provider whose word lets clients in, and for whom. */
export interface TrustedIssuer {
  readonly issuer: string
  /** The client ids it may speak for. */
  readonly clients: readonly string[]
  /** User names, by the subjects they are known as there. */
  readonly subjects: Readonly<Record<string, string>>
}

export interface OAuthSettings {
  readonly accessTokenMinutes: number
  readonly refreshTokenDays: number
  /** How long a refresh token is good for beside its successor, until that is first used. */
  readonly refreshGraceHours: number
  readonly dynamicRegistration: boolean
  readonly clientIdMetadata: boolean
  /** Whether terminals may ask with a code that their user enters. */
  readonly deviceAuthorization: boolean
  readonly clients: readonly KnownClient[]
  readonly trustedIssuers: readonly TrustedIssuer[]
}

export interface AuthserverSettings {
  /** The issuer, and the base of every resource identifier: an origin. */
  readonly publicUrl: string
  readonly oauth: OAuthSettings
  /** The servers there are, each of which is a resource of its own. */
  servers(): readonly UpstreamId[]
}

/** What a client may ask for. `mcp` is the only one that opens anything; the others are tolerated. */
export const SCOPES = ['openid', 'offline_access', 'mcp'] as const

/**
 * What of a scope is understood here; `mcp` always is meant, since without it there is nothing to do.
 *
 * @see RFC 6749 §3.3 (a server may ignore what it is asked for)
 */
export function knownScope(scope: string): string {
  const asked = scope.split(' ')
  return SCOPES.filter((known) => known === 'mcp' || asked.includes(known)).join(' ')
}

/** How a client may prove who it is at the token endpoint. */
export const CLIENT_AUTH_METHODS = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const

/** Terminals that show a code. @see RFC 8628 §3.4 */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

/** What an identity provider asserts. @see RFC 7523 §2.1 */
export const JWT_BEARER_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** The name of the cookie of the library's own session, which is never sent; see `mirrorSessions`. */
export const SESSION_COOKIE = 'sekisho-oauth'
