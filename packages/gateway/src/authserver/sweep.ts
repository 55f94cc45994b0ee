import type { Expression } from 'kysely'
import type { Storage, SystemDb } from '../storage/database.ts'

/** How many rows one statement removes, so that nobody waits long for it. */
const AT_ONCE = 500
const ROUNDS = 20
const DAY_MS = 86_400_000
/** A client that registered itself and was never allowed anything is forgotten after that. */
const UNUSED_MS = 90 * DAY_MS

/** Removes what has expired, grants that no code or token hangs on, and clients that came to nothing. */
export async function sweep(storage: Storage, now: number): Promise<void> {
  const steps = [() => dropExpired(storage, now), () => dropEmptyGrants(storage, now), () => dropUnused(storage, now)]
  for (const step of steps) {
    for (let round = 0; round < ROUNDS; round++) {
      if ((await step()) < AT_ONCE) break
    }
  }
}

function dropExpired({ system: db }: Storage, now: number): Promise<number> {
  const expired = db.selectFrom('oauth_records').select(['model', 'id']).where('expires_at', '<=', now)
  return drop(db, expired.limit(AT_ONCE).$asTuple('model', 'id'))
}

function dropEmptyGrants({ system: db }: Storage, now: number): Promise<number> {
  const empty = db
    .selectFrom('oauth_records as grant')
    .select(['grant.model', 'grant.id'])
    .where('grant.model', '=', 'Grant')
    .where('grant.created_at', '<', now - DAY_MS)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('oauth_records as token')
            .select('token.id')
            .whereRef('token.grant_id', '=', 'grant.grant_id')
            .where('token.model', '!=', 'Grant'),
        ),
      ),
    )
  return drop(db, empty.limit(AT_ONCE).$asTuple('model', 'id'))
}

/** The clients that somebody allowed are listed once, and not looked for again for each client. */
function dropUnused({ system: db }: Storage, now: number): Promise<number> {
  const unused = db
    .selectFrom('oauth_records as client')
    .select(['client.model', 'client.id'])
    .where('client.model', '=', 'Client')
    .where('client.created_at', '<', now - UNUSED_MS)
    .where('client.client_id', 'not in', db.selectFrom('consents').select('consents.client_id'))
  return drop(db, unused.limit(AT_ONCE).$asTuple('model', 'id'))
}

/** By the whole key: by the id alone, every row would have to be looked at. */
async function drop(db: SystemDb, which: Expression<[string, string]>): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('oauth_records')
    .where(({ eb, refTuple }) => eb(refTuple('model', 'id'), 'in', which))
    .executeTakeFirst()
  return Number(numDeletedRows)
}
