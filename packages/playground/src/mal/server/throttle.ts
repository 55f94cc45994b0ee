import type { Clock, MalSettings } from '../options.ts'

/** A token bucket per credential, as wide as the settings say at the moment of the call. */
export function createThrottle({ clock, settings }: { clock: Clock; settings: MalSettings }) {
  const buckets = new Map<string, { level: number; at: number }>()

  /** Whether one more call is allowed now. */
  return function take(key: string): boolean {
    const limit = settings.throttle
    if (!limit) {
      buckets.clear()
      return true
    }
    const now = clock.now()
    const bucket = buckets.get(key) ?? { level: limit.burst, at: now }
    const level = Math.min(limit.burst, bucket.level + (Math.max(0, now - bucket.at) / 1_000) * limit.perSecond)
    buckets.set(key, { level: level >= 1 ? level - 1 : level, at: now })
    return level >= 1
  }
}
