import type { Clock } from '../../base/clock.ts'
import { createRecent } from '../../base/recent.ts'
import type { Allowance, Counters, Taken } from './counters.ts'

/**
 * Keys counted at once. A key that is dropped starts anew with a full bucket; the one that goes is the one
 * used longest ago, whose bucket has been full again since its first idle minute.
 */
const KEYS = 50_000
const MINUTE_MS = 60_000

interface Bucket {
  tokens: number
  filledAt: number
  running: number
}

const TOO_MANY_AT_ONCE: Taken = { taken: false, because: 'concurrency' }

/** Counts within one process: a token bucket and a count of what is running for each key. */
export function createMemoryCounters(clock: Clock): Counters {
  const buckets = createRecent<string, Bucket>(KEYS)

  function bucketFor(key: string, allowance: Allowance): Bucket {
    const known = buckets.get(key)
    if (known !== undefined) return fill(known, allowance, clock.now())
    const fresh = { tokens: allowance.callsPerMinute, filledAt: clock.now(), running: 0 }
    buckets.set(key, fresh)
    return fresh
  }

  return {
    take(key, allowance) {
      const bucket = bucketFor(key, allowance)
      if (bucket.running >= allowance.concurrentCalls) return TOO_MANY_AT_ONCE
      if (bucket.tokens < 1) return { taken: false, because: 'rate', retryAfterMs: untilOne(bucket, allowance) }
      bucket.tokens--
      bucket.running++
      return { taken: true, release: releaseOnce(bucket) }
    },
  }
}

/** A clock that is set back fills nothing. */
function fill(bucket: Bucket, { callsPerMinute }: Allowance, now: number): Bucket {
  const elapsed = Math.max(0, now - bucket.filledAt)
  bucket.tokens = Math.min(callsPerMinute, bucket.tokens + (elapsed * callsPerMinute) / MINUTE_MS)
  bucket.filledAt = now
  return bucket
}

function untilOne({ tokens }: Bucket, { callsPerMinute }: Allowance): number {
  return ((1 - tokens) * MINUTE_MS) / callsPerMinute
}

function releaseOnce(bucket: Bucket): () => void {
  let released = false
  return () => {
    if (released) return
    released = true
    bucket.running--
  }
}
