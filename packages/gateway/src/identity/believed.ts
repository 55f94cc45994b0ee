import type { Clock } from '../base/clock.ts'
import { createRecent } from '../base/recent.ts'
import type { Principal } from './principal.ts'

/** Whom something stands for that opens the gate, and how long it does. */
export interface Live<P extends Principal> {
  readonly principal: P
  readonly expiresAt: number | null
}

export interface BelievedNeeds<P extends Principal> {
  readonly clock: Clock
  /** How long what was found is believed without asking again, in milliseconds. */
  readonly cacheMs: number
  /** Asks the database. */
  find(hash: string): Promise<Live<P> | undefined>
}

interface Verified<P> {
  readonly principal: P
  readonly until: number
}

const VERIFIED = 10_000
const REFUSED = 1_000
const REFUSED_MS = 1_000

/** What was found lately by the hash of a key or a token: neither of them is held. */
export function createBelieved<P extends Principal>({ clock, cacheMs, find }: BelievedNeeds<P>) {
  const verified = createRecent<string, Verified<P>>(VERIFIED)
  /** Hashes that led nowhere, and until when they are not looked up again. */
  const refused = createRecent<string, number>(REFUSED)
  const asked = new Map<string, Promise<P | undefined>>()

  function keep(hash: string, found: Live<P> | undefined): void {
    const now = clock.now()
    if (found === undefined) refused.set(hash, now + REFUSED_MS)
    else verified.set(hash, { principal: found.principal, until: Math.min(now + cacheMs, found.expiresAt ?? Infinity) })
  }

  return {
    /** Answers at once; `undefined` says only that it was not found lately. */
    known(hash: string): P | undefined {
      const held = verified.get(hash)
      return held !== undefined && clock.now() < held.until ? held.principal : undefined
    },

    /** Asks, once for all who want to know, and not again too soon where there was nothing. */
    ask(hash: string): undefined | Promise<P | undefined> {
      if (clock.now() < (refused.get(hash) ?? 0)) return undefined
      const under = asked.get(hash)
      if (under !== undefined) return under
      const answer: Promise<P | undefined> = find(hash)
        .then((found) => {
          if (asked.get(hash) === answer) keep(hash, found)
          return found?.principal
        })
        .finally(() => {
          if (asked.get(hash) === answer) asked.delete(hash)
        })
      asked.set(hash, answer)
      return answer
    },

    /** Forgets some; a question under way is answered, but its answer, perhaps of before, is not kept. */
    drop(which: (principal: P) => boolean): void {
      asked.clear()
      refused.clear()
      for (const [hash, { principal }] of verified.entries()) if (which(principal)) verified.delete(hash)
    },

    /** As {@link drop}, of one that is known by its hash. */
    dropHash(hash: string): void {
      asked.clear()
      verified.delete(hash)
    },
  }
}
