import { createRecent } from '../base/recent.ts'

interface ThrottleNeeds {
  readonly clock: { now(): number }
  readonly everyMs: number
  /** Keys that are remembered; the one that is forgotten first is the one let through longest ago. */
  readonly atMost: number
}

/** Lets through one of each key in a time. */
export function createThrottle({ clock, everyMs, atMost }: ThrottleNeeds) {
  const passed = createRecent<string, number>(atMost)
  return {
    pass(key: string): boolean {
      const now = clock.now()
      if (now - (passed.peek(key) ?? -Infinity) < everyMs) return false
      passed.set(key, now)
      return true
    },
  }
}
