import { z } from 'zod'
import { secret, type Secret } from '../base/secret.ts'

/** What a token endpoint granted, with times of the gate's own clock. */
export interface Tokens {
  readonly accessToken: Secret
  readonly refreshToken: Secret | undefined
  readonly tokenType: string
  /** As the provider said; `undefined` where it granted what was asked for. */
  readonly scopes: readonly string[] | undefined
  readonly obtainedAt: number
  /** When the access token ends; `undefined` where nobody knows. */
  readonly expiresAt: number | undefined
}

/** Tokens, and all that says where they may go. */
export interface Credential extends Tokens {
  /** The version of the connection that these are the tokens of. */
  readonly version: number
  /** The authorization server, by its issuer or else its token endpoint. */
  readonly boundTo: string
  readonly clientId: string
  readonly resource: string | undefined
}

/** How the vault keeps it. */
const Sealed = z.object({
  version: z.int(),
  accessToken: z.string(),
  refreshToken: z.string().optional(),
  tokenType: z.string(),
  scope: z.array(z.string()).optional(),
  obtainedAt: z.number(),
  expiresAt: z.number().optional(),
  boundTo: z.string(),
  clientId: z.string(),
  resource: z.string().optional(),
})

export function toSealed({ accessToken, refreshToken, scopes, ...rest }: Credential): Secret {
  const sealed: z.input<typeof Sealed> = {
    ...rest,
    accessToken: accessToken.reveal(),
    refreshToken: refreshToken?.reveal(),
    scope: scopes && [...scopes],
  }
  return secret(JSON.stringify(sealed))
}

export function fromSealed(value: Secret): Credential {
  const { accessToken, refreshToken, scope, expiresAt, resource, ...rest } = Sealed.parse(JSON.parse(value.reveal()))
  return {
    ...rest,
    accessToken: secret(accessToken),
    refreshToken: refreshToken === undefined ? undefined : secret(refreshToken),
    scopes: scope,
    expiresAt,
    resource,
  }
}

const SHORTEST_MARGIN = 60_000
const LONGEST_MARGIN = 3_600_000

/**
 * When an access token is renewed: a tenth of its life before its end. At least a minute, so that a call which begins
 * with it can end with it and clocks may differ; at most an hour, since a token of a month that is renewed three days
 * early gains nothing by it; and never more than half its life, so that a short one is not renewed with each call.
 * `undefined` where it is good until it is refused.
 */
export function dueAt({ obtainedAt, expiresAt }: Pick<Tokens, 'obtainedAt' | 'expiresAt'>): number | undefined {
  if (expiresAt === undefined) return undefined
  const life = expiresAt - obtainedAt
  const margin = Math.min(Math.max(life / 10, SHORTEST_MARGIN), LONGEST_MARGIN, life / 2)
  return expiresAt - margin
}
