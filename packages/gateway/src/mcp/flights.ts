import { hash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { problem, type Problem } from '../base/problem.ts'
import type { Context } from './context.ts'

/** A request that is being answered. */
export interface Flight {
  /** What a later message may cancel it by. */
  flightKey(): string | undefined
  abort(reason: Problem): void
  /** Gives the client a sign of life. */
  keepAlive(): void
  /** Kept here by the list it is in: where, and since when. */
  seat: Seat
}

interface Seat {
  at: number
  since: number
}

export interface Flights {
  readonly size: number
  begin(flight: Flight): void
  /** To be called once for each that has begun. */
  end(flight: Flight): void
  /** Answers `false` where none has that key. */
  cancel(key: string): boolean
  /** Waits for all to land, `graceMs` at the latest, and aborts those that have not. */
  close(graceMs: number): Promise<void>
}

/**
 * What a legacy client's cancellation finds its request by; a modern client cancels by hanging up. Without a session
 * the user's clients share one space of ids.
 */
export function flightKeyOf(
  id: string | number,
  { principal, era, session }: Pick<Context, 'principal' | 'era' | 'session'>,
): string | undefined {
  if (era.name === 'modern') return undefined
  return `${principal.keyId} ${session?.id ?? ''} ${typeof id} ${shortened(id)}`
}

/** A key is told to other processes, and an id may be as long as a request. */
function shortened(id: string | number): string | number {
  return typeof id === 'string' && id.length > ID_LENGTH ? hash('sha256', id, 'base64url') : id
}

const ID_LENGTH = 200

/** A call that takes longer is given signs of life from then on, so that no proxy between gives up on it. */
const KEEP_ALIVE_AFTER_MS = 15_000
const KEEP_ALIVE_EVERY_MS = 5_000

/** Where a flight is that has not begun. */
export const noSeat = (): Seat => ({ at: -1, since: 0 })

/**
 * Keeps what is under way: for cancellation, for signs of life, for an orderly stop.
 *
 * A dense list, since every request enters and leaves it: a Map is copied every few entries, and a dead copy
 * that the collector has once moved keeps alive the next, with all the requests in it (`bench/flights.ts`).
 */
export function createFlights(): Flights {
  const flights: Flight[] = []
  const timer = setInterval(() => {
    const before = performance.now() - KEEP_ALIVE_AFTER_MS
    for (const flight of flights) if (flight.seat.since < before) flight.keepAlive()
  }, KEEP_ALIVE_EVERY_MS).unref()

  return {
    get size() {
      return flights.length
    },
    begin(flight) {
      flight.seat.since = performance.now()
      flight.seat.at = flights.length
      flights.push(flight)
    },
    /** The last takes the place of the one that leaves. */
    end({ seat }) {
      const last = flights.pop()
      if (last === undefined || last.seat === seat) return
      last.seat.at = seat.at
      flights[seat.at] = last
    },
    cancel(key) {
      const found = flights.find((flight) => flight.flightKey() === key)
      found?.abort(problem('request.cancelled'))
      return found !== undefined
    },
    async close(graceMs) {
      clearInterval(timer)
      const deadline = performance.now() + graceMs
      while (flights.length > 0 && performance.now() < deadline) await pause(25)
      for (const flight of flights) flight.abort(problem('gate.stopping'))
    },
  }
}
