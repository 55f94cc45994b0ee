import type { Clock } from '../base/clock.ts'
import type { Random, TenantId, UserId } from '../base/ids.ts'
import type { Secret } from '../base/secret.ts'
import type { User } from '../identity/users.ts'
import type { Storage } from '../storage/database.ts'
import type { TenantDb } from '../storage/tenant.ts'
import { createArgon2, type Argon2Parameters } from './argon2.ts'
import { normalizePassword, requireStrong } from './password-rules.ts'

export interface PasswordsNeeds {
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly settings: { readonly passwordLength: number; readonly argon2?: Argon2Parameters | undefined }
}

/** What is kept of a password that was found good enough. */
export interface PreparedPassword {
  readonly hash: string
}

const GATE = 'sekisho'

/** The passwords users sign in with: their hashes, as the passwords themselves are nowhere. */
export function createPasswords({ storage, clock, random, settings }: PasswordsNeeds) {
  const argon2 = createArgon2({ random, parameters: settings.argon2 })

  async function setIn(db: TenantDb, userId: UserId, { hash }: PreparedPassword): Promise<void> {
    const row = { hash, changed_at: clock.now() }
    await db
      .insertInto('passwords', { user_id: userId, ...row })
      .onConflict((known) => known.columns(['tenant_id', 'user_id']).doUpdateSet(row))
      .execute()
  }

  return {
    /** The fewest characters one may have. */
    length: settings.passwordLength,

    /**
     * Hashes a password that is to be set. Apart from setting it, since hashing takes its time and nobody else must
     * wait for that.
     *
     * @throws {Problem} `login.password_weak`, `login.throttled`
     */
    async prepare(password: Secret, userName: string): Promise<PreparedPassword> {
      requireStrong(password.reveal(), { length: settings.passwordLength, names: [userName, GATE] })
      return { hash: await argon2.hash(normalizePassword(password.reveal())) }
    },

    /** Whether any of these users has a password. */
    async hasAny(tenant: TenantId, users: readonly Pick<User, 'id'>[]): Promise<boolean> {
      const passwords = storage.for(tenant).selectFrom('passwords').select('user_id')
      const ids = users.map(({ id }) => id)
      return ids.length > 0 && (await passwords.where('user_id', 'in', ids).limit(1).executeTakeFirst()) !== undefined
    },

    /** When a user's password was last set; nothing for a user who has none. */
    async changedAt(tenant: TenantId, userId: UserId): Promise<number | undefined> {
      const passwords = storage.for(tenant).selectFrom('passwords').select('changed_at')
      return (await passwords.where('user_id', '=', userId).executeTakeFirst())?.changed_at
    },

    /** Sets a password, in a transaction together with what allows it. */
    setIn,

    /**
     * Answers when it was set, where it is the user's password; as slowly for nobody, and for a user who has none. A hash
     * that was made with other parameters than today's is made anew, since only now the password is at hand.
     *
     * @throws {Problem} `login.throttled`
     */
    async verify(tenant: TenantId, userId: UserId | undefined, password: Secret): Promise<number | undefined> {
      const text = normalizePassword(password.reveal())
      const kept = userId && (await findKept(storage.for(tenant), userId))
      const isRight = await argon2.verify(text, kept?.hash)
      if (!isRight || userId === undefined || kept === undefined) return undefined
      if (argon2.isOutdated(kept.hash)) {
        const fresh = await argon2.hash(text)
        await storage
          .for(tenant)
          .updateTable('passwords')
          .set({ hash: fresh })
          .where('user_id', '=', userId)
          .where('hash', '=', kept.hash)
          .execute()
      }
      return kept.changed_at
    },

    /**
     * Answers whether the user's password is still the one that was set then, and lets nobody set another until the
     * transaction ends: to verify one takes its time, in which another may have been set.
     */
    async holdIn(db: TenantDb, userId: UserId, setAt: number): Promise<boolean> {
      const same = db.updateTable('passwords').set({ changed_at: setAt }).where('user_id', '=', userId)
      return (await same.where('changed_at', '=', setAt).executeTakeFirst()).numUpdatedRows === 1n
    },
  }
}
export type Passwords = ReturnType<typeof createPasswords>

function findKept(db: TenantDb, userId: UserId) {
  const passwords = db.selectFrom('passwords').select(['hash', 'changed_at'])
  return passwords.where('user_id', '=', userId).executeTakeFirst()
}
