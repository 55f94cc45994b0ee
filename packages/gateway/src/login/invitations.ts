import type { Clock } from '../base/clock.ts'
import { digest } from '../base/digest.ts'
import type { Random, TenantId, UserId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import { secret, type Secret } from '../base/secret.ts'
import { holdUser, type User } from '../identity/users.ts'
import type { Storage } from '../storage/database.ts'
import type { TenantDb } from '../storage/tenant.ts'
import type { Passwords } from './passwords.ts'
import type { Sessions } from './sessions.ts'

export interface InvitationsNeeds {
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly passwords: Pick<Passwords, 'prepare' | 'setIn'>
  readonly sessions: Pick<Sessions, 'endAllIn'>
  readonly settings: { readonly publicUrl: string; readonly invitationHours: number }
}

/** A link that lets its user in, shown to whoever made it and kept nowhere. */
export interface Invitation {
  readonly url: Secret
  readonly expiresAt: number
}

/** Whom a link lets in. */
export interface Invited {
  readonly tenant: TenantId
  readonly user: Pick<User, 'id' | 'name'>
}

const SECRET_BYTES = 32
const HOUR_MS = 3_600_000

/**
 * Links that let their user in: the first administrator, whoever was invited, whoever forgot their password. Each is
 * good for once, until it expires or the next one is made.
 */
export function createInvitations({ storage, clock, random, passwords, sessions, settings }: InvitationsNeeds) {
  async function createIn(db: TenantDb, userId: UserId): Promise<Invitation> {
    const text = Buffer.from(random(SECRET_BYTES)).toString('base64url')
    const now = clock.now()
    const expiresAt = now + settings.invitationHours * HOUR_MS
    if (!(await holdUser(db, userId))) throw problem('user.unknown', { user: userId })
    await db.deleteFrom('invitations').where('user_id', '=', userId).execute()
    await db
      .insertInto('invitations', {
        id: digest(text),
        user_id: userId,
        created_at: now,
        expires_at: expiresAt,
        used_at: null,
      })
      .execute()
    return { url: secret(`${settings.publicUrl}/welcome/${text}`), expiresAt }
  }

  async function find(text: string): Promise<Invited | undefined> {
    const row = await storage.system
      .selectFrom('invitations')
      .innerJoin('users', (on) =>
        on.onRef('users.tenant_id', '=', 'invitations.tenant_id').onRef('users.id', '=', 'invitations.user_id'),
      )
      .select(['invitations.tenant_id', 'users.id', 'users.name'])
      .where('invitations.id', '=', digest(text))
      .where('invitations.used_at', 'is', null)
      .where('invitations.expires_at', '>', clock.now())
      .executeTakeFirst()
    return row && { tenant: row.tenant_id, user: { id: row.id, name: row.name } }
  }

  return {
    /** Makes a link, durable before it is answered; the user's earlier ones are good for nothing from then on. */
    create: (tenant: TenantId, userId: UserId): Promise<Invitation> =>
      storage.for(tenant).transaction((db) => createIn(db, userId)),

    /** As `create`, in a transaction in which the user was made or found. */
    createIn,

    /** Finds whom the secret of a link lets in. */
    find,

    /**
     * Uses the link up and sets the password, both or neither; of several who use it at once, one does. Where nobody
     * signs in with a password there is none to set. The user's browsers are signed out: one of them may be why there is
     * a new link.
     *
     * @throws {Problem} `invitation.invalid`, `login.password_weak`, `login.throttled`
     */
    async use(text: string, password: Secret | undefined): Promise<Invited> {
      const invited = await find(text)
      if (invited === undefined) throw problem('invitation.invalid')
      const { tenant, user } = invited
      const prepared = password && (await passwords.prepare(password, user.name))
      await storage.for(tenant).transaction(async (db) => {
        if (!(await holdUser(db, user.id))) throw problem('invitation.invalid')
        await spend(db, digest(text), clock.now())
        if (prepared !== undefined) await passwords.setIn(db, user.id, prepared)
        await sessions.endAllIn(db, user.id)
      })
      return invited
    },
  }
}
export type Invitations = ReturnType<typeof createInvitations>

async function spend(db: TenantDb, id: string, now: number): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('invitations')
    .set({ used_at: now })
    .where('id', '=', id)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  if (numUpdatedRows !== 1n) throw problem('invitation.invalid')
}
