import type { Clock } from '../../base/clock.ts'
import { createRecent } from '../../base/recent.ts'
import type { Allowance, Counters, Taken } from './counters.ts'
import { createMemoryCounters } from './memory.ts'
import type { RedisBus } from './redis-bus.ts'
import { settleWith, type Heard } from './redis-settle.ts'

export interface RedisCountersNeeds {
  readonly bus: RedisBus
  readonly prefix: string
  readonly clock: Clock
}

/** What this process has of one key, and what it last heard of the others. */
interface Share extends Heard {
  readonly key: string
  allowance: Allowance
  tokens: number
  elsewhere: number
  sharing: number
  /** Calls that may be taken here until more is heard. */
  left: number
  heardAt: number
  usedAt: number
  /** Calls running here. */
  running: number
  /** What Redis has not been told of yet. */
  spent: number
  asked: boolean
  toTell: boolean
  telling: boolean
}

const KEYS = 50_000
const MINUTE_MS = 60_000
/** For how long what was heard counts. */
const FRESH_MS = 2_000
/** How soon what was taken is told where there is plenty; where there is not, it is told at once. */
const TELL_MS = 20
/** Not so often that a flood of calls becomes one of questions. */
const HEARD_MS = 5
/** How often keys that are nearly used up are asked about, and for how long after they were used. */
const REFRESH_MS = 500
const USED_MS = 60_000
/** How often calls that run long are told of again. */
const RUNNING_MS = 60_000
/** What may be taken of a key of which nothing is known yet: so many, or such a part of a minute. */
const FIRST_CALLS = 8
const FIRST_PART = 0.1

const TOO_MANY_AT_ONCE: Taken = { taken: false, because: 'concurrency' }

/**
 * Counts across processes. Each call is answered from what is known here; what was taken is told, and what the others
 * took is heard, in the background. So two processes that are asked in the same instant may let through a few too
 * many, which are paid back; over a minute the count is exact. While Redis is away each process counts for itself.
 */
export function createRedisCounters({ bus, prefix, clock }: RedisCountersNeeds): Counters & { close(): void } {
  /** No process may do alone what all together may not. */
  const own = createMemoryCounters(clock)
  const shares = createRecent<string, Share>(KEYS)
  const waiting: Share[] = []
  const nearlyUsedUp = new Set<Share>()
  let teller: NodeJS.Timeout | undefined
  const refresher = setInterval(refresh, REFRESH_MS).unref()
  const reminder = setInterval(remind, RUNNING_MS).unref()
  bus.onBack(remind)

  function shareOf(key: string, allowance: Allowance): Share {
    const known = shares.get(key)
    if (known !== undefined) {
      known.allowance = allowance
      return known
    }
    const share = newShare(key, allowance)
    shares.set(key, share)
    return share
  }

  function tellSoon(share: Share): void {
    if (share.toTell || share.telling) return
    if (isNearlyUsedUp(share) && share.usedAt - share.heardAt > HEARD_MS) return void tell(share)
    share.toTell = true
    waiting.push(share)
    teller ??= setTimeout(tellWaiting, TELL_MS).unref()
  }

  function tellWaiting(): void {
    teller = undefined
    for (const share of waiting.splice(0)) void tell(share)
  }

  async function tell(share: Share): Promise<void> {
    share.toTell = false
    if (share.telling) return
    const { key, spent, running, asked, allowance } = share
    Object.assign(share, { telling: true, spent: 0, asked: false })
    try {
      // What was taken while Redis is away is left out: it would all come due at once.
      hear(share, await settleWith(bus, prefix, { key, perMinute: allowance.callsPerMinute, spent, running, asked }))
    } catch {
      share.heardAt = -Infinity
    }
    share.telling = false
    if (share.spent > 0 || share.running !== running) tellSoon(share)
  }

  function hear(share: Share, heard: Heard): void {
    const part = Math.floor(heard.tokens / heard.sharing)
    const left = heard.tokens >= 1 ? Math.max(1, part) : heard.tokens / heard.sharing
    Object.assign(share, heard, { left: left - share.spent, heardAt: clock.now() })
    if (isNearlyUsedUp(share)) nearlyUsedUp.add(share)
    else nearlyUsedUp.delete(share)
  }

  function refresh(): void {
    const old = clock.now() - USED_MS
    for (const share of nearlyUsedUp) {
      if (share.usedAt < old) nearlyUsedUp.delete(share)
      else void tell(share)
    }
  }

  function remind(): void {
    for (const share of shares.values()) if (share.running > 0) void tell(share)
  }

  return {
    take(key, allowance) {
      const share = shareOf(key, allowance)
      share.usedAt = clock.now()
      share.asked = true
      const refused = bus.link.isUp ? refuse(share) : undefined
      const taken = refused ?? own.take(key, allowance)
      if (taken.taken) {
        share.left--
        share.spent++
        share.running++
      }
      tellSoon(share)
      return taken.taken ? { taken: true, release: releaseOnce(share, taken.release, tellSoon) } : taken
    },
    close() {
      clearTimeout(teller)
      clearInterval(refresher)
      clearInterval(reminder)
    },
  }
}

function newShare(key: string, allowance: Allowance): Share {
  const heard = { tokens: allowance.callsPerMinute, elsewhere: 0, sharing: 1 }
  const toldNothing = { running: 0, spent: 0, asked: false, toTell: false, telling: false }
  return { key, allowance, ...heard, ...toldNothing, left: firstOf(allowance), heardAt: -Infinity, usedAt: 0 }
}

function firstOf({ callsPerMinute }: Allowance): number {
  return Math.max(FIRST_CALLS, callsPerMinute * FIRST_PART)
}

function refuse(share: Share): Taken | undefined {
  const { allowance, usedAt, heardAt, sharing, tokens } = share
  const isKnown = usedAt - heardAt <= FRESH_MS || share.telling || share.spent > 0
  if (!isKnown) Object.assign(share, { left: firstOf(allowance), elsewhere: 0 })
  if (share.running + share.elsewhere >= allowance.concurrentCalls) return TOO_MANY_AT_ONCE
  const perMs = allowance.callsPerMinute / MINUTE_MS
  const since = heardAt === -Infinity ? 0 : Math.max(0, Math.min(usedAt - heardAt, FRESH_MS))
  if (share.left + (since * perMs) / sharing >= 1) return undefined
  return { taken: false, because: 'rate', retryAfterMs: Math.max(1, (1 - tokens) / perMs - since) }
}

/** Such that the others have to know soon, and this process has to know of them. */
function isNearlyUsedUp({ heardAt, left, running, elsewhere, allowance }: Share): boolean {
  if (heardAt === -Infinity) return true
  return left < allowance.callsPerMinute / 4 || running + elsewhere >= allowance.concurrentCalls / 2
}

function releaseOnce(share: Share, release: () => void, tell: (share: Share) => void): () => void {
  let released = false
  return () => {
    if (released) return
    released = true
    release()
    share.running--
    tell(share)
  }
}
