import { setTimeout as pause } from 'node:timers/promises'
import { problem, type Problem } from '../base/problem.ts'

/** A request that is being answered. */
export interface Flight {
  abort(reason: Problem): void
  keepAlive(): void
}

export interface Flights {
  readonly size: number
  /** Enters a request; the answer ends it. A `key` lets a later message cancel it. */
  begin(flight: Flight, key: string | undefined): () => void
  cancel(key: string): void
  /** Waits for all to land, `graceMs` at the latest, and aborts those that have not. */
  close(graceMs: number): Promise<void>
}

/** A quiet connection is given a sign of life this often, so that no proxy between gives up on it. */
const KEEP_ALIVE_MS = 15_000

/** Keeps what is under way: for cancellation, for signs of life, for an orderly stop. */
export function createFlights(): Flights {
  const open = new Map<Flight, number>()
  const byKey = new Map<string, Flight>()
  const timer = setInterval(() => {
    const before = performance.now() - KEEP_ALIVE_MS
    for (const [flight, since] of open) if (since < before) flight.keepAlive()
  }, KEEP_ALIVE_MS / 3).unref()

  return {
    get size() {
      return open.size
    },
    begin(flight, key) {
      open.set(flight, performance.now())
      if (key !== undefined) byKey.set(key, flight)
      return () => {
        open.delete(flight)
        if (key !== undefined && byKey.get(key) === flight) byKey.delete(key)
      }
    },
    cancel: (key) => byKey.get(key)?.abort(problem('request.cancelled')),
    async close(graceMs) {
      clearInterval(timer)
      const deadline = performance.now() + graceMs
      while (open.size > 0 && performance.now() < deadline) await pause(25)
      for (const flight of open.keys()) flight.abort(problem('gate.stopping'))
    },
  }
}
