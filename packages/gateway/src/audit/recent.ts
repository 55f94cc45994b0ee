import { sql } from 'kysely'
import type { TenantId, UserId } from '../base/ids.ts'
import type { Storage } from '../storage/database.ts'
import type { TenantDb } from '../storage/tenant.ts'
import type { EventKind } from './events.ts'

/** An entry of the log, as its user may see it. */
export interface RecentEntry {
  readonly at: number
  readonly kind: EventKind
  /** What the row of the event names. */
  readonly fields: Readonly<Record<string, unknown>>
}

export interface Wanted {
  /** What the user did; what was done to them is among the rest, whatever this says. */
  readonly by: readonly EventKind[]
  readonly since: number
  readonly most: number
}

/** Few: somebody who guesses at a name must not push what its user did off the list. */
const ABOUT_MOST = 8
/** Of all that was done to anybody, how much is looked through. */
const LOOKED_AT = 500

/**
 * Reads what concerns one user, the latest first: what they did, and what was done to them by administrators or by
 * somebody of whom nothing is known. What calls write, most of the log, is not looked at: the places of the entries
 * come out of indexes that leave it out, and hold all that is asked of them.
 */
export function createRecent({ storage }: { readonly storage: Pick<Storage, 'for'> }) {
  return async function recent(tenant: TenantId, userId: UserId, { by, since, most }: Wanted): Promise<RecentEntry[]> {
    const db = storage.for(tenant)
    const done = await places(db, since)
      .where(OF_PEOPLE)
      .where('user_id', '=', userId)
      .where('kind', 'in', by)
      .orderBy('seq', 'desc')
      .limit(most)
      .execute()
    const suffered = await places(db, since).where(ABOUT_PEOPLE).orderBy('at', 'desc').limit(LOOKED_AT).execute()
    const rows = [
      ...(await entriesAt(db, done).execute()),
      ...(await entriesAt(db, suffered)
        .where('entry', 'like', `%"target":${JSON.stringify(userId)}%`)
        .orderBy('seq', 'desc')
        .limit(ABOUT_MOST)
        .execute()),
    ]
    return rows
      .toSorted((a, b) => b.seq - a.seq)
      .slice(0, most)
      .map(({ at, kind, entry }) => ({ at, kind: kind as EventKind, fields: JSON.parse(entry) }))
  }
}
export type Recent = ReturnType<typeof createRecent>

/** The conditions of the indexes `audit_of_people` and `audit_about_people`, word for word: else they are not used. */
const OF_PEOPLE = sql<boolean>`kind not in ('tool.call', 'tool.denied', 'server.request')`
const ABOUT_PEOPLE = sql<boolean>`kind in ('login.failed', 'invitation.made', 'password.reset_made', 'factors.reset', 'user.role_changed')`

function places(db: TenantDb, since: number) {
  return db.selectFrom('audit').select('seq').where('at', '>', since)
}

/** No entry has the place 0, and PostgreSQL takes no empty list. */
function entriesAt(db: TenantDb, found: readonly { readonly seq: number }[]) {
  const seqs = [0, ...found.map(({ seq }) => seq)]
  return db.selectFrom('audit').select(['seq', 'at', 'kind', 'entry']).where('seq', 'in', seqs)
}
