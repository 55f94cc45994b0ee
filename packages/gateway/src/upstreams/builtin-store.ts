import { setImmediate } from 'node:timers/promises'
import type { TenantId, UpstreamId, UserId } from '../base/ids.ts'
import type { Storage } from '../storage/database.ts'
import type { TenantDb } from '../storage/tenant.ts'
import type { Who } from './transport.ts'

/** Plain JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

export interface KeptDocument {
  readonly key: string
  readonly value: Json
  readonly version: number
}

/** Where a server of ours keeps things for one account of one user. */
export interface AccountDocuments {
  find(collection: string, key: string): Promise<KeptDocument | undefined>
  /** The largest keys first, by their bytes. */
  list(collection: string, page: { readonly limit: number; readonly before?: string }): Promise<readonly KeptDocument[]>
  /** With `expected` only where the document has that version, 0 for none; `false` where it has not. */
  put(collection: string, key: string, value: Json, expected?: number): Promise<boolean>
  forget(collection: string, key: string): Promise<void>
}

/** What one server of ours keeps. */
export interface BuiltinStorage {
  /** @param owner The `clientId` that a call came with. */
  forAccount(owner: string, account: string): AccountDocuments
}

/**
 * Keeps what our own servers need after a call has ended, for each tenant, user and server apart. It goes with the
 * user, and what was not written for half a year goes by itself. It holds what people noted and never a credential,
 * so that it is not sealed.
 */
export interface BuiltinStore {
  forUpstream(upstream: UpstreamId): BuiltinStorage
  sweep(): Promise<void>
}

/** Whose call it is, in one word for a server that knows neither tenants nor users. */
export function ownerOf({ tenant, userId }: Who): string {
  return `${tenant}/${userId}`
}

/** Of one collection; those with the smallest keys go first. */
const DOCUMENTS_MOST = 25_000
const VALUE_BYTES = 4 * 1024 * 1024
const KEY_BYTES = 100
const UNWRITTEN_MS = 180 * 24 * 3_600_000
const SWEPT_AT_ONCE = 500

export function createBuiltinStore({
  storage,
  clock,
}: {
  storage: Pick<Storage, 'for' | 'system'>
  clock: { now(): number }
}): BuiltinStore {
  return {
    forUpstream: (upstream) => ({
      forAccount: (owner, account) => openAccount(storage, clock, { ...readOwner(owner), upstream, account }),
    }),
    async sweep() {
      const { system } = storage
      const before = clock.now() - UNWRITTEN_MS
      for (;;) {
        const last = await system
          .selectFrom('builtin_documents')
          .select('written_at')
          .where('written_at', '<', before)
          .orderBy('written_at')
          .offset(SWEPT_AT_ONCE)
          .limit(1)
          .executeTakeFirst()
        const until = last?.written_at ?? before - 1
        await system.deleteFrom('builtin_documents').where('written_at', '<=', until).execute()
        if (!last) return
        await setImmediate()
      }
    },
  }
}

/** Whose, and at which server and account. */
interface Home extends Who {
  readonly upstream: UpstreamId
  readonly account: string
}

function openAccount(
  storage: Pick<Storage, 'for'>,
  clock: { now(): number },
  { tenant, userId, upstream, account }: Home,
): AccountDocuments {
  const db = storage.for(tenant)
  const placeOf = (collection: string): Place => ({ user_id: userId, upstream, account, collection })

  return {
    async find(collection, key) {
      const row = await rowsIn(db, placeOf(collection))
        .where('key', '=', toKey(key))
        .select(['value', 'version'])
        .executeTakeFirst()
      return row && { key, value: JSON.parse(row.value), version: row.version }
    },
    async list(collection, { limit, before }) {
      const all = rowsIn(db, placeOf(collection))
      const wanted = before === undefined ? all : all.where('key', '<', toKey(before))
      const rows = await wanted.select(['key', 'value', 'version']).orderBy('key', 'desc').limit(limit).execute()
      return rows.map((row) => ({ ...row, key: row.key.toString(), value: JSON.parse(row.value) }))
    },
    async put(collection, key, value, expected) {
      const place = placeOf(collection)
      const body = { value: toText(value), written_at: clock.now() }
      const version = await write(db, { ...place, key: toKey(key) }, body, expected)
      if (version === 1) await forgetSmallest(db, place)
      return version !== undefined
    },
    async forget(collection, key) {
      await deleteIn(db, placeOf(collection)).where('key', '=', toKey(key)).execute()
    },
  }
}

interface Place {
  readonly user_id: UserId
  readonly upstream: UpstreamId
  readonly account: string
  readonly collection: string
}

interface Body {
  readonly value: string
  readonly written_at: number
}

/** Answers the version that was written; `undefined` where the document is not as expected. */
async function write(
  db: TenantDb,
  place: Place & { readonly key: Buffer },
  body: Body,
  expected: number | undefined,
): Promise<number | undefined> {
  if (expected !== undefined && expected > 0) {
    const rows = db.updateTable('builtin_documents').where('user_id', '=', place.user_id)
    const these = rows.where('upstream', '=', place.upstream).where('account', '=', place.account)
    const { numUpdatedRows } = await these
      .where('collection', '=', place.collection)
      .where('key', '=', place.key)
      .where('version', '=', expected)
      .set({ ...body, version: expected + 1 })
      .executeTakeFirstOrThrow()
    return numUpdatedRows > 0n ? expected + 1 : undefined
  }
  const columns = ['tenant_id', 'user_id', 'upstream', 'account', 'collection', 'key'] as const
  const row = await db
    .insertInto('builtin_documents', { ...place, ...body, version: 1 })
    .onConflict((conflict) =>
      expected === 0
        ? conflict.doNothing()
        : conflict
            .columns(columns)
            .doUpdateSet(({ eb, ref }) => ({ ...body, version: eb(ref('builtin_documents.version'), '+', 1) })),
    )
    .returning('version')
    .executeTakeFirst()
  return row?.version
}

async function forgetSmallest(db: TenantDb, place: Place): Promise<void> {
  const beyond = rowsIn(db, place).select('key').orderBy('key', 'desc').offset(DOCUMENTS_MOST).limit(1)
  const found = await beyond.executeTakeFirst()
  if (found) await deleteIn(db, place).where('key', '<=', found.key).execute()
}

function rowsIn(db: TenantDb, { user_id, upstream, account, collection }: Place) {
  const rows = db.selectFrom('builtin_documents').where('user_id', '=', user_id).where('upstream', '=', upstream)
  return rows.where('account', '=', account).where('collection', '=', collection)
}

function deleteIn(db: TenantDb, { user_id, upstream, account, collection }: Place) {
  const rows = db.deleteFrom('builtin_documents').where('user_id', '=', user_id).where('upstream', '=', upstream)
  return rows.where('account', '=', account).where('collection', '=', collection)
}

function toKey(key: string): Buffer {
  const bytes = Buffer.from(key)
  if (bytes.length === 0 || bytes.length > KEY_BYTES) throw new Error('no key to keep a document under')
  return bytes
}

function toText(value: Json): string {
  const text = JSON.stringify(value)
  if (Buffer.byteLength(text) > VALUE_BYTES) throw new Error('a document is too large to be kept')
  return text
}

/** Written by {@link ownerOf}; neither part has a slash. */
function readOwner(owner: string): Who {
  const [tenant, userId] = owner.split('/')
  if (!tenant || !userId) throw new Error('nobody owns what is to be kept')
  return { tenant: tenant as TenantId, userId: userId as UserId }
}
