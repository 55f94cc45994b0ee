import type { Secret } from '#kit/secret'

/** Where a token was found: in the request itself, or in what this server was started with. */
export type Source = 'request' | 'access_token' | 'refresh_token'

/** Where the access token of a call comes from. */
export interface Credentials {
  readonly source: Source
  /** The token to call with; `undefined` when there is none. */
  token(): Promise<Secret | undefined>
  /** Another token after MyAnimeList rejected this one, where there is a way to get one. */
  renew?(rejected: Secret): Promise<Secret>
  /** How renewing went so far, where this server does it. */
  renewals?(): Renewals
}

export interface Renewals {
  /** When the token at hand ends, in milliseconds. */
  readonly expiresAt: number | undefined
  readonly succeeded: number
  readonly failed: number
  /** In milliseconds. */
  readonly lastFailedAt: number | undefined
}

/** Who calls: their credentials, and whom to tell when these are missing or rejected. */
export interface Caller {
  readonly credentials: Credentials
  /** Whose call it is in the words of whoever runs this server; '' where there is only one user. */
  readonly owner: string
  /** For whoever can do something about it other than the model, such as a gate in front. */
  refused?(why: 'token_missing' | 'token_rejected'): void
}

/** One token that nobody here can renew. */
export function fixed(token: Secret | undefined, source: Source = 'request'): Credentials {
  return { source, token: async () => token }
}
