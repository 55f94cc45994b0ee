import { LRUCache } from 'lru-cache'

/** How often something ended in one way, and how long it took together. */
export interface Count {
  readonly what: string
  readonly outcome: string
  readonly count: number
  readonly totalMs: number
}

export interface Counted {
  /** Stands for the account; `undefined` where there is none. */
  readonly account: string | undefined
  /** An endpoint or an operation, without ids and names in it, so that there are few. */
  readonly what: string
  readonly outcome: string
  readonly ms: number
}

export interface Counters {
  add(counted: Counted): void
  /** Of one account, or of everybody; by what was counted, the most frequent outcome first. */
  read(account?: string): readonly Count[]
}

/** Accounts beyond this number are forgotten, those first that were quiet longest. */
const ACCOUNTS = 1000

type Table = Map<string, { what: string; outcome: string; count: number; totalMs: number }>

/**
 * Counts of one process since it began.
 *
 * @param tell hears of each, for whoever keeps counts of several servers together
 */
export function createCounters(tell?: (counted: Counted) => void): Counters {
  const everybody: Table = new Map()
  const accounts = new LRUCache<string, Table>({ max: ACCOUNTS })

  return {
    add({ account, ...counted }) {
      tell?.({ account, ...counted })
      addTo(everybody, counted)
      if (account === undefined) return
      const own = accounts.get(account) ?? new Map()
      addTo(own, counted)
      accounts.set(account, own)
    },
    read: (account) => listed(account === undefined ? everybody : (accounts.get(account) ?? new Map())),
  }
}

function addTo(table: Table, { what, outcome, ms }: Omit<Counted, 'account'>): void {
  const key = `${what} ${outcome}`
  const row = table.get(key) ?? { what, outcome, count: 0, totalMs: 0 }
  row.count += 1
  row.totalMs += ms
  table.set(key, row)
}

function listed(table: Table): Count[] {
  return [...table.values()]
    .map((row) => ({ ...row, totalMs: Math.round(row.totalMs) }))
    .sort((one, other) => one.what.localeCompare(other.what, 'en') || other.count - one.count)
}
