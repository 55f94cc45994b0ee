import type { Storage } from '../storage/database.ts'

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

async function dropExpired({ system: db }: Storage, now: number): Promise<number> {
  const expired = db.selectFrom('oauth_records').select('id').where('expires_at', '<=', now).limit(AT_ONCE)
  return count(await db.deleteFrom('oauth_records').where('id', 'in', expired).executeTakeFirst())
}

async function dropEmptyGrants({ system: db }: Storage, now: number): Promise<number> {
  const empty = db
    .selectFrom('oauth_records as grant')
    .select('grant.id')
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
    .limit(AT_ONCE)
  return count(await db.deleteFrom('oauth_records').where('id', 'in', empty).executeTakeFirst())
}

async function dropUnused({ system: db }: Storage, now: number): Promise<number> {
  const unused = db
    .selectFrom('oauth_records as client')
    .select('client.id')
    .where('client.model', '=', 'Client')
    .where('client.created_at', '<', now - UNUSED_MS)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('consents').select('consents.client_id').whereRef('consents.client_id', '=', 'client.client_id'),
        ),
      ),
    )
    .limit(AT_ONCE)
  return count(await db.deleteFrom('oauth_records').where('id', 'in', unused).executeTakeFirst())
}

function count({ numDeletedRows }: { numDeletedRows: bigint }): number {
  return Number(numDeletedRows)
}
