import { createRemoteJWKSet, customFetch, jwtVerify, type JWTVerifyGetKey } from 'jose'
import { z } from 'zod'
import type { Clock } from '../../base/clock.ts'
import type { TenantId, UserId } from '../../base/ids.ts'
import { problem, Problem } from '../../base/problem.ts'
import type { Storage } from '../../storage/database.ts'
import { Identifier } from './claims.ts'
import { toProblem } from './failure.ts'
import type { FetchFor } from './fetches.ts'
import type { MetadataOf, ProviderMetadata } from './metadata.ts'
import type { Spent } from '../spent.ts'
import type { IdentityProvider } from './provider.ts'

export interface LogoutNeeds {
  readonly storage: Pick<Storage, 'for'>
  readonly fetchFor: FetchFor
  readonly metadataOf: MetadataOf
  readonly spent: Pick<Spent, 'spendIn'>
  readonly clock: Clock
}

/** Signed with a key of the provider: `none` and what both sides could have signed are not among them. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const TYPES: readonly unknown[] = [undefined, 'logout+jwt', 'application/logout+jwt', 'JWT']
const OLDEST_SECONDS = 600
const TOLERANCE_SECONDS = 30
/** As long as a token would still be taken. */
const REMEMBERED_MS = (OLDEST_SECONDS + 2 * TOLERANCE_SECONDS) * 1_000

const LogoutToken = z
  .looseObject({
    sub: Identifier.optional(),
    sid: Identifier.optional(),
    jti: Identifier,
    events: z.looseObject({ 'http://schemas.openid.net/event/backchannel-logout': z.looseObject({}) }),
    // An ID token has one: it is no logout token, though everything else in it is right.
    nonce: z.never().optional(),
  })
  .refine(({ sub, sid }) => sub !== undefined || sid !== undefined)

/**
 * Ends the sessions that a provider says are over: all of one user's, or the one that it names.
 *
 * @see {@link https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation OpenID Connect Back-Channel Logout 1.0 §2.6}
 */
export function createLogout({ storage, fetchFor, metadataOf, spent, clock }: LogoutNeeds) {
  const keySets = new Map<string, JWTVerifyGetKey>()

  function keysOf(provider: IdentityProvider, { jwks_uri: uri }: ProviderMetadata): JWTVerifyGetKey {
    const name = `${provider.id} ${uri}`
    const known = keySets.get(name)
    if (known !== undefined) return known
    const made = createRemoteJWKSet(new URL(uri), { [customFetch]: fetchFor(provider) })
    keySets.set(name, made)
    return made
  }

  async function verify(provider: IdentityProvider, metadata: ProviderMetadata, token: string) {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keysOf(provider, metadata), {
        issuer: metadata.issuer,
        audience: provider.clientId,
        algorithms: ALGORITHMS,
        maxTokenAge: OLDEST_SECONDS,
        clockTolerance: TOLERANCE_SECONDS,
        currentDate: new Date(clock.now()),
      })
      if (!TYPES.includes(protectedHeader.typ)) throw refused('it is a token of another type')
      return LogoutToken.parse(payload)
    } catch (error) {
      // The keys could not be had: the token may be good, and is to be sent again.
      if (error instanceof Problem) throw toProblem(provider, error)
      throw refused(reasonOf(error), error)
    }
  }

  /** Where both are named, a session has to match both. `undefined` where the token was taken for this tenant before. */
  function endSessions(tenant: TenantId, { issuer, jti, sub, sid }: Meant): Promise<readonly Ended[] | undefined> {
    return storage.for(tenant).transaction(async (db) => {
      if (!(await spent.spendIn(db, `logout ${issuer} ${jti}`, clock.now() + REMEMBERED_MS))) return undefined
      let sessions = db.selectFrom('sessions').select(['id', 'user_id']).where('federated_issuer', '=', issuer)
      if (sub !== undefined) sessions = sessions.where('federated_subject', '=', sub)
      if (sid !== undefined) sessions = sessions.where('federated_sid', '=', sid)
      const rows = await sessions.execute()
      const ids = rows.map(({ id }) => id)
      if (ids.length > 0) await db.deleteFrom('sessions').where('id', 'in', ids).execute()
      const byUser = Map.groupBy(rows, (row) => row.user_id)
      return [...byUser].map(([userId, { length: count }]) => ({ tenant, userId, count }))
    })
  }

  return {
    /**
     * Takes a logout token, for every tenant whose people come by the application that it is about; answers whose sessions
     * it ended, and how many. One that failed in between is good again, for the tenants that it did not come to.
     *
     * @throws {Problem} `federated.logout_token`, `federated.unreachable`
     */
    async take(provider: IdentityProvider, tenants: readonly TenantId[], token: string): Promise<readonly Ended[]> {
      const metadata = await metadataOf(provider)
      const { jti, sub, sid } = await verify(provider, metadata, token)
      const ended: (readonly Ended[] | undefined)[] = []
      for (const tenant of tenants) ended.push(await endSessions(tenant, { issuer: metadata.issuer, jti, sub, sid }))
      if (ended.every((each) => each === undefined)) throw refused('it was sent before')
      return ended.flatMap((each) => each ?? [])
    },
  }
}

function refused(reason: string, cause?: unknown): Problem {
  return problem('federated.logout_token', { reason, cause })
}

function reasonOf(error: unknown): string {
  return error instanceof z.ZodError ? 'a claim is missing, or should not be there' : 'it is not valid'
}

interface Meant {
  readonly issuer: string
  readonly jti: string
  readonly sub: string | undefined
  readonly sid: string | undefined
}

/** Somebody whose sessions are over. */
export interface Ended {
  readonly tenant: TenantId
  readonly userId: UserId
  readonly count: number
}
