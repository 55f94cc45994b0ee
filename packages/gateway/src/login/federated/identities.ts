import type { Selectable } from 'kysely'
import type { Clock } from '../../base/clock.ts'
import type { TenantId, UserId } from '../../base/ids.ts'
import { problem } from '../../base/problem.ts'
import type { User, Users } from '../../identity/users.ts'
import { cleanText } from '../../pages/clean.ts'
import type { Storage } from '../../storage/database.ts'
import type { FederatedIdentitiesTable } from '../../storage/schema.ts'
import type { TenantDb } from '../../storage/tenant.ts'
import { nameFor, sameName } from './names.ts'
import type { GivenRole, Identity, IdentityProvider } from './provider.ts'

/** An account elsewhere that its user signs in with. */
export interface LinkedIdentity {
  readonly provider: string
  readonly issuer: string
  readonly subject: string
  /** An address or a name, for its user to tell it by. */
  readonly shownAs: string
  readonly linkedAt: number
  readonly usedAt: number | null
}

/** Who somebody is: the pair, and never an address or a name. @see OpenID Connect Core §5.7 */
type Key = Pick<Identity, 'issuer' | 'subject'>

export interface IdentitiesNeeds {
  readonly storage: Pick<Storage, 'for'>
  readonly users: Pick<Users, 'find' | 'addIn'>
  readonly clock: Clock
}

/** Which user an identity at a provider means. */
export function createIdentities({ storage, users, clock }: IdentitiesNeeds) {
  function rowOf(userId: UserId, { provider, identity, madeUser }: NewIdentity) {
    const { issuer, subject, email, username, name } = identity
    const shown_as = cleanText(email ?? username ?? name ?? subject)
    const at = { linked_at: clock.now(), used_at: null }
    return { user_id: userId, issuer, subject, provider: provider.id, shown_as, made_user: madeUser, ...at }
  }

  return {
    /** Finds the user an identity is linked to, and whether the account was made for it. */
    async find(tenant: TenantId, key: Key): Promise<{ user: User; madeUser: boolean } | undefined> {
      const row = await findRow(storage.for(tenant), key)
      const user = row && (await users.find(tenant, row.user_id))
      return row && user && { user, madeUser: row.made_user === 1 }
    },

    /** Answers whether it is still linked to the user, and lets nobody unlink it until the transaction ends. */
    async holdIn(db: TenantDb, userId: UserId, { issuer, subject }: Key): Promise<boolean> {
      const rows = db.updateTable('federated_identities').set((row) => ({ used_at: row.ref('used_at') }))
      const held = rows.where('user_id', '=', userId).where('issuer', '=', issuer).where('subject', '=', subject)
      return (await held.executeTakeFirst()).numUpdatedRows === 1n
    },

    /** Notes that somebody signed in with it. */
    async touch(tenant: TenantId, { issuer, subject }: Key): Promise<void> {
      const rows = storage.for(tenant).updateTable('federated_identities').set({ used_at: clock.now() })
      await rows.where('issuer', '=', issuer).where('subject', '=', subject).execute()
    },

    /**
     * Makes an account for somebody who comes for the first time, under a name that nobody has; both or neither. Of
     * two who come at once as the same person, the second finds what the first made.
     */
    create: (tenant: TenantId, made: Pick<NewIdentity, 'provider' | 'identity'>, role: GivenRole) =>
      storage.for(tenant).exclusively(async (db): Promise<{ user: User; isNew: boolean }> => {
        const known = await findRow(db, made.identity)
        const owner = known && (await findUser(db, known.user_id))
        if (owner !== undefined) return { user: owner, isNew: false }
        const names = await db.selectFrom('users').select('name').execute()
        const name = nameFor(made.identity, new Set(names.map((each) => sameName(each.name))))
        const user = await users.addIn(db, { name, role })
        await db.insertInto('federated_identities', rowOf(user.id, { ...made, madeUser: 1 })).execute()
        return { user, isNew: true }
      }),

    /**
     * Links an identity to a user who asked for it; once more is nothing new, which is answered.
     *
     * @throws {Problem} `federated.taken` where it is another user's
     */
    link: (tenant: TenantId, userId: UserId, { provider, identity }: Pick<NewIdentity, 'provider' | 'identity'>) =>
      storage.for(tenant).exclusively(async (db): Promise<'linked' | 'known'> => {
        const known = await findRow(db, identity)
        if (known !== undefined && known.user_id !== userId)
          throw problem('federated.taken', { provider: provider.label })
        if (known !== undefined) return 'known'
        const row = rowOf(userId, { provider, identity, madeUser: 0 })
        await db.insertInto('federated_identities', row).execute()
        return 'linked'
      }),

    /** What a user has linked, the oldest first. */
    async list(tenant: TenantId, userId: UserId): Promise<LinkedIdentity[]> {
      const rows = storage.for(tenant).selectFrom('federated_identities').selectAll().where('user_id', '=', userId)
      return (await rows.orderBy('linked_at').orderBy('subject').execute()).map(toLinked)
    },

    /**
     * Takes an identity away from its user, and signs out the browsers that it signed in, but for one. `mayGo` is told
     * what would be left, and throws where that is no way in.
     *
     * @throws {Problem} `federated.unlinked` where the user has none such
     */
    unlink: (tenant: TenantId, userId: UserId, { key, mayGo, exceptSession }: Unlink): Promise<LinkedIdentity> =>
      storage.for(tenant).exclusively(async (db) => {
        const rows = await db.selectFrom('federated_identities').selectAll().where('user_id', '=', userId).execute()
        const linked = rows.map(toLinked)
        const gone = linked.find((each) => isSame(each, key))
        if (gone === undefined) throw problem('federated.unlinked')
        mayGo(linked.filter((each) => each !== gone))
        const { issuer, subject } = gone
        const row = db.deleteFrom('federated_identities').where('user_id', '=', userId)
        await row.where('issuer', '=', issuer).where('subject', '=', subject).execute()
        const sessions = db.deleteFrom('sessions').where('user_id', '=', userId).where('id', '!=', exceptSession)
        await sessions.where('federated_issuer', '=', issuer).where('federated_subject', '=', subject).execute()
        return gone
      }),
  }
}
export type Identities = ReturnType<typeof createIdentities>

interface NewIdentity {
  readonly provider: IdentityProvider
  readonly identity: Identity
  readonly madeUser: 0 | 1
}

interface Unlink {
  readonly key: Key
  readonly exceptSession: string
  mayGo(left: readonly LinkedIdentity[]): void
}

function isSame(a: Key, b: Key): boolean {
  return a.issuer === b.issuer && a.subject === b.subject
}

function findRow(db: TenantDb, { issuer, subject }: Key) {
  const rows = db.selectFrom('federated_identities').select(['user_id', 'made_user'])
  return rows.where('issuer', '=', issuer).where('subject', '=', subject).executeTakeFirst()
}

async function findUser(db: TenantDb, userId: UserId): Promise<User | undefined> {
  const row = await db.selectFrom('users').selectAll().where('id', '=', userId).executeTakeFirst()
  return row && { id: row.id, name: row.name, role: row.role, kind: row.kind, createdAt: row.created_at }
}

function toLinked(row: Omit<Selectable<FederatedIdentitiesTable>, 'tenant_id'>): LinkedIdentity {
  const { provider, issuer, subject, shown_as: shownAs, linked_at: linkedAt, used_at: usedAt } = row
  return { provider, issuer, subject, shownAs, linkedAt, usedAt }
}
