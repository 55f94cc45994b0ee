import type { Clock } from '../base/clock.ts'
import { systemRandom, type Random, type TenantId, type UserId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { problem } from '../base/problem.ts'
import { secret, type Secret } from '../base/secret.ts'
import type { Storage } from '../storage/database.ts'
import { createMarks, type Mark } from '../storage/marks.ts'
import type { TenantDb } from '../storage/tenant.ts'
import { open, readKeyId, seal, type Owner } from './envelope.ts'
import { IV_BYTES } from './gcm.ts'
import type { Keyring } from './keyring.ts'

/** What may be told of a credential. */
export interface VaultRecord {
  readonly userId: UserId
  readonly provider: string
  /** Goes up by one each time it is replaced. */
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
  /** When it was last taken out, to within a few seconds. */
  readonly lastUsedAt: number | null
}

export interface VaultNeeds {
  readonly storage: Storage
  readonly keyring: Pick<Keyring, 'sealingKey' | 'openingKey'>
  readonly clock: Clock
  readonly log: Log
  readonly random?: Random
}

/** Keeps credentials sealed. Only `open` takes one out; nothing lists them. */
export function createVault({ storage, keyring, clock, log, random = systemRandom }: VaultNeeds) {
  const marks = createMarks<Owner>({ clock, log, write: (group) => writeMarks(storage, group) })

  return {
    /** Keeps a value, in place of the one before; durable when the promise ends. */
    async put(owner: Owner, value: Secret): Promise<void> {
      const key = await keyring.sealingKey(owner.tenant)
      await upsert(storage.for(owner.tenant), owner, seal(key, owner, value.reveal(), random(IV_BYTES)), clock.now())
    },

    /**
     * Seals a value now, and answers what writes it in somebody's transaction: whatever the transaction changes beside
     * it, both stand or neither does.
     */
    async prepare(owner: Owner, value: Secret): Promise<(db: TenantDb) => Promise<void>> {
      const key = await keyring.sealingKey(owner.tenant)
      const envelope = seal(key, owner, value.reveal(), random(IV_BYTES))
      return (db) => upsert(db, owner, envelope, clock.now())
    },

    /** @throws {Problem} `vault.unreadable` for one that was tampered with, or moved here from elsewhere */
    async open(owner: Owner): Promise<Secret | undefined> {
      const row = await ofOwner(storage, owner).select('envelope').executeTakeFirst()
      if (row === undefined) return undefined
      const value = await unseal(keyring, owner, row.envelope)
      marks.mark(`${owner.tenant} ${owner.userId} ${owner.provider}`, owner)
      return secret(value)
    },

    /** Answers whether there was one. */
    forget(owner: Owner): Promise<boolean> {
      return remove(storage.for(owner.tenant), owner)
    },

    /** As `forget`, in somebody's transaction. */
    forgetIn: remove,

    /** What there is, of the tenant or of one user; never the values. */
    async list(tenant: TenantId, userId?: UserId): Promise<VaultRecord[]> {
      const all = storage
        .for(tenant)
        .selectFrom('vault_records')
        .select(['user_id', 'provider', 'version', 'created_at', 'updated_at', 'last_used_at'])
        .orderBy('user_id')
        .orderBy('provider')
      const rows = await (userId === undefined ? all : all.where('user_id', '=', userId)).execute()
      return rows.map(toRecord)
    },

    /** Writes the marks of use that wait. */
    close: marks.flush,
  }
}
export type Vault = ReturnType<typeof createVault>

async function remove(db: TenantDb, { userId, provider }: Owner): Promise<boolean> {
  const records = db.deleteFrom('vault_records').where('user_id', '=', userId).where('provider', '=', provider)
  const { numDeletedRows } = await records.executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}

async function upsert(db: TenantDb, owner: Owner, envelope: Buffer, now: number): Promise<void> {
  await db
    .insertInto('vault_records', {
      user_id: owner.userId,
      provider: owner.provider,
      envelope,
      version: 1,
      created_at: now,
      updated_at: now,
      last_used_at: null,
    })
    .onConflict((row) =>
      row.columns(['tenant_id', 'user_id', 'provider']).doUpdateSet(({ eb, ref }) => ({
        envelope,
        version: eb(ref('vault_records.version'), '+', 1),
        updated_at: now,
      })),
    )
    .execute()
}

function ofOwner(storage: Storage, { tenant, userId, provider }: Owner) {
  return storage.for(tenant).selectFrom('vault_records').where('user_id', '=', userId).where('provider', '=', provider)
}

async function unseal(keyring: VaultNeeds['keyring'], owner: Owner, envelope: Buffer): Promise<string> {
  const keyId = readKeyId(envelope)
  const key = keyId === undefined ? undefined : await keyring.openingKey(owner.tenant, keyId)
  if (key === undefined) throw problem('vault.unreadable', { ...owner, keyId })
  return open(key, owner, envelope)
}

type RecordRow = {
  user_id: UserId
  provider: string
  version: number
  created_at: number
  updated_at: number
  last_used_at: number | null
}

function toRecord(row: RecordRow): VaultRecord {
  return {
    userId: row.user_id,
    provider: row.provider,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastUsedAt: row.last_used_at,
  }
}

async function writeMarks(storage: Storage, group: readonly Mark<Owner>[]): Promise<void> {
  await storage.system.transaction().execute(async (db) => {
    for (const { what, at } of group) {
      await db
        .updateTable('vault_records')
        .set({ last_used_at: at })
        .where('tenant_id', '=', what.tenant)
        .where('user_id', '=', what.userId)
        .where('provider', '=', what.provider)
        .execute()
    }
  })
}
