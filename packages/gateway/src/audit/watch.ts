import type { Clock } from '../base/clock.ts'
import type { TenantId, UserId } from '../base/ids.ts'
import { createRecent } from '../base/recent.ts'
import type { Audit } from './append.ts'
import type { AuditEvent } from './events.ts'
import { BURST, findOddSignIn, hasMoved, REMEMBERED_MS, type LastUse, type Oddity, type SignIn } from './oddities.ts'
import type { Recent } from './recent.ts'

export interface WatchNeeds {
  readonly audit: Pick<Audit, 'note' | 'flush'>
  readonly recent: Recent
  readonly clock: Clock
  /** Told of each, for the metrics. */
  onOdd(what: Oddity): void
}

/** Whose account it is about, and the request it was seen in. */
interface Whose {
  readonly tenant: TenantId
  readonly userId: UserId
  readonly requestId?: string | undefined
}

type Details = Omit<Extract<AuditEvent, { kind: 'account.odd' }>, 'kind' | 'what' | 'userId' | 'requestId'>

const SIGN_INS = 100
const USERS = 10_000

/**
 * Keeps what is odd about an account: for its user, who is shown it, for the operator, and for the metrics. It refuses
 * nothing. How many calls are refused is counted by each process for itself.
 */
export function createWatch({ audit, recent, clock, onOdd }: WatchNeeds) {
  const refusals = createRecent<string, { count: number; until: number }>(USERS)

  function tell({ tenant, userId, requestId }: Whose, what: Oddity, details: Details = {}): void {
    audit.note(tenant, { kind: 'account.odd', userId, requestId, what, ...details })
    onOdd(what)
  }

  return {
    /** To be told before a sign-in is recorded itself. What waits to be written counts as well. */
    async signingIn(whose: Whose, { browser, address }: SignIn): Promise<void> {
      await audit.flush().catch(() => undefined)
      const now = clock.now()
      const wanted = { by: ['login.ok', 'login.second_failed'], since: now - REMEMBERED_MS, most: SIGN_INS } as const
      const before = await recent(whose.tenant, whose.userId, wanted)
      for (const what of findOddSignIn({ browser, address }, before, now)) tell(whose, what, { browser, address })
    },

    /** A client's refresh token was taken: where the client was used before says whether that is odd. */
    clientCame(whose: Whose, { before, address, ...client }: ClientCame): void {
      if (hasMoved(before, address, clock.now())) tell(whose, 'client_moved', { ...client, address })
    },

    tokenReplayed: (whose: Whose, details: Pick<Details, 'client' | 'address'>): void =>
      tell(whose, 'token_replayed', details),

    /** A call was refused: of a burst the one that makes it is told. */
    refused(whose: Whose, details: Pick<Details, 'key'>): void {
      const id = `${whose.tenant} ${whose.userId}`
      const now = clock.now()
      const known = refusals.get(id)
      const counted = known !== undefined && now < known.until ? known : { count: 0, until: now + BURST.withinMs }
      const count = counted.count + 1
      const isBurst = count === BURST.calls
      refusals.set(id, { count, until: isBurst ? now + BURST.againMs : counted.until })
      if (isBurst) tell(whose, 'many_refused', { ...details, count })
    },
  }
}
export type Watch = ReturnType<typeof createWatch>

interface ClientCame {
  readonly client: string
  readonly clientName: string
  readonly before: LastUse
  readonly address: string
}
