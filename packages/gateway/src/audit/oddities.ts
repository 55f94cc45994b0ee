import { isLoopbackHost } from '../base/loopback.ts'
import { networkOf } from '../base/network.ts'
import type { RecentEntry } from './recent.ts'

/** What is told to a user as odd, and when it is. Rules are plain on purpose: whoever is told can see why. */
export const oddities = {
  new_place: 'A sign-in with a browser, or from a network, that none of the user’s sign-ins in 90 days came from.',
  after_failures: 'A sign-in after five or more attempts in a day that failed.',
  token_replayed: 'A code or a refresh token was used once more; all tokens that came of it have ended.',
  client_moved: 'A client that nobody used for two weeks came back from another network.',
  many_refused: 'Thirty calls with one account were refused within five minutes.',
} as const satisfies Record<string, string>
export type Oddity = keyof typeof oddities

const DAY_MS = 86_400_000
const FAILURES = 5
const QUIET_MS = 14 * DAY_MS

/** How far back sign-ins are compared, in milliseconds. */
export const REMEMBERED_MS = 90 * DAY_MS

/** How many refused calls within how many milliseconds are a burst, and after how long another one is told. */
export const BURST = { calls: 30, withinMs: 5 * 60_000, againMs: 3_600_000 } as const

/**
 * Where somebody is, as coarsely as it is kept: the network of a provider, not of a house. Nothing is looked up, and a
 * phone that changes masts stays where it is.
 */
export function placeOf(address: string): string {
  const isHere = address === '::1' || isLoopbackHost(address)
  return isHere ? THIS_MACHINE : networkOf(address, { ipv4: 16, ipv6: 32 })
}

/** However it is spelled. */
const THIS_MACHINE = 'this machine'

export interface SignIn {
  /** As {@link RecentEntry} has it: `Firefox on Linux`. */
  readonly browser: string
  readonly address: string
}

/**
 * Decides what is odd in a sign-in, from what the log has of its user, the latest first. Somebody who was never there
 * before comes from nowhere new.
 */
export function findOddSignIn({ browser, address }: SignIn, before: readonly RecentEntry[], now: number): Oddity[] {
  const came = before.filter(({ kind }) => kind === 'login.ok')
  const isKnown =
    came.some(({ fields }) => fields['browser'] === browser) &&
    came.some(({ fields }) => placeOf(String(fields['address'])) === placeOf(address))
  const failed = before.filter(({ kind, at }) => FAILED.has(kind) && at >= (came[0]?.at ?? 0) && now - at < DAY_MS)
  return [
    ...(came.length > 0 && !isKnown ? (['new_place'] as const) : []),
    ...(failed.length >= FAILURES ? (['after_failures'] as const) : []),
  ]
}

const FAILED: ReadonlySet<string> = new Set(['login.failed', 'login.second_failed'])

/** When, and from where, a client was last used. */
export interface LastUse {
  readonly usedAt: number | null
  readonly place: string | null
}

/** Decides whether a client that comes now is one that was away and moved. */
export function hasMoved({ usedAt, place }: LastUse, address: string, now: number): boolean {
  return usedAt !== null && place !== null && now - usedAt > QUIET_MS && place !== placeOf(address)
}
