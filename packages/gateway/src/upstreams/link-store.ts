import { setImmediate } from 'node:timers/promises'
import type { TenantId, UpstreamId } from '../base/ids.ts'
import { isRecord } from '../base/json-rpc.ts'
import { secret, type Secret } from '../base/secret.ts'
import type { Storage } from '../storage/database.ts'
import type { TenantDb } from '../storage/tenant.ts'
import type { Handshake } from './era.ts'
import type { Who } from './transport.ts'

/** Which session at an upstream is meant, of all that a user has there. */
export interface LinkPlace extends Who {
  readonly upstream: UpstreamId
  /** A digest of what sets it apart from the user's others. */
  readonly client: string
  /** The client's session it is for, where it is for one. */
  readonly session: string | undefined
}

/** A session that an upstream has opened, with all that is needed to go on with it. */
export interface KeptLink {
  readonly sessionId: string
  /** A digest of the address and the credential it was opened with. */
  readonly credential: string
  readonly handshake: Handshake
}

/**
 * Keeps the sessions that upstreams have opened, sealed, so that another process, or this one after a restart, goes
 * on with them.
 */
export interface LinkStore {
  /** The session of that place; `undefined` where there is none, or none that can be opened. */
  find(place: LinkPlace): Promise<KeptLink | undefined>
  /**
   * Keeps a session that was just opened. Of two that are opened at once with one credential, one is kept.
   *
   * @returns the one that is kept, which may be somebody else's.
   */
  save(place: LinkPlace, link: KeptLink): Promise<KeptLink>
  /** Notes that it is in use. */
  touch(place: LinkPlace): Promise<void>
  /** Forgets this very session, and no other that has taken its place. */
  drop(place: LinkPlace, sessionId: string): Promise<void>
  /** Forgets what was kept for one session of a client's, and says what that was. */
  dropSession(who: Who, upstream: UpstreamId, session: string): Promise<readonly KeptLink[]>
  /** Forgets all that was kept for a user, and says what that was. */
  dropUser(who: Who, upstream: UpstreamId): Promise<readonly KeptLink[]>
  /** Forgets what nobody has used for a day. */
  sweep(): Promise<void>
}

/** The shape of the vault's sealer. */
export interface Sealing {
  seal(tenant: TenantId, purpose: string, value: Secret): Promise<Buffer>
  open(tenant: TenantId, purpose: string, sealed: Buffer): Promise<Secret>
}

export interface LinkStoreNeeds {
  readonly storage: Pick<Storage, 'for' | 'system'>
  readonly sealer: Sealing
  readonly clock: { now(): number }
}

/** How often a place is tried to be taken where others keep taking it. */
const TRIES = 5
const UNUSED_MS = 24 * 60 * 60_000
/** How many rows one statement removes, so that nobody waits long for it. */
const SWEPT_AT_ONCE = 500

export function createLinkStore({ storage, sealer, clock }: LinkStoreNeeds): LinkStore {
  /** A row that cannot be opened, such as one sealed under a key that is gone, is as good as none. */
  async function unseal({ tenant }: Who, purpose: string, sealed: Buffer): Promise<KeptLink | undefined> {
    const opened = await sealer.open(tenant, purpose, sealed).catch(() => undefined)
    return opened && readKept(opened.reveal())
  }

  async function read(place: LinkPlace): Promise<{ sealed: Buffer; link: KeptLink | undefined } | undefined> {
    const row = await rowOf(storage.for(place.tenant), place).select('sealed').executeTakeFirst()
    return row && { sealed: row.sealed, link: await unseal(place, purposeOf(place), row.sealed) }
  }

  async function dropWhere(who: Who, upstream: UpstreamId, session?: string): Promise<readonly KeptLink[]> {
    const db = storage.for(who.tenant)
    const rows = db.selectFrom('upstream_sessions').where('user_id', '=', who.userId).where('upstream', '=', upstream)
    const wanted = session === undefined ? rows : rows.where('session', '=', session)
    const found = await wanted.select(['client', 'sealed']).execute()
    const dropped: KeptLink[] = []
    for (const { client, sealed } of found) {
      const place: LinkPlace = { ...who, upstream, client, session }
      await dropRow(db, place, sealed)
      const link = await unseal(who, purposeOf(place), sealed)
      if (link) dropped.push(link)
    }
    return dropped
  }

  return {
    find: async (place) => (await read(place))?.link,
    async save(place, link) {
      const { tenant } = place
      const db = storage.for(tenant)
      const sealed = await sealer.seal(tenant, purposeOf(place), secret(JSON.stringify(link)))
      for (let tries = 0; tries < TRIES; tries++) {
        if (await insert(db, place, sealed, clock.now())) return link
        const found = await read(place)
        if (found?.link?.credential === link.credential) return found.link
        if (found && (await replace(db, place, { from: found.sealed, to: sealed, now: clock.now() }))) return link
      }
      throw new Error('somebody else kept taking the place')
    },
    async touch(place) {
      const rows = storage.for(place.tenant).updateTable('upstream_sessions').where('user_id', '=', place.userId)
      const these = rows.where('upstream', '=', place.upstream).where('client', '=', place.client)
      await these.set({ used_at: clock.now() }).execute()
    },
    async drop(place, sessionId) {
      const found = await read(place)
      if (found?.link?.sessionId === sessionId) await dropRow(storage.for(place.tenant), place, found.sealed)
    },
    dropSession: (who, upstream, session) => dropWhere(who, upstream, session),
    dropUser: (who, upstream) => dropWhere(who, upstream),
    async sweep() {
      const { system } = storage
      for (;;) {
        const old = system
          .selectFrom('upstream_sessions as each')
          .select(['each.tenant_id', 'each.user_id', 'each.upstream', 'each.client'])
          .where('each.used_at', '<', clock.now() - UNUSED_MS)
          .limit(SWEPT_AT_ONCE)
        const { numDeletedRows } = await system
          .deleteFrom('upstream_sessions')
          .where(({ eb, refTuple }) =>
            eb(
              refTuple('tenant_id', 'user_id', 'upstream', 'client'),
              'in',
              old.$asTuple('tenant_id', 'user_id', 'upstream', 'client'),
            ),
          )
          .executeTakeFirst()
        if (Number(numDeletedRows) < SWEPT_AT_ONCE) return
        await setImmediate()
      }
    },
  }
}

/** Opens in its own place only: a row that somebody moves to another user or server is as good as none. */
function purposeOf({ userId, upstream, client }: LinkPlace): string {
  return `upstream-session ${userId} ${upstream} ${client}`
}

function rowOf(db: TenantDb, { userId, upstream, client }: LinkPlace) {
  const rows = db.selectFrom('upstream_sessions').where('user_id', '=', userId)
  return rows.where('upstream', '=', upstream).where('client', '=', client)
}

/** Answers whether the place was free. */
async function insert(db: TenantDb, place: LinkPlace, sealed: Buffer, now: number): Promise<boolean> {
  const { userId, upstream, client, session = null } = place
  const row = { user_id: userId, upstream, client, session, sealed, opened_at: now, used_at: now }
  const inserted = await db
    .insertInto('upstream_sessions', row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow()
  return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n
}

/** Sealed twice, the same text has other bytes: they tell whether the row is still the one that was read. */
async function replace(
  db: TenantDb,
  { userId, upstream, client }: LinkPlace,
  { from, to, now }: { from: Buffer; to: Buffer; now: number },
): Promise<boolean> {
  const rows = db.updateTable('upstream_sessions').where('user_id', '=', userId).where('upstream', '=', upstream)
  const these = rows.where('client', '=', client).where('sealed', '=', from)
  const { numUpdatedRows } = await these.set({ sealed: to, opened_at: now, used_at: now }).executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

async function dropRow(db: TenantDb, { userId, upstream, client }: LinkPlace, sealed: Buffer): Promise<void> {
  const rows = db.deleteFrom('upstream_sessions').where('user_id', '=', userId).where('upstream', '=', upstream)
  await rows.where('client', '=', client).where('sealed', '=', sealed).execute()
}

/** Written by {@link createLinkStore} alone; one of an older release may lack something. */
function readKept(text: string): KeptLink | undefined {
  const kept: unknown = JSON.parse(text)
  if (!isRecord(kept) || typeof kept['sessionId'] !== 'string' || typeof kept['credential'] !== 'string')
    return undefined
  const { sessionId, credential, handshake } = kept
  if (!isRecord(handshake) || !isRecord(handshake['capabilities'])) return undefined
  // No other era has sessions.
  if (handshake['era'] !== 'legacy' || typeof handshake['version'] !== 'string') return undefined
  return { sessionId, credential, handshake: handshake as unknown as Handshake }
}
