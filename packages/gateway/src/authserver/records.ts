import type { Kysely, Selectable } from 'kysely'
import type { AdapterPayload } from 'oidc-provider'
import type { Clock } from '../base/clock.ts'
import { digest } from '../base/digest.ts'
import type { TenantId, UserId } from '../base/ids.ts'
import type { Storage } from '../storage/database.ts'
import type { Database, OAuthRecordsTable } from '../storage/schema.ts'
import { parseAccountId } from './visitor.ts'

export type Row = Selectable<OAuthRecordsTable>

/** A record to be kept: what the library knows, and what of it stands beside. */
interface NewRecord {
  readonly payload: AdapterPayload
  readonly sealed?: Buffer
  /** When it ends, where the library does not say. */
  readonly expiresAt?: number
  /** Of a refresh token: the id, hashed, of the one it takes the place of. */
  readonly parent?: string | undefined
  /** By what else it is found. */
  readonly uid?: string
}

/** The records of the authorization server. Ids come as the library knows them, and are hashed on the way in. */
export function createRecords({ storage, clock }: { storage: Storage; clock: Clock }) {
  const db = storage.system

  return {
    async put(model: string, id: string, record: NewRecord): Promise<void> {
      const row = toRow(model, id, record, clock.now())
      const { payload, sealed, expires_at } = row
      await db
        .insertInto('oauth_records')
        .values(row)
        .onConflict((key) => key.columns(['model', 'id']).doUpdateSet({ payload, sealed, expires_at }))
        .execute()
    },

    async find(model: string, id: string): Promise<Row | undefined> {
      return db
        .selectFrom('oauth_records')
        .selectAll()
        .where('model', '=', model)
        .where('id', '=', digest(id))
        .executeTakeFirst()
    },

    /** Writes a record that there was none of; answers whether it was written. */
    async claim(model: string, id: string, record: NewRecord): Promise<boolean> {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('oauth_records')
        .values(toRow(model, id, record, clock.now()))
        .onConflict((key) => key.columns(['model', 'id']).doNothing())
        .executeTakeFirst()
      return (numInsertedOrUpdatedRows ?? 0n) > 0n
    },

    /** By what else it is found. */
    findByUid: (model: string, uid: string): Promise<Row | undefined> =>
      db.selectFrom('oauth_records').selectAll().where('model', '=', model).where('uid', '=', uid).executeTakeFirst(),

    /** Writes what a record has become, unless somebody else changed it meanwhile; answers whether it was written. */
    async replace({ model, id, payload: before }: Row, payload: AdapterPayload): Promise<boolean> {
      const { numUpdatedRows } = await db
        .updateTable('oauth_records')
        .set({ ...whoseOf(payload), payload: toText(payload) })
        .where('model', '=', model)
        .where('id', '=', id)
        .where('payload', '=', before)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },

    /** By the id as it is kept. */
    findHashed: (model: string, hash: string): Promise<Row | undefined> =>
      db.selectFrom('oauth_records').selectAll().where('model', '=', model).where('id', '=', hash).executeTakeFirst(),

    /**
     * Marks a code or a refresh token as used, and of a refresh token's predecessor that its successor was; in one
     * step, since two requests may present the same at once, or two successors of one. A predecessor that has expired
     * meanwhile is gone, and had no other successor that counts.
     *
     * @returns `first`; `again` where it had been used before; `overtaken` where another successor was used first
     */
    consume: (model: string, id: string): Promise<'first' | 'again' | 'overtaken'> =>
      db.transaction().execute(async (inner) => {
        const now = clock.now()
        const rows = inner.updateTable('oauth_records').where('model', '=', model)
        const token = rows.where('id', '=', digest(id))
        const taken = await token
          .set({ consumed_at: now })
          .where('consumed_at', 'is', null)
          .returning('parent')
          .executeTakeFirst()
        if (taken === undefined) return 'again'
        if (taken.parent === null) return 'first'
        const parent = rows.where('id', '=', taken.parent)
        const { numUpdatedRows } = await parent
          .set({ successor_used_at: now })
          .where('successor_used_at', 'is', null)
          .executeTakeFirst()
        if (numUpdatedRows > 0n || !(await exists(inner, model, taken.parent))) return 'first'
        // It stays unused, as one whose predecessor had its successor: the next to bring it is told that it is stolen.
        await token.set({ consumed_at: null }).execute()
        return 'overtaken'
      }),

    async destroy(model: string, id: string): Promise<void> {
      await db.deleteFrom('oauth_records').where('model', '=', model).where('id', '=', digest(id)).execute()
    },

    async destroyByGrant(model: string, grantId: string): Promise<void> {
      await db.deleteFrom('oauth_records').where('model', '=', model).where('grant_id', '=', grantId).execute()
    },

    /** Everything that a user's permission for a client led to: grants, codes, tokens. */
    async destroyOf(tenant: TenantId, userId: UserId, clientId: string): Promise<void> {
      await db
        .deleteFrom('oauth_records')
        .where('tenant_id', '=', tenant)
        .where('user_id', '=', userId)
        .where('client_id', '=', clientId)
        .execute()
    },
  }
}
export type Records = ReturnType<typeof createRecords>

async function exists(db: Kysely<Database>, model: string, hash: string): Promise<boolean> {
  const row = await db
    .selectFrom('oauth_records')
    .select('id')
    .where('model', '=', model)
    .where('id', '=', hash)
    .executeTakeFirst()
  return row !== undefined
}

/** What the library knew, with the id put back. */
export function toPayload({ payload, consumed_at: consumedAt }: Row, id: string): AdapterPayload {
  const known = JSON.parse(payload) as AdapterPayload
  return { ...known, jti: id, ...(consumedAt === null ? {} : { consumed: Math.floor(consumedAt / 1000) }) }
}

function toRow(model: string, id: string, { payload, sealed, expiresAt, parent, uid }: NewRecord, now: number): Row {
  const whose = whoseOf(payload)
  return {
    model,
    id: digest(id),
    ...whose,
    client_id: payload.clientId ?? payload.client_id ?? null,
    grant_id: model === 'Grant' ? id : whose.grant_id,
    uid: uid ?? payload.uid ?? null,
    payload: toText(payload),
    sealed: sealed ?? null,
    parent: parent ?? null,
    consumed_at: null,
    successor_used_at: null,
    created_at: now,
    expires_at: expiresAt ?? (payload.exp === undefined ? null : payload.exp * 1000),
  }
}

/** The user a record is about, and the permission it hangs on. */
function whoseOf({ accountId, grantId }: AdapterPayload): Pick<Row, 'tenant_id' | 'user_id' | 'grant_id'> {
  const account = accountId === undefined ? undefined : parseAccountId(accountId)
  return { tenant_id: account?.tenant ?? null, user_id: account?.userId ?? null, grant_id: grantId ?? null }
}

function toText({ jti: _id, ...kept }: AdapterPayload): string {
  return JSON.stringify(kept)
}

/** How the code that a user enters is kept. It is short: what keeps it from being guessed is how soon it ends. */
export function userCodeId(userCode: string): string {
  return digest(`user code ${userCode.replace('-', '')}`)
}
