import { hash } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { TenantId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import { createRecent } from '../base/recent.ts'

export interface AttemptsNeeds {
  readonly clock: Clock
  /** What is guessed at. */
  readonly refusal?: 'login.throttled' | 'device.throttled'
  /** Where the gate is several processes: a guess at one of them is a guess. */
  readonly others?: OtherProcesses | undefined
}

/** One attempt, under the hash of whose it is: it failed as far as is known, or was right after all. */
export interface Attempt {
  readonly key: string
  readonly wasRight: boolean
}

export interface OtherProcesses {
  tell(attempt: Attempt): void
  hear(take: (attempt: Attempt) => void): void
}

interface Failures {
  readonly count: number
  readonly at: number
}

/** Names that are remembered, whether there is such a user or not. */
const NAMES = 10_000
const FREE = 5
const FIRST_WAIT_MS = 15_000
const LONGEST_WAIT_MS = 15 * 60_000
const FORGOTTEN_MS = 24 * 3_600_000

/**
 * Makes whoever guesses at one name wait: after five failures in a row, each wait is twice the one before, fifteen
 * minutes at most, whichever process each came to. It knows nothing of which names exist. From one address, `limits.perMinute.signIn` holds as well.
 *
 * @see NIST SP 800-63B-4 §3.2.2
 */
export function createAttempts({ clock, refusal = 'login.throttled', others }: AttemptsNeeds) {
  const failures = createRecent<string, Failures>(NAMES)

  function countedOf(key: string, now: number): Failures {
    const known = failures.get(key)
    return known !== undefined && now - known.at < FORGOTTEN_MS ? known : { count: 0, at: now }
  }

  function take({ key, wasRight }: Attempt): void {
    const now = clock.now()
    if (wasRight) failures.delete(key)
    else failures.set(key, { count: countedOf(key, now).count + 1, at: now })
  }

  others?.hear(take)
  function note(attempt: Attempt): void {
    take(attempt)
    others?.tell(attempt)
  }

  return {
    /**
     * Counts an attempt before it is looked at, so that many at once are not all looked at. Answers with what to call
     * when it was right.
     *
     * @throws {Problem} the refusal, with the seconds to wait
     */
    begin(tenant: TenantId, name: string): () => void {
      const key = hash('sha256', `${tenant} ${name.normalize('NFC')}`, 'base64')
      const now = clock.now()
      const counted = countedOf(key, now)
      const waitMs = counted.at + waitAfter(counted.count) - now
      if (waitMs > 0) throw problem(refusal, { seconds: Math.ceil(waitMs / 1000) })
      note({ key, wasRight: false })
      return () => note({ key, wasRight: true })
    },
  }
}
export type Attempts = ReturnType<typeof createAttempts>

function waitAfter(count: number): number {
  return count < FREE ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (count - FREE), LONGEST_WAIT_MS)
}
