import type { Selectable } from 'kysely'
import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import type { TenantId, UserId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { Storage } from '../storage/database.ts'
import { createMarks, type Mark } from '../storage/marks.ts'
import type { ConsentsTable } from '../storage/schema.ts'
import type { TenantDb } from '../storage/tenant.ts'
import { withoutLoopbackPort } from './redirects.ts'

/** What a user allowed a client to do. */
export interface Consent {
  readonly clientId: string
  readonly clientName: string
  /** Where its answers went. */
  readonly redirectHost: string
  readonly scopes: readonly string[]
  readonly resources: readonly string[]
  readonly grantedAt: number
  /** To within a minute. */
  readonly usedAt: number | null
}

/** What a client asks for now. */
export interface Asked {
  readonly scopes: readonly string[]
  readonly resources: readonly string[]
  readonly redirectHost: string
  /** Whether it is the client that was allowed before, and not another program that uses its id. */
  readonly isAssured: boolean
}

export interface NewConsent extends Asked {
  readonly clientId: string
  readonly clientName: string
  readonly grantId: string
}

interface User {
  readonly tenant: TenantId
  readonly userId: UserId
}

/**
 * Whether what was allowed before covers what is asked now. What opens every server opens each of them. A program on
 * a user's machine may answer on any port; but where another program could use its client id, its user is asked anew.
 *
 * @see RFC 8252 §8.6
 */
export function covers(consent: Consent, asked: Asked, all: string): boolean {
  const mayUse = (resource: string): boolean => consent.resources.includes(resource) || consent.resources.includes(all)
  return (
    asked.isAssured &&
    asked.scopes.every((scope) => consent.scopes.includes(scope)) &&
    asked.resources.every(mayUse) &&
    isAnsweredAt(consent, asked)
  )
}

function isAnsweredAt({ redirectHost }: Consent, asked: Asked): boolean {
  return withoutLoopbackPort(asked.redirectHost) === withoutLoopbackPort(redirectHost)
}

/** Remembers what users allowed, one row for each of their clients. */
export function createConsents({ storage, clock, log }: { storage: Storage; clock: Clock; log: Log }) {
  const marks = createMarks<User & { clientId: string }>({
    clock,
    log,
    precision: 60_000,
    write: (group) => writeMarks(storage, group),
  })

  return {
    find: (user: User, clientId: string): Promise<Consent | undefined> =>
      find(storage.for(user.tenant), user.userId, clientId),

    /** Adds to what was allowed before; but what was allowed at another address, to perhaps another program, is over. */
    give: (user: User, given: NewConsent): Promise<void> =>
      storage.for(user.tenant).exclusively(async (db) => {
        const known = await find(db, user.userId, given.clientId)
        const before = known && isAnsweredAt(known, given) ? known : undefined
        const what = {
          // A stranger's own words may hold one, and PostgreSQL takes none in a text.
          client_name: given.clientName.replaceAll('\0', ''),
          redirect_host: given.redirectHost,
          grant_id: given.grantId,
          scopes: toText([...(before?.scopes ?? []), ...given.scopes]),
          resources: toText([...(before?.resources ?? []), ...given.resources]),
          granted_at: clock.now(),
        }
        await db
          .insertInto('consents', { ...what, user_id: user.userId, client_id: given.clientId, used_at: null })
          .onConflict((key) => key.columns(['tenant_id', 'user_id', 'client_id']).doUpdateSet(what))
          .execute()
      }),

    /** What a user has allowed, the latest first. */
    async list(tenant: TenantId, userId: UserId): Promise<Consent[]> {
      const rows = await storage
        .for(tenant)
        .selectFrom('consents')
        .selectAll()
        .where('user_id', '=', userId)
        .orderBy('granted_at', 'desc')
        .orderBy('client_id')
        .execute()
      return rows.map(toConsent)
    },

    /** Whether there was one to forget. */
    async forget(tenant: TenantId, userId: UserId, clientId: string): Promise<boolean> {
      const gone = await storage
        .for(tenant)
        .deleteFrom('consents')
        .where('user_id', '=', userId)
        .where('client_id', '=', clientId)
        .executeTakeFirst()
      return gone.numDeletedRows > 0n
    },

    /** Notes from where its tokens are renewed; answers with what was known before, of a client that is allowed. */
    cameFrom: (user: User, clientId: string, place: string) =>
      storage.for(user.tenant).transaction(async (db) => {
        const row = await select(db, user.userId, clientId)
        if (row === undefined) return undefined
        if (row.place !== place) {
          const rows = db.updateTable('consents').set({ place }).where('user_id', '=', user.userId)
          await rows.where('client_id', '=', clientId).execute()
        }
        return { clientName: row.client_name, usedAt: row.used_at, place: row.place }
      }),

    /** Notes that it was used; written soon, in a group. */
    markUsed(user: User, clientId: string): void {
      const { tenant, userId } = user
      marks.mark(`${tenant} ${userId} ${clientId}`, { tenant, userId, clientId })
    },

    /** Writes the marks that wait. */
    close: marks.flush,
  }
}
export type Consents = ReturnType<typeof createConsents>

async function find(db: TenantDb, userId: UserId, clientId: string): Promise<Consent | undefined> {
  const row = await select(db, userId, clientId)
  return row && toConsent(row)
}

function select(db: TenantDb, userId: UserId, clientId: string) {
  const consents = db.selectFrom('consents').selectAll().where('user_id', '=', userId)
  return consents.where('client_id', '=', clientId).executeTakeFirst()
}

async function writeMarks(storage: Storage, marks: readonly Mark<User & { clientId: string }>[]): Promise<void> {
  for (const { what, at } of marks) {
    await storage
      .for(what.tenant)
      .updateTable('consents')
      .set({ used_at: at })
      .where('user_id', '=', what.userId)
      .where('client_id', '=', what.clientId)
      .execute()
  }
}

const Texts = z.array(z.string())

function toConsent(row: Selectable<ConsentsTable>): Consent {
  return {
    clientId: row.client_id,
    clientName: row.client_name,
    redirectHost: row.redirect_host,
    scopes: Texts.parse(JSON.parse(row.scopes)),
    resources: Texts.parse(JSON.parse(row.resources)),
    grantedAt: row.granted_at,
    usedAt: row.used_at,
  }
}

function toText(texts: readonly string[]): string {
  return JSON.stringify([...new Set(texts)])
}
