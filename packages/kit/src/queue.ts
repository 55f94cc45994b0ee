import { createBudgets, type BudgetSettings, type Budgets, type Spent } from './budget.ts'
import type { Clock } from './clock.ts'

/** How urgent a request is: a person who waits goes before bulk work of the same account. */
export type Urgency = 'person' | 'bulk'

export interface Rate {
  /** Requests that may follow each other at once after a quiet time. */
  readonly burst: number
  readonly perSecond: number
}

export interface QueueSettings extends Rate {
  /** Of the burst, what bulk work leaves for a person. @default 1 */
  readonly reserve?: number
  /** What all accounts may send together, in turn. Without it each is on its own. */
  readonly together?: Rate
  readonly budgets?: BudgetSettings
}

export interface Turn {
  readonly account: string
  readonly urgency: Urgency
  readonly signal: AbortSignal
}

export interface Queue {
  /**
   * Resolves when the account may send its next request; rejects when the signal fires first.
   * @throws {BudgetSpent} where the account has none left for now
   */
  take(turn: Turn): Promise<void>
  /** Lets the account rest: no request of it starts within the next `ms`. */
  rest(account: string, ms: number): void
  /** What the account has used of its budgets. */
  spent(account: string): readonly Spent[]
}

/** Somebody who waits for a turn. */
interface Waiter {
  go(): void
  refuse(reason: unknown): void
}

interface Lane {
  /** When the bucket is full again. */
  fullAt: number
  readonly budgets: Budgets
  readonly waiting: Readonly<Record<Urgency, Set<Waiter>>>
}

/** Lanes beyond this number are looked through for those that nobody needs. */
const MANY = 1000
/** So many quiet lanes are left at most: budgets last a day, and whoever makes tokens up has another for each request. */
const MOST = 10_000

/**
 * One token bucket for each account. Requests of an account have their turn one after the other, a person's before
 * bulk work, accounts in turn; any number of them at once is as friendly as one, and a request that was given up
 * spends nothing. It is in memory: several processes have a queue each.
 */
export function createQueue(settings: QueueSettings, clock: Clock): Queue {
  const { burst, perSecond, together } = settings
  const interval = 1000 / perSecond
  const reserve = Math.min(settings.reserve ?? 1, burst - 1)
  const lanes = new Map<string, Lane>()
  /** Those with somebody in them, whose turn was longest ago first. */
  const queued = new Set<Lane>()
  let lookedThroughAt = MANY
  let togetherFullAt = 0
  let sleep: { readonly until: number; readonly alarm: AbortController } | undefined
  let isRunning = false

  function laneOf(account: string): Lane {
    const known = lanes.get(account)
    if (known) return known
    if (lanes.size >= lookedThroughAt) forgetQuiet()
    const waiting = { person: new Set<Waiter>(), bulk: new Set<Waiter>() }
    const lane: Lane = { fullAt: 0, budgets: createBudgets(settings.budgets ?? {}), waiting }
    lanes.set(account, lane)
    return lane
  }

  function forgetQuiet(): void {
    const now = clock.now()
    const quiet = [...lanes].filter(([, lane]) => !queued.has(lane) && lane.fullAt <= now)
    for (const [account, { budgets }] of quiet) if (budgets.isFresh(now)) lanes.delete(account)
    const spending = quiet.filter(([account]) => lanes.has(account))
    for (const [account] of spending.slice(0, Math.max(0, lanes.size - MOST))) lanes.delete(account)
    lookedThroughAt = Math.max(MANY, 2 * lanes.size)
  }

  function headOf(lane: Lane): Urgency {
    return lane.waiting.person.size > 0 ? 'person' : 'bulk'
  }

  function readyAt(lane: Lane, urgency: Urgency): number {
    const own = lane.fullAt - (burst - 1 - (urgency === 'bulk' ? reserve : 0)) * interval
    if (together === undefined) return own
    return Math.max(own, togetherFullAt - ((together.burst - 1) * 1000) / together.perSecond)
  }

  /** One loop, and one timer, for everybody who waits. */
  async function run(): Promise<void> {
    if (isRunning) return
    isRunning = true
    try {
      while (queued.size > 0) {
        const { lane, at } = soonest()
        const wait = at - clock.now()
        if (wait <= 0) serve(lane)
        else await rest(at, wait)
      }
    } finally {
      isRunning = false
    }
  }

  function soonest(): { lane: Lane; at: number } {
    const now = clock.now()
    let best: { lane: Lane; at: number } | undefined
    for (const lane of queued) {
      const at = readyAt(lane, headOf(lane))
      if (at <= now) return { lane, at }
      if (best === undefined || at < best.at) best = { lane, at }
    }
    if (best === undefined) throw new Error('nobody waits')
    return best
  }

  async function rest(until: number, wait: number): Promise<void> {
    sleep = { until, alarm: new AbortController() }
    try {
      await clock.wait(wait, sleep.alarm.signal)
    } catch {
      // Woken: somebody came who may go earlier, or nobody is left.
    } finally {
      sleep = undefined
    }
  }

  /** Gives the lane's first its turn, and puts the lane behind the others. */
  function serve(lane: Lane): void {
    const now = clock.now()
    const urgency = headOf(lane)
    const [waiter] = lane.waiting[urgency]
    if (waiter === undefined) return void queued.delete(lane)
    leave(lane, waiter, urgency)
    if (queued.delete(lane)) queued.add(lane)
    const refusal = lane.budgets.spend(now, urgency)
    if (refusal) return waiter.refuse(refusal)
    lane.fullAt = Math.max(lane.fullAt, now) + interval
    if (together) togetherFullAt = Math.max(togetherFullAt, now) + 1000 / together.perSecond
    waiter.go()
  }

  function leave(lane: Lane, waiter: Waiter, urgency: Urgency): void {
    lane.waiting[urgency].delete(waiter)
    if (lane.waiting.person.size + lane.waiting.bulk.size === 0) queued.delete(lane)
    if (queued.size === 0) sleep?.alarm.abort()
  }

  return {
    take({ account, urgency, signal }) {
      return new Promise<void>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const lane = laneOf(account)
        const abort = () => {
          leave(lane, waiter, urgency)
          reject(signal.reason)
        }
        const settle = (done: () => void) => {
          signal.removeEventListener('abort', abort)
          done()
        }
        const waiter: Waiter = {
          go: () => settle(resolve),
          refuse: (reason) => settle(() => reject(reason)),
        }
        signal.addEventListener('abort', abort, { once: true })
        lane.waiting[urgency].add(waiter)
        queued.add(lane)
        if (sleep && readyAt(lane, headOf(lane)) < sleep.until) sleep.alarm.abort()
        void run()
      })
    },
    rest(account, ms) {
      const lane = laneOf(account)
      lane.fullAt = Math.max(lane.fullAt, clock.now() + ms + (burst - 1) * interval)
    },
    spent: (account) => lanes.get(account)?.budgets.read(clock.now()) ?? [],
  }
}
