import type { Clock } from './clock.ts'

export interface PaceSettings {
  /** Requests that may follow each other at once after a quiet time. */
  readonly burst: number
  readonly perSecond: number
}

export interface Pace {
  /** Resolves when the account may send its next request; rejects when the signal fires first. */
  take(account: string, signal: AbortSignal): Promise<void>
  /** Lets the account rest: no request of it starts within the next `ms`. */
  rest(account: string, ms: number): void
}

interface Lane {
  /** When the bucket is full again. */
  fullAt: number
  waiting: number
  /** Settles when the last one in the queue had its turn. */
  tail: Promise<void>
}

/** Lanes beyond this number are looked through for those that nobody needs. */
const MANY = 1000

/**
 * One token bucket for each account. Requests of an account queue up and have their turn one after the other, so
 * that any number of them at once is as friendly as one; a request that was given up spends nothing.
 */
export function createPace({ burst, perSecond }: PaceSettings, clock: Clock): Pace {
  const interval = 1000 / perSecond
  const lanes = new Map<string, Lane>()

  function laneOf(account: string): Lane {
    const known = lanes.get(account)
    if (known) return known
    if (lanes.size >= MANY) forgetQuiet()
    const lane: Lane = { fullAt: 0, waiting: 0, tail: Promise.resolve() }
    lanes.set(account, lane)
    return lane
  }

  function forgetQuiet(): void {
    for (const [account, lane] of lanes) if (lane.waiting === 0 && lane.fullAt <= clock.now()) lanes.delete(account)
  }

  /** Only the head of the queue is in here: first come, first served, and one timer for each account. */
  async function turn(lane: Lane, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      const wait = lane.fullAt - (burst - 1) * interval - clock.now()
      if (wait <= 0) break
      await clock.wait(wait, signal)
    }
    lane.fullAt = Math.max(lane.fullAt, clock.now()) + interval
  }

  return {
    async take(account, signal) {
      signal.throwIfAborted()
      const lane = laneOf(account)
      lane.waiting += 1
      const mine = lane.tail.then(() => turn(lane, signal))
      lane.tail = mine.catch(() => {}).finally(() => (lane.waiting -= 1))
      await orAborted(mine, signal)
    },
    rest(account, ms) {
      const lane = laneOf(account)
      lane.fullAt = Math.max(lane.fullAt, clock.now() + ms + (burst - 1) * interval)
    },
  }
}

/** A caller that leaves does not wait for its turn to be told so. */
async function orAborted(turn: Promise<void>, signal: AbortSignal): Promise<void> {
  let leave = () => {}
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
  })
  try {
    await Promise.race([turn, aborted])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}
