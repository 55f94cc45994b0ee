import type { Selectable } from 'kysely'
import type { Clock } from '../base/clock.ts'
import type { NewId, TenantId, UpstreamId, UserId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import type { Storage } from '../storage/database.ts'
import type { UsersTable } from '../storage/schema.ts'
import type { TenantDb } from '../storage/tenant.ts'
import { parseReadOnly, type Role } from './principal.ts'

export interface User {
  readonly id: UserId
  readonly name: string
  readonly role: Role
  /** An agent is a program in its own name: it has no password, and signs in nowhere. */
  readonly kind: 'person' | 'agent'
  readonly createdAt: number
}

export interface UsersNeeds {
  readonly storage: Storage
  readonly newId: NewId
  readonly clock: Clock
  /** Told when a user may do less, or no more, than before; called before the change is answered. */
  changed(tenant: TenantId, userId: UserId): void
}

/** Letters and digits of any script, and between them also `. _ @ + -` and spaces; 64 characters at most. */
const NAME = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}._@+ -]{0,62}[\p{L}\p{M}\p{N}])?$/u

export function createUsers({ storage, newId, clock, changed }: UsersNeeds) {
  async function change(tenant: TenantId, id: UserId, act: (db: TenantDb, user: User) => Promise<void>): Promise<void> {
    await storage.for(tenant).exclusively(async (db) => act(db, await requireById(db, id)))
    changed(tenant, id)
  }

  const make = (name: string, what: Pick<User, 'role' | 'kind'>): User => ({
    id: newId('usr') as UserId,
    name: asName(name),
    ...what,
    createdAt: clock.now(),
  })

  return {
    /** @throws {Problem} `user.exists`, `request.params` for a name that is not one */
    async add(tenant: TenantId, { name, role }: { name: string; role: Role }): Promise<User> {
      const user = make(name, { role, kind: 'person' })
      return insert(storage, user, () => insertRow(storage.for(tenant), user).then(() => user))
    },

    /**
     * As `add`, in a transaction with what lets them in. The name has to be found free in it.
     *
     * @throws {Problem} `request.params` for a name that is not one
     */
    async addIn(db: TenantDb, { name, role }: { name: string; role: Role }): Promise<User> {
      const user = make(name, { role, kind: 'person' })
      await insertRow(db, user)
      return user
    },

    /**
     * Makes the tenant's first owner, where it has no user at all, and in the same transaction what lets them in:
     * there is never an owner without it.
     */
    addFirst: <T>(tenant: TenantId, name: string, letIn: (db: TenantDb, user: User) => Promise<T>) =>
      storage.for(tenant).exclusively(async (db): Promise<T | undefined> => {
        if ((await db.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined) return undefined
        const user = make(name, { role: 'owner', kind: 'person' })
        await insertRow(db, user)
        return letIn(db, user)
      }),

    /**
     * Makes an agent, and in the same transaction what it comes with.
     *
     * @throws {Problem} `user.exists`, `request.params` for a name that is not one
     */
    async addAgent<T>(tenant: TenantId, name: string, letIn: (db: TenantDb, user: User) => Promise<T>): Promise<T> {
      const user = make(name, { role: 'member', kind: 'agent' })
      const work = async (db: TenantDb) => insertRow(db, user).then(() => letIn(db, user))
      return insert(storage, user, () => storage.for(tenant).transaction(work))
    },

    async list(tenant: TenantId): Promise<User[]> {
      const rows = await storage.for(tenant).selectFrom('users').selectAll().orderBy('name').execute()
      return rows.map(toUser)
    },

    find: (tenant: TenantId, nameOrId: string): Promise<User | undefined> => find(storage.for(tenant), nameOrId),

    /** @throws {Problem} `user.unknown` */
    async require(tenant: TenantId, nameOrId: string): Promise<User> {
      const user = await find(storage.for(tenant), nameOrId)
      if (user === undefined) throw problem('user.unknown', { user: nameOrId })
      return user
    },

    /** @throws {Problem} `user.unknown`, `user.last_owner` */
    setRole: (tenant: TenantId, id: UserId, role: Role): Promise<void> =>
      change(tenant, id, async (db, user) => {
        if (role !== 'owner') await refuseLastOwner(db, user)
        await db.updateTable('users').set({ role }).where('id', '=', id).execute()
      }),

    /** The servers at which the user lets nothing be changed. */
    async listReadOnly(tenant: TenantId, id: UserId): Promise<readonly UpstreamId[]> {
      const rows = storage.for(tenant).selectFrom('users').select('read_only').where('id', '=', id)
      return parseReadOnly((await rows.executeTakeFirst())?.read_only ?? null) ?? []
    },

    /**
     * Says whether the user lets anything be changed at a server. It holds for whatever they call with.
     *
     * @throws {Problem} `user.unknown`
     */
    setReadOnly: (tenant: TenantId, id: UserId, { server, on }: { server: UpstreamId; on: boolean }): Promise<void> =>
      change(tenant, id, async (db) => {
        const row = await db.selectFrom('users').select('read_only').where('id', '=', id).executeTakeFirstOrThrow()
        const others = (parseReadOnly(row.read_only) ?? []).filter((other) => other !== server)
        const servers = on ? [...others, server] : others
        const read_only = servers.length === 0 ? null : servers.join(' ')
        await db.updateTable('users').set({ read_only }).where('id', '=', id).execute()
      }),

    /**
     * Removes a user with all that is theirs: keys, credentials, lists of tools. The audit log stays.
     *
     * @throws {Problem} `user.unknown`, `user.last_owner`
     */
    remove: (tenant: TenantId, id: UserId): Promise<void> =>
      change(tenant, id, async (db, user) => {
        await refuseLastOwner(db, user)
        await db.deleteFrom('catalogs').where('user_id', '=', id).execute()
        await db.deleteFrom('users').where('id', '=', id).execute()
      }),
  }
}
export type Users = ReturnType<typeof createUsers>

/**
 * Answers whether there still is this user, and lets nobody remove them until the transaction ends. It comes before what is
 * theirs is changed: whoever removes a user holds them first as well, and two who began at different ends would wait for each
 * other.
 */
export async function holdUser(db: TenantDb, id: UserId): Promise<boolean> {
  const same = db.updateTable('users').set((row) => ({ role: row.ref('role') }))
  return (await same.where('id', '=', id).executeTakeFirst()).numUpdatedRows === 1n
}

async function insert<T>(storage: Storage, user: User, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw storage.isConflict(error) ? problem('user.exists', { user: user.name, cause: error }) : error
  }
}

async function insertRow(db: TenantDb, { id, name, role, kind, createdAt }: User): Promise<void> {
  await db.insertInto('users', { id, name, role, kind, created_at: createdAt }).execute()
}

/** One spelling of each name, and none that could be taken for an id. */
function asName(text: string): string {
  const name = text.normalize('NFC')
  if (!NAME.test(name) || name.startsWith('usr_')) {
    throw problem('request.params', { reason: 'a user name has 1 to 64 letters, digits, spaces or . _ @ + -' })
  }
  return name
}

async function find(db: TenantDb, nameOrId: string): Promise<User | undefined> {
  // No name and no id has one, and PostgreSQL takes none in a text.
  if (nameOrId.includes('\0')) return undefined
  const row = await db
    .selectFrom('users')
    .selectAll()
    .where(({ eb, or }) => or([eb('name', '=', nameOrId.normalize('NFC')), eb('id', '=', nameOrId as UserId)]))
    .executeTakeFirst()
  return row && toUser(row)
}

async function requireById(db: TenantDb, id: UserId): Promise<User> {
  const row = await db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()
  if (row === undefined) throw problem('user.unknown', { user: id })
  return toUser(row)
}

/** Right only within `exclusively`: two owners who leave at once each see the other still there. */
async function refuseLastOwner(db: TenantDb, user: User): Promise<void> {
  if (user.role !== 'owner') return
  const other = await db
    .selectFrom('users')
    .select('id')
    .where('role', '=', 'owner')
    .where('id', '!=', user.id)
    .limit(1)
    .executeTakeFirst()
  if (other === undefined) throw problem('user.last_owner', { user: user.name })
}

function toUser({ id, name, role, kind, created_at: createdAt }: Selectable<UsersTable>): User {
  return { id, name, role, kind, createdAt }
}
