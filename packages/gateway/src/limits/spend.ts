import type { TenantId, UserId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import type { Allowance, Counters } from '../storage/shared/counters.ts'

export interface LimitsNeeds extends Allowance {
  readonly counters: Counters
}

/** Who is counted: every key of a user draws on the same allowance. */
interface Spender {
  readonly tenant: TenantId
  readonly userId: UserId
}

/** Says how often and how many at once a user may call. */
export function createLimits({ counters, callsPerMinute, concurrentCalls }: LimitsNeeds) {
  const allowance: Allowance = { callsPerMinute, concurrentCalls }
  return {
    /**
     * Takes one call off the user's allowance, and answers with what to do when the call has ended (once;
     * again does nothing). A call refused for being one too many at once costs nothing of the rate.
     *
     * @throws {Problem} `limit.concurrency`, `limit.rate` with the seconds to wait
     */
    spend({ tenant, userId }: Spender): () => void {
      const answer = counters.take(`${tenant} ${userId}`, allowance)
      if (answer.taken) return answer.release
      if (answer.because === 'concurrency') throw problem('limit.concurrency', { user: userId })
      throw problem('limit.rate', { seconds: Math.ceil(answer.retryAfterMs / 1000), user: userId })
    },
  }
}
