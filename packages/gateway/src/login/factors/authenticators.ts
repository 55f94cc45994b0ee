import { Secret as SharedSecret, TOTP } from 'otpauth'
import type { Clock } from '../../base/clock.ts'
import type { Random, TenantId, UserId } from '../../base/ids.ts'
import { asProblem, problem } from '../../base/problem.ts'
import { secret, type Secret } from '../../base/secret.ts'
import type { Storage } from '../../storage/database.ts'
import type { TenantDb } from '../../storage/tenant.ts'

/** Seals what must not be read from a database or a page; it opens for the same purpose only. */
export interface Sealing {
  seal(tenant: TenantId, purpose: string, value: Secret): Promise<Buffer>
  /** @throws {Problem} `vault.unreadable` */
  open(tenant: TenantId, purpose: string, sealed: Buffer): Promise<Secret>
}

export interface AuthenticatorsNeeds {
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly sealer: Sealing
  readonly publicUrl: string
}

/** A shared secret that an app is offered; it counts once a code has shown that the app has it. */
export interface AppOffer {
  /** What is typed where no picture can be taken: base 32, in groups of four. */
  readonly text: Secret
  /** What the picture holds. @see the Key URI Format of Google Authenticator */
  readonly uri: Secret
  /** The secret again, sealed, to come back with the first code. */
  readonly sealed: string
}

const STEP_MS = 30_000
const SECRET_BYTES = 20
const OFFER_MS = 30 * 60_000
/** Codes of the step before and after are taken too: clocks differ. */
const WINDOW = 1

/**
 * Apps that make one-time codes. The secret is kept sealed, a code is taken once, and none of an earlier step after it.
 *
 * @see RFC 6238 §5.2
 */
export function createAuthenticators({ storage, clock, random, sealer, publicUrl }: AuthenticatorsNeeds) {
  const issuer = `Sekisho ${new URL(publicUrl).hostname}`

  /** The step a code was made for. */
  function stepOf(shared: string, code: string): number | undefined {
    const now = clock.now()
    const delta = totpOf(shared).validate({ token: code, timestamp: now, window: WINDOW })
    return delta === null ? undefined : Math.floor(now / STEP_MS) + delta
  }

  function toOffer(shared: string, userName: string, sealed: string): AppOffer {
    const uri = new TOTP({ issuer, label: userName, secret: SharedSecret.fromBase32(shared) }).toString()
    return { text: secret(shared.replace(/(.{4})(?=.)/g, '$1 ')), uri: secret(uri), sealed }
  }

  /** @throws {Problem} `factor.offer_over` */
  async function open(tenant: TenantId, userId: UserId, sealed: string): Promise<string> {
    const opened = await sealer.open(tenant, offerTo(userId), Buffer.from(sealed, 'base64url')).catch((error) => {
      throw asProblem(error).code === 'vault.unreadable' ? problem('factor.offer_over', { cause: error }) : error
    })
    const [expiresAt = '', shared = ''] = opened.reveal().split(' ')
    if (Number(expiresAt) <= clock.now()) throw problem('factor.offer_over')
    return shared
  }

  return {
    /** When the user's app was set up and last used; nothing where there is none. */
    async find(tenant: TenantId, userId: UserId) {
      const row = await findRow(storage.for(tenant), userId)
      return row && { createdAt: row.created_at, usedAt: row.used_at }
    },

    /** Makes a secret for an app. Nothing is kept of it. */
    async offer(tenant: TenantId, user: { readonly id: UserId; readonly name: string }): Promise<AppOffer> {
      const shared = new SharedSecret({ buffer: new Uint8Array(random(SECRET_BYTES)).buffer }).base32
      const text = secret(`${clock.now() + OFFER_MS} ${shared}`)
      const sealed = await sealer.seal(tenant, offerTo(user.id), text)
      return toOffer(shared, user.name, sealed.toString('base64url'))
    },

    /**
     * The same offer once more, for a page that shows it again.
     *
     * @throws {Problem} `factor.offer_over`
     */
    reopen: async (tenant: TenantId, user: { readonly id: UserId; readonly name: string }, sealed: string) =>
      toOffer(await open(tenant, user.id, sealed), user.name, sealed),

    /**
     * Keeps the secret, now that a code has come which only the app can have made.
     *
     * @throws {Problem} `factor.code`, `factor.offer_over`, `factor.exists` where there is an app already
     */
    async confirm(tenant: TenantId, userId: UserId, given: { sealed: string; code: string }): Promise<void> {
      const shared = await open(tenant, userId, given.sealed)
      const step = stepOf(shared, given.code)
      if (step === undefined) throw problem('factor.code')
      const sealed = await sealer.seal(tenant, secretOf(userId), secret(shared))
      const { numInsertedOrUpdatedRows } = await storage
        .for(tenant)
        .insertInto('authenticators', {
          user_id: userId,
          sealed,
          last_step: step,
          created_at: clock.now(),
          used_at: null,
        })
        .onConflict((known) => known.columns(['tenant_id', 'user_id']).doNothing())
        .executeTakeFirstOrThrow()
      if (numInsertedOrUpdatedRows !== 1n) throw problem('factor.exists')
    },

    /** Takes a code, once; answers whether it was right. Of several who send it at once, one is let on. */
    async take(tenant: TenantId, userId: UserId, code: string): Promise<boolean> {
      const row = await findRow(storage.for(tenant), userId)
      if (row === undefined) return false
      const shared = await sealer.open(tenant, secretOf(userId), row.sealed)
      const step = stepOf(shared.reveal(), code)
      if (step === undefined) return false
      const { numUpdatedRows } = await storage
        .for(tenant)
        .updateTable('authenticators')
        .set({ last_step: step, used_at: clock.now() })
        .where('user_id', '=', userId)
        .where('last_step', '<', step)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },

    /** Forgets the app; answers whether there was one. */
    async removeIn(db: TenantDb, userId: UserId): Promise<boolean> {
      const { numDeletedRows } = await db.deleteFrom('authenticators').where('user_id', '=', userId).executeTakeFirst()
      return numDeletedRows === 1n
    },
  }
}
export type Authenticators = ReturnType<typeof createAuthenticators>

/** What every app takes: SHA-1, six digits, thirty seconds. */
function totpOf(shared: string): TOTP {
  return new TOTP({ secret: SharedSecret.fromBase32(shared) })
}

function secretOf(userId: UserId): string {
  return `authenticator ${userId}`
}

function offerTo(userId: UserId): string {
  return `authenticator offer ${userId}`
}

function findRow(db: TenantDb, userId: UserId) {
  return db.selectFrom('authenticators').selectAll().where('user_id', '=', userId).executeTakeFirst()
}
