import { LRUCache } from 'lru-cache'
import type { Clock } from './clock.ts'

export interface CacheNeeds {
  readonly clock: Clock
  readonly maxBytes: number
  /** Whether what failed may be answered with what is older: the API is down, not the answer another. */
  mayBeStale(error: unknown): boolean
  /** Told how each reading was answered without a request of its own. */
  count(key: string, how: 'cached' | 'joined' | 'stale'): void
}

/** One reading. Everybody who reads under one key reads the same type. */
export interface Reading<Value> {
  /** Begins with whose it is: what is one account's is never another's. */
  readonly key: string
  /** For how long it is answered without asking again; 0 keeps nothing. */
  readonly ttlMs: number
  readonly signal: AbortSignal
  /** Hears how far a reading has come, whoever began it. */
  onProgress?(done: number): Promise<void>
  /** Asks. `signal` fires when nobody waits any more; `tell` passes progress on. */
  load(signal: AbortSignal, tell: (done: number) => Promise<void>): Promise<Loaded<Value>>
}

export interface Loaded<Value> {
  readonly value: Value
  /** About how much memory it takes. */
  readonly bytes: number
}

export interface Cached<Value> {
  readonly value: Value
  /** When it was asked for, in milliseconds. */
  readonly readAt: number
  /** Whether it is older than it should be, because asking again failed. */
  readonly isStale: boolean
}

export interface Cache {
  /** What is kept, what somebody else is asking for at the moment, or what `load` brings. */
  read<Value>(reading: Reading<Value>): Promise<Cached<Value>>
  /** Changes what is kept under one key; `undefined` forgets it. Readings under way are not kept. */
  change<Value>(key: string, change: (value: Value) => Value | undefined): void
  /** Forgets whatever begins with `prefix`. Readings under way are not kept. */
  forget(prefix: string): void
}

interface Row extends Loaded<unknown> {
  readonly readAt: number
  /** Asked again in vain: until then nobody tries. */
  quietUntil: number
}

interface Flight {
  readonly row: Promise<Row>
  readonly listeners: Set<(done: number) => Promise<void>>
  readonly stop: AbortController
  waiting: number
}

/** What keeping anything takes: many empty answers are as much as a large one. */
const ROW_BYTES = 500
/** After a failure, what is stale is answered for this long before anybody asks again. */
const QUIET_MS = 30_000

/** Answers kept in memory, the longest unused given up first. */
export function createCache({ clock, maxBytes, mayBeStale, count }: CacheNeeds): Cache {
  const rows = new LRUCache<string, Row>({
    maxSize: maxBytes,
    sizeCalculation: ({ bytes }, key) => bytes + 2 * key.length + ROW_BYTES,
  })
  const flights = new Map<string, Flight>()

  function fly(reading: Reading<unknown>): Flight {
    const { key, load, ttlMs } = reading
    const listeners = new Set<(done: number) => Promise<void>>()
    const stop = new AbortController()
    const readAt = clock.now()
    const tell = async (done: number) => {
      // One that cannot be told is no reason to end what others wait for.
      await Promise.allSettled([...listeners].map((listen) => listen(done)))
    }
    const row = load(stop.signal, tell).then((loaded): Row => ({ ...loaded, readAt, quietUntil: 0 }))
    const flight: Flight = { row, listeners, stop, waiting: 0 }
    flights.set(key, flight)
    row
      .then(
        (landed) => ttlMs > 0 && flights.get(key) === flight && rows.set(key, landed),
        () => {},
      )
      .finally(() => flights.get(key) === flight && flights.delete(key))
    return flight
  }

  /** A reading belongs to everybody who waits for it: it ends early only when the last of them has left. */
  async function join(flight: Flight, { key, signal, onProgress }: Reading<unknown>): Promise<Row> {
    const { row, listeners, stop } = flight
    const listen = async (done: number) => onProgress?.(done)
    flight.waiting += 1
    listeners.add(listen)
    try {
      return await orAborted(row, signal)
    } finally {
      listeners.delete(listen)
      flight.waiting -= 1
      if (flight.waiting === 0) {
        if (flights.get(key) === flight) flights.delete(key)
        stop.abort(new Error('nobody waits any more'))
      }
    }
  }

  function outdate(isMeant: (key: string) => boolean): void {
    for (const key of flights.keys()) if (isMeant(key)) flights.delete(key)
  }

  return {
    async read<Value>(reading: Reading<Value>) {
      const { key, ttlMs } = reading
      const now = clock.now()
      const kept = rows.get(key)
      const shown = (row: Row, isStale: boolean): Cached<Value> => ({
        value: row.value as Value,
        readAt: row.readAt,
        isStale,
      })
      if (kept && (now < kept.readAt + ttlMs || now < kept.quietUntil)) {
        const isStale = now >= kept.readAt + ttlMs
        count(key, isStale ? 'stale' : 'cached')
        return shown(kept, isStale)
      }
      const flying = flights.get(key)
      if (flying) count(key, 'joined')
      const flight = flying ?? fly(reading)
      try {
        return shown(await join(flight, reading), false)
      } catch (error) {
        reading.signal.throwIfAborted()
        if (!kept || !mayBeStale(error)) throw error
        kept.quietUntil = clock.now() + QUIET_MS
        count(key, 'stale')
        return shown(kept, true)
      }
    },
    change<Value>(key: string, change: (value: Value) => Value | undefined) {
      outdate((flown) => flown === key)
      const row = rows.peek(key)
      if (row === undefined) return
      const value = change(row.value as Value)
      if (value === undefined) rows.delete(key)
      else rows.set(key, { ...row, value })
    },
    forget(prefix) {
      outdate((key) => key.startsWith(prefix))
      for (const key of rows.keys()) if (key.startsWith(prefix)) rows.delete(key)
    },
  }
}

/** Somebody who leaves does not wait for what others go on waiting for. */
async function orAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  signal.throwIfAborted()
  let leave = () => {}
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}
