import type { Selectable } from 'kysely'
import type { Clock } from '../../base/clock.ts'
import type { TenantId, UserId } from '../../base/ids.ts'
import { problem } from '../../base/problem.ts'
import type { Storage } from '../../storage/database.ts'
import type { PasskeysTable } from '../../storage/schema.ts'
import type { TenantDb } from '../../storage/tenant.ts'

/** A passkey as its user is shown it. */
export interface PasskeyRecord {
  readonly id: string
  readonly name: string
  readonly keptIn: 'device' | 'cloud'
  /** How the browser said it can be reached. */
  readonly transports: readonly string[]
  readonly createdAt: number
  readonly usedAt: number | null
}

export interface KeptPasskey extends PasskeyRecord {
  readonly userId: UserId
  readonly publicKey: Buffer
  readonly counter: number
}

type Added = Pick<KeptPasskey, 'id' | 'name' | 'keptIn' | 'transports' | 'publicKey' | 'counter'>

interface PasskeyStoreNeeds {
  readonly storage: Storage
  readonly clock: Clock
}

/** The public halves of passkeys. */
export function createPasskeyStore({ storage, clock }: PasskeyStoreNeeds) {
  return {
    /** A user's passkeys, the oldest first. */
    async list(tenant: TenantId, userId: UserId): Promise<PasskeyRecord[]> {
      const rows = await storage
        .for(tenant)
        .selectFrom('passkeys')
        .selectAll()
        .where('user_id', '=', userId)
        .orderBy('created_at')
        .orderBy('id')
        .execute()
      return rows.map(toKept)
    },

    async find(tenant: TenantId, id: string): Promise<KeptPasskey | undefined> {
      const row = await storage.for(tenant).selectFrom('passkeys').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toKept(row)
    },

    /** Across the tenants. The user is asked for as well: an id of a passkey is chosen by who made it, a user's is not. */
    async findTenant(id: string, userId: string): Promise<TenantId | undefined> {
      const row = await storage.system
        .selectFrom('passkeys')
        .select('tenant_id')
        .where('id', '=', id)
        .where('user_id', '=', userId as UserId)
        .executeTakeFirst()
      return row?.tenant_id
    },

    async count(db: TenantDb, userId: UserId): Promise<number> {
      const rows = await db.selectFrom('passkeys').select('id').where('user_id', '=', userId).execute()
      return rows.length
    },

    /** @throws {Problem} `passkey.refused` for one that is known already, whoever's it is */
    async add(
      db: TenantDb,
      userId: UserId,
      { id, name, keptIn, transports, publicKey, counter }: Added,
    ): Promise<void> {
      const row = { id, user_id: userId, name, kept_in: keptIn, public_key: publicKey, counter }
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('passkeys', {
          ...row,
          transports: JSON.stringify(transports),
          created_at: clock.now(),
          used_at: null,
        })
        .onConflict((known) => known.columns(['tenant_id', 'id']).doNothing())
        .executeTakeFirstOrThrow()
      if (numInsertedOrUpdatedRows !== 1n) throw problem('passkey.refused', { reason: 'it is known already' })
    },

    /**
     * Notes a use; answers whether it may count as one. A counter that does not go up says that there are two of the
     * key; one that stays zero counts nothing.
     *
     * @see {@link https://www.w3.org/TR/webauthn-3/#sctn-sign-counter WebAuthn §6.1.1}
     */
    async used(db: TenantDb, { id, userId }: KeptPasskey, counter: number): Promise<boolean> {
      const { numUpdatedRows } = await db
        .updateTable('passkeys')
        .set({ counter, used_at: clock.now() })
        .where('id', '=', id)
        .where('user_id', '=', userId)
        .where('counter', counter === 0 ? '=' : '<', counter)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },

    async remove(db: TenantDb, userId: UserId, id: string): Promise<boolean> {
      const { numDeletedRows } = await db
        .deleteFrom('passkeys')
        .where('user_id', '=', userId)
        .where('id', '=', id)
        .executeTakeFirst()
      return numDeletedRows === 1n
    },

    async removeAll(db: TenantDb, userId: UserId): Promise<void> {
      await db.deleteFrom('passkeys').where('user_id', '=', userId).execute()
    },
  }
}

/** What the column holds was parsed when it came. */
function toKept(row: Omit<Selectable<PasskeysTable>, 'tenant_id'>): KeptPasskey {
  return {
    id: row.id,
    userId: row.user_id,
    name: row.name,
    keptIn: row.kept_in,
    transports: JSON.parse(row.transports) as string[],
    publicKey: row.public_key,
    counter: row.counter,
    createdAt: row.created_at,
    usedAt: row.used_at,
  }
}
