import { setImmediate } from 'node:timers/promises'
import type { Expression } from 'kysely'
import type { Storage, SystemDb } from '../storage/database.ts'

/** How many rows one statement removes, so that nobody waits long for it. */
const AT_ONCE = 200
const ROUNDS = 50
const DAY_MS = 86_400_000
/** A client that nobody allows anything any more is forgotten once it is as old as that. */
const UNUSED_MS = 90 * DAY_MS

/** Removes what has expired, grants that no code or token hangs on, and clients that nobody allows any more. */
export async function sweep({ system: db }: Storage, now: number): Promise<void> {
  for (const find of [findExpired, findEmptyGrants, findUnused]) {
    await dropInRounds(db, (limit) => find(db, now).limit(limit).$asTuple('model', 'id'))
  }
}

/**
 * Drops records, some at a time, and lets others have their turn in between: what the embedded database is asked, it
 * answers before anything else happens. What is left after all is for the next time.
 */
export async function dropInRounds(db: SystemDb, find: (limit: number) => Expression<Key>): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    if ((await drop(db, find(AT_ONCE))) < AT_ONCE) return
    await setImmediate()
  }
}

type Key = [model: string, id: string]

function findExpired(db: SystemDb, now: number) {
  return db.selectFrom('oauth_records as each').select(['each.model', 'each.id']).where('each.expires_at', '<=', now)
}

function findEmptyGrants(db: SystemDb, now: number) {
  return db
    .selectFrom('oauth_records as each')
    .select(['each.model', 'each.id'])
    .where('each.model', '=', 'Grant')
    .where('each.created_at', '<', now - DAY_MS)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('oauth_records as token')
            .select('token.id')
            .whereRef('token.grant_id', '=', 'each.grant_id')
            .where('token.model', '!=', 'Grant'),
        ),
      ),
    )
}

/** The clients that somebody allowed are listed once, and not looked for again for each client. */
function findUnused(db: SystemDb, now: number) {
  return db
    .selectFrom('oauth_records as each')
    .select(['each.model', 'each.id'])
    .where('each.model', '=', 'Client')
    .where('each.created_at', '<', now - UNUSED_MS)
    .where('each.client_id', 'not in', db.selectFrom('consents').select('consents.client_id'))
}

/** By the whole key: by the id alone, every row would have to be looked at. */
async function drop(db: SystemDb, which: Expression<Key>): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('oauth_records')
    .where(({ eb, refTuple }) => eb(refTuple('model', 'id'), 'in', which))
    .executeTakeFirst()
  return Number(numDeletedRows)
}
