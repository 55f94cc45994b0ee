import { problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import type { ProviderConfig } from '../config/config.ts'

/** Where providers answer to: what an operator registers there. */
export const CALLBACK = '/callback'

/**
 * Where authorization servers answer to that a server named and no operator knows. One of these may lead the browser on
 * to an honest provider, in the gate's name; the code then comes to the other address, and goes nowhere. It is a path of
 * its own, since some servers replace the query of an address where RFC 6749 §3.1.2 has them keep it.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9700#section-4.4.2 RFC 9700 §4.4.2}
 */
export const SERVER_CALLBACK = '/callback/server'

/** What an authorization server calls this gate. */
export interface KnownClient {
  readonly clientId: string
  readonly clientSecret: Secret | undefined
  readonly clientAuthentication: ProviderConfig['clientAuthentication']
  /** Where its answers come, below `publicUrl`. */
  readonly callback: typeof CALLBACK | typeof SERVER_CALLBACK
  /** Whether the gate registered itself (RFC 7591), and can do so again. */
  readonly registered: boolean
}

/** An authorization server as the gate talks to it, whether a definition says how or its own metadata does. */
export interface Party extends Pick<
  ProviderConfig,
  | 'id'
  | 'name'
  | 'issuer'
  | 'authorizationUrl'
  | 'tokenUrl'
  | 'authorizationParameters'
  | 'pkce'
  | 'scopes'
  | 'scopeSeparator'
  | 'tokenReply'
  | 'refresh'
  | 'account'
  | 'revocation'
> {
  readonly client: KnownClient
  /** Whether it promises `iss` with every answer (RFC 9207 §3). */
  readonly sendsIssuer: boolean
  /** What the tokens are asked for (RFC 8707). */
  readonly resource: string | undefined
}

/** @throws {Problem} `provider.not_set_up` */
export function partyOf(provider: ProviderConfig): Party {
  const { id, name, clientId, clientSecret, clientAuthentication } = provider
  if (clientId === undefined) throw notSetUp(id, name)
  const client = { clientId, clientSecret, clientAuthentication, callback: CALLBACK, registered: false } as const
  return { ...provider, client, sendsIssuer: false, resource: undefined }
}

export function notSetUp(id: string, name: string) {
  return problem('provider.not_set_up', { id, provider: name })
}

/** What credentials are bound to: they are sent to no other authorization server, whatever the configuration becomes. */
export function boundTo({ issuer, tokenUrl }: Pick<Party, 'issuer' | 'tokenUrl'>): string {
  return issuer ?? tokenUrl
}
