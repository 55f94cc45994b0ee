import { Problem, problem } from '../base/problem.ts'

/** After how many failures in a row nobody is sent there for a while, and for how long: twice as long each time. */
const FAILURES = 3
const PAUSE_MS = 1_000
const PAUSE_MOST_MS = 30_000

/**
 * Keeps callers from waiting, one after the other, for an upstream that cannot be reached. Only that counts: a server
 * that can be reached and answers badly, or late, may answer the next call well.
 */
export interface Breaker {
  /** @throws {Problem} `upstream.resting` while it is not to be tried. */
  check(): void
  worked(): void
  /** Nothing is wrong so far, perhaps since it was known without asking: the next may go ahead. */
  passed(): void
  failed(error: unknown): void
}

export function createBreaker(server: string, clock: { now(): number }): Breaker {
  let failures = 0
  let triesAgainAt = 0
  return {
    check() {
      if (failures < FAILURES) return
      const now = clock.now()
      const seconds = Math.ceil((triesAgainAt - now) / 1000)
      if (seconds > 0) throw problem('upstream.resting', { server, seconds })
      // One goes ahead; the others wait for what becomes of it.
      triesAgainAt = now + PAUSE_MS
    },
    worked() {
      failures = 0
    },
    passed() {
      triesAgainAt = 0
    },
    failed(error) {
      if (!(error instanceof Problem) || error.code !== 'upstream.unreachable') {
        failures = 0
        return
      }
      failures++
      const pause = PAUSE_MS * 2 ** Math.max(0, failures - FAILURES)
      triesAgainAt = clock.now() + Math.min(pause, PAUSE_MOST_MS)
    },
  }
}
