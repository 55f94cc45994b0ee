import type { Selectable } from 'kysely'
import type { Clock } from '../base/clock.ts'
import { digest } from '../base/digest.ts'
import type { Random, TenantId, UserId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { Role } from '../identity/principal.ts'
import { clearCookie, cookieName, readCookie, setCookie } from '../pages/cookies.ts'
import { csrfToken } from '../pages/csrf.ts'
import type { Storage } from '../storage/database.ts'
import { createMarks, type Mark } from '../storage/marks.ts'
import type { SessionsTable } from '../storage/schema.ts'
import type { TenantDb } from '../storage/tenant.ts'
import { describeBrowser } from './browser.ts'
import { isLive, lifetimesOf, type Lifetimes, type PolicyOf } from './policy.ts'

/** Whom a browser stands for. */
export interface SignedIn {
  readonly tenant: TenantId
  readonly userId: UserId
  readonly userName: string
  readonly role: Role
  readonly sessionId: string
  /** What every form of this browser carries. */
  readonly csrf: string
  readonly createdAt: number
  /** When the user proved who they are: here, or at a provider that says so. */
  readonly authenticatedAt: number
  /** What the user proved it with. @see RFC 8176 §2 */
  readonly amr: readonly string[]
}

/** A browser that is signed in, as its user is shown it. */
export interface SessionRecord {
  readonly id: string
  readonly browser: string
  readonly address: string
  readonly createdAt: number
  /** To within a minute or so. */
  readonly seenAt: number
  readonly expiresAt: number
}

/** By whom, for whom, and in which session of its own. */
export interface VouchedFor {
  readonly provider: string
  readonly issuer: string
  readonly subject: string
  readonly sid?: string | undefined
}

/** A browser that is about to be signed in. */
export interface From {
  /** Its `User-Agent`. */
  readonly browser: string
  readonly address: string
  /** What the user proved it with. @see RFC 8176 §2 */
  readonly amr: readonly string[]
  /** When that was, where it was not now. */
  readonly authenticatedAt?: number | undefined
  /** Where an identity provider vouched for them. */
  readonly federated?: VouchedFor | undefined
  /** What it sent as `Cookie`: the session it had ends. */
  readonly cookieHeader?: string | undefined
  /** Throws, in the transaction that signs it in, where what was proven is worth nothing any more. */
  readonly requireIn?: ((db: TenantDb) => Promise<void>) | undefined
}

export interface SessionsNeeds {
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly policyOf: PolicyOf
  /** Whether the gate is reached by https. */
  readonly secure: boolean
}

const SEEN_MS = 60_000
const VALUE_BYTES = 32

/**
 * The browsers that are signed in. Each holds 32 bytes of chance in a cookie, of which only a hash is kept; the role
 * is the user's own at the time of asking.
 */
export function createSessions({ storage, clock, random, log, policyOf, secure }: SessionsNeeds) {
  const name = cookieName('sekisho', secure)
  const lifetimesIn = (tenant: TenantId) => lifetimesOf(policyOf(tenant))
  const seen = createMarks<SignedIn>({ clock, log, precision: SEEN_MS, write: (group) => writeSeen(storage, group) })

  const valueOf = (cookieHeader: string | undefined) => asValue(readCookie(cookieHeader, name))

  const endWhere = (tenant: TenantId, userId: UserId, is: (id: string) => boolean): Promise<number> =>
    storage.for(tenant).transaction((db) => endIn(db, userId, is))

  return {
    /** Finds who a browser stands for: nobody once it stayed away too long, was signed out, or its user is gone. */
    async find(cookieHeader: string | undefined): Promise<SignedIn | undefined> {
      const value = valueOf(cookieHeader)
      if (value === undefined) return undefined
      const session = await findLive(storage, value, { now: clock.now(), lifetimesIn })
      if (session !== undefined) seen.mark(session.sessionId, session)
      return session
    },

    /**
     * Signs a browser in, durably, always under a new value: one that somebody planted before opens nothing.
     *
     * @see OWASP Session Management Cheat Sheet, "Renew the Session ID After Any Privilege Level Change"
     */
    async start(
      tenant: TenantId,
      userId: UserId,
      from: From,
    ): Promise<{ readonly cookie: string; readonly id: string }> {
      const value = Buffer.from(random(VALUE_BYTES)).toString('base64url')
      const now = clock.now()
      const before = valueOf(from.cookieHeader)
      const lifetimes = lifetimesIn(tenant)
      if (before !== undefined) await endAnywhere(storage, before)
      await storage.for(tenant).transaction(async (db) => {
        await from.requireIn?.(db)
        await sweep(db, now, lifetimes)
        await db.insertInto('sessions', toRow(userId, value, { from, now, maxMs: lifetimes.maxMs })).execute()
      })
      return { cookie: setCookie(name, value, { secure, maxAgeSeconds: lifetimes.maxMs / 1000 }), id: digest(value) }
    },

    /** Signs one browser out; answers whether it was that user's and signed in. */
    end: async (tenant: TenantId, userId: UserId, sessionId: string): Promise<boolean> =>
      (await endWhere(tenant, userId, (id) => id === sessionId)) > 0,

    /** Signs every browser of a user out, but for one; answers how many. */
    endAll: (tenant: TenantId, userId: UserId, exceptId?: string): Promise<number> =>
      endWhere(tenant, userId, (id) => id !== exceptId),

    /** As `endAll`, in a transaction. */
    endAllIn: (db: TenantDb, userId: UserId, exceptId?: string) => endIn(db, userId, (id) => id !== exceptId),

    /** Where a user is signed in, the browser seen last first. */
    async list(tenant: TenantId, userId: UserId): Promise<SessionRecord[]> {
      const now = clock.now()
      const rows = await storage
        .for(tenant)
        .selectFrom('sessions')
        .selectAll()
        .where('user_id', '=', userId)
        .orderBy('seen_at', 'desc')
        .orderBy('id')
        .execute()
      return rows.map(toRecord).filter((record) => isLive(record, lifetimesIn(tenant), now))
    },

    /** How many browsers are signed in, over all tenants. */
    async count(): Promise<number> {
      const now = clock.now()
      const tenants = await storage.system.selectFrom('sessions').select('tenant_id').distinct().execute()
      const counts = tenants.map(({ tenant_id: tenant }) => countLive(storage.for(tenant), now, lifetimesIn(tenant)))
      return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
    },

    /** The value of a `Set-Cookie` header that makes the browser forget. */
    clearCookie: () => clearCookie(name, secure),

    /** Writes when sessions were seen last, where that waits to be written. */
    close: seen.flush,
  }
}
export type Sessions = ReturnType<typeof createSessions>

type SessionRow = Omit<Selectable<SessionsTable>, 'tenant_id'>

/** What a cookie of ours looks like; anything else is not looked up. */
function asValue(text: string | undefined): string | undefined {
  return text !== undefined && /^[\w-]{43}$/.test(text) ? text : undefined
}

interface Now {
  readonly now: number
  lifetimesIn(tenant: TenantId): Lifetimes
}

/** Across the tenants: whose session it is, only the row knows. */
async function findLive({ system }: Storage, value: string, { now, lifetimesIn }: Now): Promise<SignedIn | undefined> {
  const row = await system
    .selectFrom('sessions')
    .innerJoin('users', (on) =>
      on.onRef('users.tenant_id', '=', 'sessions.tenant_id').onRef('users.id', '=', 'sessions.user_id'),
    )
    .select(['sessions.tenant_id', 'users.id', 'users.name', 'users.role'])
    .select(['sessions.created_at', 'sessions.authenticated_at', 'sessions.amr'])
    .select(['sessions.seen_at', 'sessions.expires_at'])
    .where('sessions.id', '=', digest(value))
    .executeTakeFirst()
  if (row === undefined) return undefined
  const { tenant_id: tenant, id: userId, name: userName, role, created_at: createdAt } = row
  const age = { createdAt, seenAt: row.seen_at, expiresAt: row.expires_at }
  if (!isLive(age, lifetimesIn(tenant), now)) return undefined
  const session = { sessionId: digest(value), csrf: csrfToken(value), createdAt, amr: row.amr.split(' ') }
  return { tenant, userId, userName, role, ...session, authenticatedAt: row.authenticated_at }
}

/** Across the tenants: who signs in to one may have been signed in to another. */
async function endAnywhere({ system }: Storage, value: string): Promise<void> {
  await system.deleteFrom('sessions').where('id', '=', digest(value)).execute()
}

function toRow(userId: UserId, value: string, made: { from: From; now: number; maxMs: number }): SessionRow {
  return {
    id: digest(value),
    user_id: userId,
    browser: describeBrowser(made.from.browser),
    address: made.from.address,
    amr: made.from.amr.join(' '),
    federated_issuer: made.from.federated?.issuer ?? null,
    federated_subject: made.from.federated?.subject ?? null,
    federated_sid: made.from.federated?.sid ?? null,
    created_at: made.now,
    authenticated_at: Math.min(made.from.authenticatedAt ?? made.now, made.now),
    seen_at: made.now,
    expires_at: made.now + made.maxMs,
  }
}

async function endIn(db: TenantDb, userId: UserId, is: (id: string) => boolean): Promise<number> {
  const rows = await db.selectFrom('sessions').select('id').where('user_id', '=', userId).execute()
  const ids = rows.map(({ id }) => id).filter(is)
  if (ids.length > 0) await db.deleteFrom('sessions').where('user_id', '=', userId).where('id', 'in', ids).execute()
  return ids.length
}

async function countLive(db: TenantDb, now: number, { idleMs, maxMs }: Lifetimes): Promise<number> {
  const { count } = await db
    .selectFrom('sessions')
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .where('expires_at', '>', now)
    .where('created_at', '>', now - maxMs)
    .where('seen_at', '>', now - idleMs)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Takes away what has run out, when somebody comes in: there are never more rows than people who came. */
async function sweep(db: TenantDb, now: number, { idleMs, maxMs }: Lifetimes): Promise<void> {
  await db
    .deleteFrom('sessions')
    .where(({ eb, or }) =>
      or([eb('expires_at', '<=', now), eb('created_at', '<=', now - maxMs), eb('seen_at', '<=', now - idleMs)]),
    )
    .execute()
}

async function writeSeen(storage: Storage, group: readonly Mark<SignedIn>[]): Promise<void> {
  for (const { what, at } of group) {
    await storage
      .for(what.tenant)
      .updateTable('sessions')
      .set({ seen_at: at })
      .where('id', '=', what.sessionId)
      .where('seen_at', '<', at)
      .execute()
  }
}

function toRecord({ id, browser, address, created_at, seen_at, expires_at }: SessionRow): SessionRecord {
  return { id, browser, address, createdAt: created_at, seenAt: seen_at, expiresAt: expires_at }
}
