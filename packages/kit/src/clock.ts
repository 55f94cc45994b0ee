import { setTimeout as pause } from 'node:timers/promises'

/** The only source of time here, handed in so that a test can turn it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after `ms`; rejects with the signal's reason when the signal fires first. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  async wait(ms, signal) {
    // The timer's own error hides the reason behind a `cause`; callers compare the reason itself.
    await pause(ms, undefined, { signal }).catch(() => signal.throwIfAborted())
  },
}
