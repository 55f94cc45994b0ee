import type { Clock } from '../src/clock.ts'

/** Time that passes only by waiting, or when a test lets it. */
export function fakeClock(): Clock & { readonly waits: number[]; pass(ms: number): void } {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const waits: number[] = []
  return {
    waits,
    now: () => now,
    pass: (ms) => void (now += ms),
    async wait(ms, signal) {
      signal.throwIfAborted()
      waits.push(ms)
      // Whoever had a turn before sees the time of their turn.
      await new Promise(setImmediate)
      signal.throwIfAborted()
      now += ms
    },
  }
}

export const calm = new AbortController().signal
