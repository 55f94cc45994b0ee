import { problem } from '../base/problem.ts'
import type { Counters } from '../storage/shared/counters.ts'

export interface EndpointLimitsNeeds<E extends string> {
  readonly counters: Counters
  /** How often one address may use each endpoint in a minute. */
  readonly perMinute: Readonly<Record<E, number>>
}

/** Says how often one address may use what stands open to everybody, signed in or not. */
export function createEndpointLimits<E extends string>({ counters, perMinute }: EndpointLimitsNeeds<E>) {
  return {
    /** @throws {Problem} `limit.endpoint`, with the seconds to wait */
    spend(endpoint: E, address: string): void {
      const allowance = { callsPerMinute: perMinute[endpoint], concurrentCalls: Number.MAX_SAFE_INTEGER }
      const answer = counters.take(`${endpoint} ${address}`, allowance)
      if (answer.taken) return answer.release()
      const seconds = 'retryAfterMs' in answer ? Math.ceil(answer.retryAfterMs / 1000) : 1
      throw problem('limit.endpoint', { endpoint, seconds, address, setting: `limits.perMinute.${endpoint}` })
    },
  }
}
export type EndpointLimits<E extends string> = ReturnType<typeof createEndpointLimits<E>>
