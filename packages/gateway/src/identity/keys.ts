import type { Selectable } from 'kysely'
import type { Clock } from '../base/clock.ts'
import { systemRandom, type NewId, type Random, type TenantId, type UserId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { problem } from '../base/problem.ts'
import { secret, type Secret } from '../base/secret.ts'
import type { Storage } from '../storage/database.ts'
import { createMarks, type Mark } from '../storage/marks.ts'
import type { EndedAccess } from '../storage/shared/announcements.ts'
import type { ApiKeysTable } from '../storage/schema.ts'
import type { TenantDb } from '../storage/tenant.ts'
import { hashKey, makeKey, prefixOf } from './key-format.ts'
import { cameBy, isScope, type Principal } from './principal.ts'
import { createVerifier, parseScopes } from './verify.ts'

/** What may be told of a key. */
export interface ApiKey {
  readonly id: string
  readonly userId: UserId
  readonly name: string
  readonly prefix: string
  readonly scopes: readonly string[]
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly revokedAt: number | null
  /** To within a few seconds. */
  readonly lastUsedAt: number | null
}

export interface NewApiKey {
  readonly userId: UserId
  readonly name: string
  readonly scopes: readonly string[]
  readonly expiresAt?: number | undefined
}

/** A key is in this answer and nowhere else, ever. */
export interface MadeApiKey {
  readonly key: Secret
  readonly record: ApiKey
}

export interface ApiKeysNeeds {
  readonly storage: Storage
  readonly newId: NewId
  readonly clock: Clock
  readonly log: Log
  readonly random?: Random
  /**
   * How long a verified key is believed without asking the database. This process drops what it changes
   * itself at once; the time is how long another's change may go unseen, so it is short where there are others.
   */
  readonly cacheMs?: number
  /** Told when a key is revoked: what was opened with it may have to end. */
  readonly onEnded?: (ended: EndedAccess) => void
}

const ALONE_CACHE_MS = 30_000
const SHARED_CACHE_MS = 1_000

export function createApiKeys(needs: ApiKeysNeeds) {
  const { storage, newId, clock, log, random = systemRandom } = needs
  const cacheMs = needs.cacheMs ?? (storage.dialect === 'sqlite' ? ALONE_CACHE_MS : SHARED_CACHE_MS)
  const verifier = createVerifier({ storage, clock, cacheMs })
  const marks = createMarks<Principal>({ clock, log, write: (group) => writeMarks(storage, group) })

  async function addIn(db: TenantDb, wanted: NewApiKey): Promise<MadeApiKey> {
    refuseBadScopes(wanted.scopes)
    const key = makeKey(random)
    const row = toRow(wanted, { id: newId('key'), createdAt: clock.now(), key })
    await db.insertInto('api_keys', row).execute()
    return { key: secret(key), record: toApiKey(row) }
  }

  return {
    /**
     * Makes a key, durable before it is answered.
     *
     * @throws {Problem} `user.unknown`, `request.params` for a scope that is not one
     */
    add: (tenant: TenantId, wanted: NewApiKey): Promise<MadeApiKey> =>
      storage.for(tenant).transaction(async (db) => {
        await requireUser(db, wanted.userId)
        return addIn(db, wanted)
      }),

    /** As `add`, in a transaction in which the user was made or found. */
    addIn,

    /** Every key of the tenant, or of one of its users, the oldest first; revoked ones too. */
    async list(tenant: TenantId, userId?: UserId): Promise<ApiKey[]> {
      const keys = storage.for(tenant).selectFrom('api_keys').selectAll().orderBy('created_at').orderBy('id')
      const rows = await (userId === undefined ? keys : keys.where('user_id', '=', userId)).execute()
      return rows.map(toApiKey)
    },

    /**
     * Revokes a key for good; again does nothing more.
     *
     * @throws {Problem} `key.unknown`
     */
    async revoke(tenant: TenantId, id: string): Promise<ApiKey> {
      const db = storage.for(tenant)
      const now = clock.now()
      await db
        .updateTable('api_keys')
        .set({ revoked_at: now })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .execute()
      const row = await db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst()
      if (row === undefined) throw problem('key.unknown', { key: id })
      const ended = { keyId: id }
      verifier.drop(cameBy(ended))
      needs.onEnded?.(ended)
      return toApiKey(row)
    },

    verify: verifier.verify,

    /** Forgets what was verified of a user who was changed or removed. */
    dropUser(tenant: TenantId, userId: UserId): void {
      verifier.drop((principal) => principal.userId === userId && principal.tenant === tenant)
    },

    /** Forgets what was verified of a key that another process revoked. */
    dropEnded: (ended: EndedAccess): void => verifier.drop(cameBy(ended)),

    /** Notes that a key was used; written soon, in a group. */
    markUsed(principal: Principal): void {
      marks.mark(principal.keyId, principal)
    },

    /** Writes the marks that wait. */
    close: marks.flush,
  }
}
export type ApiKeys = ReturnType<typeof createApiKeys>

type KeyRow = Omit<Selectable<ApiKeysTable>, 'tenant_id'>

function refuseBadScopes(scopes: readonly string[]): void {
  const bad = scopes.find((scope) => !isScope(scope))
  if (bad !== undefined) throw problem('request.params', { reason: `${JSON.stringify(bad)} is not a scope` })
  if (scopes.length === 0) throw problem('request.params', { reason: 'a key needs a scope' })
}

function toRow(wanted: NewApiKey, made: { id: string; createdAt: number; key: string }): KeyRow {
  return {
    id: made.id,
    user_id: wanted.userId,
    name: wanted.name,
    hash: hashKey(made.key),
    prefix: prefixOf(made.key),
    scopes: JSON.stringify(wanted.scopes),
    created_at: made.createdAt,
    expires_at: wanted.expiresAt ?? null,
    revoked_at: null,
    last_used_at: null,
  }
}

/** For a clear answer; a race is left to the foreign key. */
async function requireUser(db: TenantDb, id: UserId): Promise<void> {
  const user = await db.selectFrom('users').select('id').where('id', '=', id).executeTakeFirst()
  if (user === undefined) throw problem('user.unknown', { user: id })
}

function toApiKey(row: KeyRow): ApiKey {
  return {
    id: row.id,
    userId: row.user_id,
    name: row.name,
    prefix: row.prefix,
    scopes: parseScopes(row.scopes),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  }
}

/** One transaction for the group: on SQLite a commit costs more than many updates. */
async function writeMarks(storage: Storage, group: readonly Mark<Principal>[]): Promise<void> {
  await storage.system.transaction().execute(async (db) => {
    for (const { what, at } of group) {
      await db
        .updateTable('api_keys')
        .set({ last_used_at: at })
        .where('tenant_id', '=', what.tenant)
        .where('id', '=', what.keyId)
        .execute()
    }
  })
}
