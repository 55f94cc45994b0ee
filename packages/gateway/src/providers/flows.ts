import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { digest } from '../base/digest.ts'
import type { Random, TenantId, UserId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import { secret } from '../base/secret.ts'
import type { Storage } from '../storage/database.ts'
import type { Sealer } from '../vault/sealer.ts'

export interface FlowsNeeds {
  readonly storage: Pick<Storage, 'for'>
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
}

/** The browser a connection is made in, and whose it is. */
export interface ConnectSession {
  readonly tenant: TenantId
  readonly userId: UserId
  readonly sessionId: string
}

/** What is kept sealed while the user is away at the provider. */
const Pending = z.object({
  codeVerifier: z.string(),
  redirectUri: z.string(),
  next: z.string(),
  boundTo: z.string(),
  clientId: z.string(),
  resource: z.string().optional(),
  scopes: z.array(z.string()),
})
export type Pending = z.infer<typeof Pending>

/** A connection that was begun. */
export interface Flow {
  readonly id: string
  readonly provider: string
  readonly createdAt: number
  readonly pending: Pending
}

const FLOW_MS = 600_000
const STATE_BYTES = 32

/**
 * Connections that wait for the provider's answer: each for one answer, ten minutes, and the browser session it was
 * begun in. `state` is nowhere but in that browser; its hash finds the row.
 */
export function createFlows({ storage, sealer, clock, random }: FlowsNeeds) {
  const purposeOf = (id: string) => `connect flow ${id}`

  async function find({ tenant, userId, sessionId }: ConnectSession, state: string) {
    const rows = storage.for(tenant).selectFrom('connect_flows').where('id', '=', digest(state))
    const mine = rows.where('user_id', '=', userId).where('session_id', '=', sessionId)
    const row = await mine.where('expires_at', '>', clock.now()).selectAll().executeTakeFirst()
    if (row === undefined) throw problem('connect.state', {})
    return row
  }

  return {
    /** Keeps what is needed when the answer comes; answers `state`. */
    async open({ tenant, userId, sessionId }: ConnectSession, provider: string, pending: Pending): Promise<string> {
      const state = Buffer.from(random(STATE_BYTES)).toString('base64url')
      const [id, now] = [digest(state), clock.now()]
      const sealed = await sealer.seal(tenant, purposeOf(id), secret(JSON.stringify(pending)))
      const mine = { user_id: userId, session_id: sessionId, provider, used_at: null }
      const db = storage.for(tenant)
      await db.deleteFrom('connect_flows').where('expires_at', '<=', now).execute()
      await db
        .insertInto('connect_flows', { ...mine, id, sealed, created_at: now, expires_at: now + FLOW_MS })
        .execute()
      return state
    },

    /** Names a flow by its `state`, so that two answers to it can be told to be to the same. */
    nameOf: digest,

    /**
     * Takes the flow that an answer belongs to. `first` is true for one answer only, whoever else asks meanwhile.
     *
     * @throws {Problem} `connect.state` for one that is unknown, too old, or of another browser or user
     */
    async spend(session: ConnectSession, state: string): Promise<{ flow: Flow; first: boolean }> {
      const row = await find(session, state)
      const unused = storage.for(session.tenant).updateTable('connect_flows').where('id', '=', row.id)
      const spent = unused.where('used_at', 'is', null).set({ used_at: clock.now() })
      const { numUpdatedRows } = await spent.executeTakeFirstOrThrow()
      const opened = await sealer.open(session.tenant, purposeOf(row.id), row.sealed)
      const pending = Pending.parse(JSON.parse(opened.reveal()))
      const flow = { id: row.id, provider: row.provider, createdAt: row.created_at, pending }
      return { flow, first: numUpdatedRows > 0n }
    },
  }
}
export type Flows = ReturnType<typeof createFlows>
