import type { Selectable } from 'kysely'
import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import type { Storage } from '../storage/database.ts'
import type { ConnectionsTable } from '../storage/schema.ts'
import type { TenantDb } from '../storage/tenant.ts'
import type { Owner } from '../vault/envelope.ts'
import type { Vault } from '../vault/vault.ts'
import type { Holder } from './credential.ts'
import { fromSealed, toSealed, type Credential } from './tokens.ts'
import { vaultNameOf } from './vault-names.ts'

export interface ConnectionStoreNeeds {
  readonly storage: Pick<Storage, 'for'>
  readonly vault: Pick<Vault, 'prepare' | 'open' | 'forgetIn' | 'list'>
  readonly clock: Clock
}

/** A connected account with its tokens. */
export interface Kept {
  readonly holder: Holder
  readonly provider: string
  readonly status: ConnectionsTable['status']
  readonly issuer: string | undefined
  readonly credential: Credential
}

/** What may be told of a connection. */
export interface ConnectionRecord {
  readonly provider: string
  readonly status: ConnectionsTable['status']
  /** What the provider calls the account. */
  readonly account: string | undefined
  readonly scopes: readonly string[]
  readonly issuer: string | undefined
  readonly expiresAt: number | undefined
  readonly connectedAt: number
  readonly refreshedAt: number | undefined
  /** The code of the last failure since the last success. */
  readonly failure: string | undefined
  readonly failedAt: number | undefined
  /** To within a minute. */
  readonly lastUsedAt: number | undefined
}

/** A connection that was just made. */
export interface Made {
  readonly credential: Omit<Credential, 'version'>
  readonly account: string | undefined
  readonly scopes: readonly string[]
  readonly issuer: string | undefined
}

export interface LeaseWanted {
  /** Whichever there is, where it is not said. */
  readonly version?: number
  readonly forMs: number
  /** A lease that has not changed for so long that it counts as over, whatever the clock of its holder said. */
  readonly over?: number
}

/** What came of asking to be the only one who changes a connection. */
export type Lease = { readonly kind: 'taken' | 'held'; readonly until: number } | { readonly kind: 'replaced' }

/** How often a replacement is tried where somebody else replaces the same connection. */
const TRIES = 5

/**
 * The connections of users. Row and credential change in one transaction, and only from the version that was read: a
 * crash at any point leaves the old pair or the new one, and of two that change it at once one is told so.
 */
export function createConnectionStore({ storage, vault, clock }: ConnectionStoreNeeds) {
  function stateOf({ tenant, userId }: Holder, provider: string) {
    const row = connection(storage.for(tenant), { tenant, userId }, provider)
    return row.select(['version', 'status', 'leased_until']).executeTakeFirst()
  }

  /** Puts a connection in place of what was there; `undefined` where what is there is not to be replaced. */
  async function put(
    holder: Holder,
    provider: string,
    made: Made,
    mayReplace: (status: Kept['status']) => boolean,
  ): Promise<Kept | undefined> {
    for (let tries = 0; tries < TRIES; tries++) {
      const before = await stateOf(holder, provider)
      if (before !== undefined && !mayReplace(before.status)) return undefined
      const credential = { ...made.credential, version: (before?.version ?? 0) + 1 }
      const row = rowOf(holder, provider, { ...made, credential }, clock.now())
      const done = await write(holder, provider, credential, async (db, version) => {
        const { user_id: _user, provider: _provider, ...columns } = row
        const from = version - 1
        return from === 0 ? insert(db, row) : update(db, holder, provider, { from, columns })
      })
      if (done) return { holder, provider, status: 'connected', issuer: made.issuer, credential }
    }
    throw new Error('somebody else kept replacing the connection')
  }

  /** Answers whether the row was still at the version before and is at the credential's now. */
  async function write(holder: Holder, provider: string, credential: Credential, change: Change): Promise<boolean> {
    const putCredential = await vault.prepare(ownerOf(holder, provider), toSealed(credential))
    return storage.for(holder.tenant).transaction(async (db) => {
      const done = await change(db, credential.version)
      if (done) await putCredential(db)
      return done
    })
  }

  return {
    /** Answers the connection with its tokens; `undefined` where there is none. */
    async find(holder: Holder, provider: string): Promise<Kept | undefined> {
      const row = await connection(storage.for(holder.tenant), holder, provider)
        .select(['status', 'issuer'])
        .executeTakeFirst()
      const sealed = row && (await vault.open(ownerOf(holder, provider)))
      if (row === undefined || sealed === undefined) return undefined
      const credential = fromSealed(sealed)
      return { holder, provider, status: row.status, issuer: row.issuer ?? undefined, credential }
    },

    /** Puts a connection in place of whatever was there. */
    async replace(holder: Holder, provider: string, made: Made): Promise<Kept> {
      const kept = await put(holder, provider, made, () => true)
      if (kept === undefined) throw new Error('what may always be replaced was not')
      return kept
    },

    /** Puts a connection where there is none that works; `undefined` where there is, even if it was made just now. */
    add: (holder: Holder, provider: string, made: Made): Promise<Kept | undefined> =>
      put(holder, provider, made, (status) => status === 'rejected'),

    /**
     * Keeps every other process from changing a connection that works, `forMs` long or until it is replaced or given back.
     * `held` where another keeps it, `replaced` where there is none, or not of that version any more.
     */
    async lease(holder: Holder, provider: string, { version, forMs, over }: LeaseWanted): Promise<Lease> {
      const now = clock.now()
      const until = now + forMs
      const free = connected(storage.for(holder.tenant), holder, provider)
        .$if(version !== undefined, (rows) => rows.where('version', '=', Number(version)))
        .where((row) => {
          const isOver = over === undefined ? [] : [row('leased_until', '=', over)]
          return row.or([row('leased_until', 'is', null), row('leased_until', '<=', now), ...isOver])
        })
      const { numUpdatedRows } = await free.set({ leased_until: until }).executeTakeFirstOrThrow()
      if (numUpdatedRows > 0n) return { kind: 'taken', until }
      const there = await stateOf(holder, provider)
      const isSame = there?.status === 'connected' && there.version === (version ?? there.version)
      return isSame ? { kind: 'held', until: there.leased_until ?? now } : { kind: 'replaced' }
    },

    /** Gives a lease back that replaced nothing. */
    async giveBack(holder: Holder, provider: string, until: number): Promise<void> {
      const these = connected(storage.for(holder.tenant), holder, provider).where('leased_until', '=', until)
      await these.set({ leased_until: null }).execute()
    },

    /** Keeps renewed tokens; `undefined` where the connection is no longer the one that was renewed. */
    async renew({ holder, provider, issuer, credential: { version } }: Kept, tokens: Omit<Credential, 'version'>) {
      const credential = { ...tokens, version: version + 1 }
      const now = clock.now()
      const done = await write(holder, provider, credential, (db) =>
        update(db, holder, provider, {
          from: version,
          columns: {
            status: 'connected',
            expires_at: credential.expiresAt ?? null,
            refreshed_at: now,
            failure: null,
            failed_at: null,
            leased_until: null,
            version: version + 1,
          },
        }),
      )
      const kept: Kept = { holder, provider, status: 'connected', issuer, credential }
      return done ? kept : undefined
    },

    /** Notes a failure, and with `rejected` that there is no hope; answers whether the row was still that one. */
    async note({ holder, provider, credential: { version } }: Kept, failure: string, rejected: boolean) {
      const change = { failure, failed_at: clock.now() }
      const these = connected(storage.for(holder.tenant), holder, provider).where('version', '=', version)
      const set = these.set(rejected ? { ...change, status: 'rejected' } : change)
      const { numUpdatedRows } = await set.executeTakeFirstOrThrow()
      return numUpdatedRows > 0n
    },

    /** Notes whose it is, where that was found out later, and nobody has said so since. */
    async nameAccount({ tenant, userId }: Holder, provider: string, account: string): Promise<void> {
      const rows = storage.for(tenant).updateTable('connections').where('user_id', '=', userId)
      await rows.where('provider', '=', provider).where('account', 'is', null).set({ account }).execute()
    },

    /** Forgets it with its tokens, whatever `version` it is unless one is given; answers whether it was there. */
    remove(holder: Holder, provider: string, version?: number): Promise<boolean> {
      return storage.for(holder.tenant).transaction(async (db) => {
        const rows = db.deleteFrom('connections').where('user_id', '=', holder.userId).where('provider', '=', provider)
        const these = version === undefined ? rows : rows.where('version', '=', version)
        const { numDeletedRows } = await these.executeTakeFirstOrThrow()
        const isGone = numDeletedRows > 0n
        if (isGone || version === undefined) await vault.forgetIn(db, ownerOf(holder, provider))
        return isGone
      })
    },

    /** When the connection was made; `undefined` where there is none. */
    async connectedAt(holder: Holder, provider: string): Promise<number | undefined> {
      const rows = connection(storage.for(holder.tenant), holder, provider).select('connected_at')
      return (await rows.executeTakeFirst())?.connected_at
    },

    /** What a connection was granted, as far as its provider said. */
    async scopesOf(holder: Holder, provider: string): Promise<readonly string[]> {
      const row = await connection(storage.for(holder.tenant), holder, provider).select('scopes').executeTakeFirst()
      return row === undefined ? [] : Scopes.parse(JSON.parse(row.scopes))
    },

    async list(holder: Holder): Promise<ConnectionRecord[]> {
      const rows = storage.for(holder.tenant).selectFrom('connections').where('user_id', '=', holder.userId)
      const [found, records] = [
        await rows.selectAll().orderBy('provider').execute(),
        await vault.list(holder.tenant, holder.userId),
      ]
      const used = new Map(records.map(({ provider, lastUsedAt }) => [provider, lastUsedAt ?? undefined]))
      return found.map((row) => toRecord(row, used.get(vaultNameOf(row.provider))))
    },
  }
}
export type ConnectionStore = ReturnType<typeof createConnectionStore>

type Change = (db: TenantDb, version: number) => Promise<boolean>
type ConnectionRow = Selectable<ConnectionsTable>
type Row = Omit<ConnectionRow, 'tenant_id'>

/** Names a connection in memory. Ids have no spaces, so no two connections share a key. */
export function keyOf({ tenant, userId }: Holder, provider: string): string {
  return `${tenant} ${userId} ${provider}`
}

function ownerOf({ tenant, userId }: Holder, provider: string): Owner {
  return { tenant, userId, provider: vaultNameOf(provider) }
}

function connection(db: TenantDb, { userId }: Holder, provider: string) {
  return db.selectFrom('connections').where('user_id', '=', userId).where('provider', '=', provider)
}

/** To change it, where it works. */
function connected(db: TenantDb, { userId }: Holder, provider: string) {
  const rows = db.updateTable('connections').where('user_id', '=', userId).where('provider', '=', provider)
  return rows.where('status', '=', 'connected')
}

function rowOf(
  holder: Holder,
  provider: string,
  { credential, ...made }: Made & { credential: Credential },
  now: number,
): Row {
  return {
    user_id: holder.userId,
    provider,
    status: 'connected',
    account: made.account ?? null,
    scopes: JSON.stringify(made.scopes),
    issuer: made.issuer ?? null,
    client_id: credential.clientId,
    expires_at: credential.expiresAt ?? null,
    connected_at: now,
    refreshed_at: null,
    failure: null,
    failed_at: null,
    leased_until: null,
    version: credential.version,
  }
}

/** Answers whether there was none before. */
async function insert(db: TenantDb, row: Row): Promise<boolean> {
  const inserted = await db
    .insertInto('connections', row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow()
  return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n
}

async function update(
  db: TenantDb,
  { userId }: Holder,
  provider: string,
  { from, columns }: { from: number; columns: Partial<Omit<Row, 'user_id' | 'provider'>> },
): Promise<boolean> {
  const rows = db.updateTable('connections').where('user_id', '=', userId).where('provider', '=', provider)
  const { numUpdatedRows } = await rows.where('version', '=', from).set(columns).executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

const Scopes = z.array(z.string())

function toRecord(row: ConnectionRow, lastUsedAt: number | undefined): ConnectionRecord {
  return {
    provider: row.provider,
    status: row.status,
    account: row.account ?? undefined,
    scopes: Scopes.parse(JSON.parse(row.scopes)),
    issuer: row.issuer ?? undefined,
    expiresAt: row.expires_at ?? undefined,
    connectedAt: row.connected_at,
    refreshedAt: row.refreshed_at ?? undefined,
    failure: row.failure ?? undefined,
    failedAt: row.failed_at ?? undefined,
    lastUsedAt,
  }
}
