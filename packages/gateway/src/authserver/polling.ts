import type { Clock } from '../base/clock.ts'
import { digest } from '../base/digest.ts'
import { createRecent } from '../base/recent.ts'

interface Polls {
  readonly at: number
  readonly everyMs: number
}

const CODES = 10_000
const EVERY_MS = 5_000
/** Clocks and networks are not exact. */
const LEEWAY_MS = 500
const LONGEST_MS = 60_000

/**
 * Tells terminals that ask too often for their answer. Whoever does has to wait longer from then on, and is told
 * `slow_down` until they do.
 *
 * @see RFC 8628 §3.5
 */
export function createPolling({ clock }: { readonly clock: Clock }) {
  const polls = createRecent<string, Polls>(CODES)
  return {
    /** Whether it is too soon for this code; asking counts. */
    isTooSoon(deviceCode: string): boolean {
      const key = digest(deviceCode)
      const at = clock.now()
      const last = polls.get(key)
      const isSoon = last !== undefined && at - last.at < last.everyMs - LEEWAY_MS
      const everyMs = last?.everyMs ?? EVERY_MS
      polls.set(key, { at, everyMs: isSoon ? Math.min(everyMs + EVERY_MS, LONGEST_MS) : everyMs })
      return isSoon
    },
  }
}
