import type { Secret } from './secret.ts'

/** Where the access token of a call comes from. */
export interface Credentials {
  /** The token to call with; `undefined` when there is none. */
  token(): Promise<Secret | undefined>
  /** Another token after MyAnimeList rejected this one, where there is a way to get one. */
  renew?(rejected: Secret): Promise<Secret>
}

/** Who calls: their credentials, and whom to tell when these are missing or rejected. */
export interface Caller {
  readonly credentials: Credentials
  /** For whoever can do something about it other than the model, such as a gate in front. */
  refused?(why: 'token_missing' | 'token_rejected'): void
}

/** One token that nobody here can renew. */
export function fixed(token: Secret | undefined): Credentials {
  return { token: async () => token }
}
