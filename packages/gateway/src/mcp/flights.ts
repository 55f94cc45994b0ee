import { setTimeout as pause } from 'node:timers/promises'
import { problem, type Problem } from '../base/problem.ts'
import type { Context } from './context.ts'

/** A request that is being answered. */
export interface Flight {
  /** What a later message may cancel it by. */
  readonly key: string | undefined
  abort(reason: Problem): void
  /** Gives the client a sign of life. */
  keepAlive(): void
}

export interface Flights {
  readonly size: number
  /** Enters a request; the returned function takes it out again, once. */
  begin(flight: Flight): () => void
  cancel(key: string): void
  /** Waits for all to land, `graceMs` at the latest, and aborts those that have not. */
  close(graceMs: number): Promise<void>
}

/**
 * What a legacy client's cancellation finds its request by; a modern client cancels by hanging up. Without a session
 * the user's clients share one space of ids.
 */
export function flightKeyOf(id: string | number, { principal, era, session }: Context): string | undefined {
  if (era.name === 'modern') return undefined
  return `${principal.keyId} ${session?.id ?? ''} ${typeof id} ${id}`
}

/** A call that takes longer is given signs of life from then on, so that no proxy between gives up on it. */
const KEEP_ALIVE_AFTER_MS = 15_000
const KEEP_ALIVE_EVERY_MS = 5_000

interface Seat {
  readonly flight: Flight
  readonly since: number
  at: number
}

/**
 * Keeps what is under way: for cancellation, for signs of life, for an orderly stop.
 *
 * A dense list, since every request enters and leaves it: a Map is copied every few entries, and a dead copy
 * that the collector has once moved keeps alive the next, with all the requests in it (`bench/flights.ts`).
 */
export function createFlights(): Flights {
  const seats: Seat[] = []
  const timer = setInterval(() => {
    const before = performance.now() - KEEP_ALIVE_AFTER_MS
    for (const { flight, since } of seats) if (since < before) flight.keepAlive()
  }, KEEP_ALIVE_EVERY_MS).unref()

  /** The last takes the place of the one that leaves. */
  function leave({ at }: Seat): void {
    const last = seats.pop()
    if (last === undefined || last.at === at) return
    last.at = at
    seats[at] = last
  }

  return {
    get size() {
      return seats.length
    },
    begin(flight) {
      const seat = { flight, since: performance.now(), at: seats.length }
      seats.push(seat)
      return () => leave(seat)
    },
    cancel(key) {
      for (const { flight } of seats) if (flight.key === key) return flight.abort(problem('request.cancelled'))
    },
    async close(graceMs) {
      clearInterval(timer)
      const deadline = performance.now() + graceMs
      while (seats.length > 0 && performance.now() < deadline) await pause(25)
      for (const { flight } of seats) flight.abort(problem('gate.stopping'))
    },
  }
}
