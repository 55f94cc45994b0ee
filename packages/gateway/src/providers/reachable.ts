import type { Config } from '../config/config.ts'
import type { FetchFor } from './fetches.ts'

export type Reachability = 'ok' | 'unreachable' | 'unknown'

interface ReachableNeeds {
  readonly providers: Config['providers']
  readonly fetchFor: FetchFor
  readonly clock: { now(): number }
}

/** Health is asked for every few seconds, and no provider should hear of it so often. */
const EVERY_MS = 5 * 60_000
const TIMEOUT_MS = 5_000

/**
 * Answers how each provider was found when it was last looked at, at once; where that is a while ago they are looked
 * at again meanwhile. Any answer will do: without a client and a code there can be no other than a refusal.
 */
export function createReachable({ providers, fetchFor, clock }: ReachableNeeds): () => Record<string, Reachability> {
  const used = Object.values(providers).filter(({ clientId }) => clientId !== undefined)
  const found: Record<string, Reachability> = Object.fromEntries(used.map(({ id }) => [id, 'unknown']))
  let lookedAt = -Infinity

  async function look(id: string, url: string): Promise<void> {
    try {
      await fetchFor(id)(url, { method: 'HEAD', signal: AbortSignal.timeout(TIMEOUT_MS) })
      found[id] = 'ok'
    } catch {
      found[id] = 'unreachable'
    }
  }

  return () => {
    if (clock.now() - lookedAt >= EVERY_MS) {
      lookedAt = clock.now()
      for (const { id, tokenUrl } of used) void look(id, tokenUrl)
    }
    return { ...found }
  }
}
