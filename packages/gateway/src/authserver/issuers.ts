import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose'
import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { problem } from '../base/problem.ts'
import type { Fetch } from '../http/guarded-fetch.ts'

export interface IssuersNeeds {
  /** Guarded; may go where the operator's issuers are. */
  readonly fetch: Fetch
  readonly clock: Clock
}

interface Known {
  readonly keys: JWTVerifyGetKey
  readonly foundAt: number
}

const KEPT_MS = 3_600_000

/** The keys of issuers that the operator trusts, found where each issuer's own metadata says. */
export function createIssuers({ fetch, clock }: IssuersNeeds) {
  const known = new Map<string, Known>()
  return {
    /** @throws {Problem} `outbound.*`; `oauth.issuer` where its metadata is not its own */
    async keysOf(issuer: string): Promise<JWTVerifyGetKey> {
      const kept = known.get(issuer)
      if (kept !== undefined && clock.now() - kept.foundAt < KEPT_MS) return kept.keys
      const keys = createRemoteJWKSet(await findKeySet(fetch, issuer), {
        [customFetch]: (url, { headers, method, redirect, signal }) =>
          fetch(url, { headers, method, redirect, signal }),
      })
      known.set(issuer, { keys, foundAt: clock.now() })
      return keys
    },
  }
}
export type Issuers = ReturnType<typeof createIssuers>

const Metadata = z.object({ issuer: z.string(), jwks_uri: z.url() })

/** @see OpenID Connect Discovery §4, RFC 8414 §3 */
async function findKeySet(fetch: Fetch, issuer: string): Promise<URL> {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  for (const place of [`${path}/.well-known/openid-configuration`, `/.well-known/oauth-authorization-server${path}`]) {
    const answer = await fetch(`${origin}${place}`, { headers: { accept: 'application/json' }, redirect: 'error' })
    if (answer.status !== 200) continue
    const found = Metadata.safeParse(await answer.json().catch(() => undefined))
    if (found.data?.issuer === issuer) return new URL(found.data.jwks_uri)
  }
  throw problem('oauth.issuer', { issuer })
}
