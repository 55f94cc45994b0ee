import type { Clock } from '../../base/clock.ts'
import type { Problem } from '../../base/problem.ts'
import { createRecent } from '../../base/recent.ts'
import { keyOf, ownerOf, type Owner } from './owner.ts'

/** What did not start, and until when it is not tried again. */
export interface Backoff {
  /** Why the last start of this very launch failed, while it is too early for the next. */
  find(owner: Owner, fingerprint: string): Problem | undefined
  /** The owner's last failure, however long ago, where no start has worked since. */
  last(owner: Owner): Failed | undefined
  all(): readonly Failed[]
  failed(owner: Owner, fingerprint: string, failure: Problem): void
  worked(owner: Owner): void
}

/** A start that failed. */
export interface Failed {
  readonly owner: Owner
  readonly fingerprint: string
  readonly failure: Problem
  readonly since: number
  readonly waitMs: number
}

const FIRST_MS = 1_000
const LONGEST_MS = 30_000
const REMEMBERED = 1_000

/** Waits a second after a failed start, then twice as long after each, up to half a minute. */
export function createBackoff(clock: Clock): Backoff {
  const failures = createRecent<string, Failed>(REMEMBERED)
  return {
    find(owner, fingerprint) {
      const found = failures.get(keyOf(owner))
      return found?.fingerprint === fingerprint && clock.now() < found.since + found.waitMs ? found.failure : undefined
    },
    last: (owner) => failures.peek(keyOf(owner)),
    all: () => [...failures.values()],
    failed(owner, fingerprint, failure) {
      const before = failures.get(keyOf(owner))
      const waitMs = before?.fingerprint === fingerprint ? Math.min(LONGEST_MS, before.waitMs * 2) : FIRST_MS
      failures.set(keyOf(owner), { owner: ownerOf(owner), fingerprint, failure, since: clock.now(), waitMs })
    },
    worked: (owner) => void failures.delete(keyOf(owner)),
  }
}
