import type { Clock } from '../base/clock.ts'
import { digest } from '../base/digest.ts'
import type { Storage } from '../storage/database.ts'
import { dropInRounds } from './sweep.ts'

export interface NewcomersNeeds {
  readonly storage: Storage
  readonly clock: Clock
  /** How many there may be. */
  readonly atMost?: number
  /** After how many registrations in this process it is seen to that there are no more. */
  readonly every?: number
}

const WEEK_MS = 7 * 86_400_000
const AT_MOST = 10_000
const EVERY = 100

/**
 * The clients that registered themselves and that nobody has allowed anything yet. Whoever reaches the gate can add
 * one, so they end after a week, and the oldest make room where there are too many. The first user who allows one
 * makes a client of it that stays.
 *
 * @see RFC 7591 §5 (what an open endpoint has to withstand)
 */
export function createNewcomers({ storage, clock, atMost = AT_MOST, every = EVERY }: NewcomersNeeds) {
  const db = storage.system
  let since = 0

  async function makeRoom(): Promise<void> {
    const newcomers = db.selectFrom('oauth_records').where('model', '=', 'Client').where('expires_at', 'is not', null)
    const newestFirst = newcomers.select('expires_at').orderBy('expires_at', 'desc')
    const tooMany = await newestFirst.offset(atMost).limit(1).executeTakeFirst()
    if (tooMany === undefined) return
    const older = newcomers.select(['model', 'id']).where('expires_at', '<=', tooMany.expires_at)
    await dropInRounds(db, (limit) => older.limit(limit).$asTuple('model', 'id'))
  }

  return {
    /** When one that registers now will have ended. */
    expiresAt: (): number => clock.now() + WEEK_MS,

    /** To be told of each that has registered. Counting them is left out most times: there may be a few too many. */
    async onRegistered(): Promise<void> {
      if (++since < every) return
      since = 0
      await makeRoom()
    },

    /** Keeps one that a user allows; told before that is written, so that it cannot end in between. */
    async keep(clientId: string): Promise<void> {
      await db
        .updateTable('oauth_records')
        .set({ expires_at: null })
        .where('model', '=', 'Client')
        .where('id', '=', digest(clientId))
        .execute()
    },

    makeRoom,
  }
}
export type Newcomers = ReturnType<typeof createNewcomers>
