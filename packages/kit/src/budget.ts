import type { Urgency } from './queue.ts'

/** How many requests one account may send; without a figure there is no such limit. */
export interface BudgetSettings {
  readonly perHour?: number
  readonly perDay?: number
}

export interface Spent {
  readonly period: 'hour' | 'day'
  readonly used: number
  readonly of: number
  /** In milliseconds; when there is a whole budget again. */
  readonly renewedAt: number
}

/** An account has sent what it may send. */
export class BudgetSpent extends Error {
  readonly spent: Spent

  constructor(spent: Spent) {
    super(`${spent.of} requests an ${spent.period} are spent`)
    this.name = 'BudgetSpent'
    this.spent = spent
  }
}

export interface Budgets {
  /** Counts one request, or says why there may be none. */
  spend(now: number, urgency: Urgency): BudgetSpent | undefined
  /** Whether nothing of it is used. */
  isFresh(now: number): boolean
  read(now: number): readonly Spent[]
}

const lengths = { hour: 3_600_000, day: 86_400_000 } as const

/** Of each budget, what bulk work leaves for a person. */
const FOR_A_PERSON = 0.1

/** The budgets of one account. A period begins with its first request. */
export function createBudgets({ perHour, perDay }: BudgetSettings): Budgets {
  const limits = [
    { period: 'hour', of: perHour },
    { period: 'day', of: perDay },
  ] as const
  const periods = limits.flatMap(({ period, of }) => (of === undefined ? [] : { period, of, startedAt: 0, used: 0 }))

  function renew(now: number): void {
    for (const each of periods) {
      if (now < each.startedAt + lengths[each.period]) continue
      each.startedAt = now
      each.used = 0
    }
  }

  function spentOf({ period, of, used, startedAt }: (typeof periods)[number]): Spent {
    return { period, of, used, renewedAt: startedAt + lengths[period] }
  }

  return {
    spend(now, urgency) {
      renew(now)
      const share = urgency === 'bulk' ? 1 - FOR_A_PERSON : 1
      const over = periods.filter(({ used, of }) => used >= Math.floor(of * share)).map(spentOf)
      const last = over.sort((one, other) => other.renewedAt - one.renewedAt)[0]
      if (last) return new BudgetSpent(last)
      for (const each of periods) each.used += 1
      return undefined
    },
    isFresh: (now) => periods.every(({ period, startedAt, used }) => used === 0 || now >= startedAt + lengths[period]),
    read(now) {
      renew(now)
      return periods.map(spentOf)
    },
  }
}
