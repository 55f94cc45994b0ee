import type { TenantId } from '../base/ids.ts'

/** What a tenant asks of those who sign in. */
export interface SignInPolicy {
  /** With what of the gate's own one may begin to sign in; with nothing, identity providers alone let people in. */
  readonly methods: readonly ('password' | 'passkey')[]
  readonly secondFactor: 'off' | 'optional' | 'required'
  /** How long ago somebody may have proven who they are to do what is dangerous. */
  readonly stepUpMinutes: number
  /** How long a browser may stay away. */
  readonly idleHours: number
  /** How long a browser stays signed in, whatever it does. */
  readonly maxHours: number
}

export type PolicyOf = (tenant: TenantId) => SignInPolicy

/** What stands between a proof and a session. */
export type NextStep = 'none' | 'prove' | 'setUp'

/** The factors of a user that can be used under the policy. */
export interface UsableFactors {
  readonly passkeys: number
  readonly hasApp: boolean
}

/**
 * Decides what has to follow a proof. Whoever has a second factor proves it; where one is required, or where the
 * password of a link opens nothing the next time, one is set up first. What was proven with several factors, here or
 * at a provider that says so, is enough.
 *
 * @see RFC 8176 §2, `mfa`
 */
export function decideNextStep(amr: readonly string[], factors: UsableFactors, policy: SignInPolicy): NextStep {
  if (amr.includes('mfa')) return 'none'
  const hasOne = factors.passkeys > 0 || factors.hasApp
  if (hasOne && policy.secondFactor !== 'off') return 'prove'
  const cannotComeBack = amr.includes('pwd') && !policy.methods.includes('password') && factors.passkeys === 0
  return policy.secondFactor === 'required' || cannotComeBack ? 'setUp' : 'none'
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

/** How long the browsers of a tenant stay signed in, in milliseconds. */
export interface Lifetimes {
  readonly idleMs: number
  readonly maxMs: number
}

export function lifetimesOf({ idleHours, maxHours }: SignInPolicy): Lifetimes {
  return { idleMs: idleHours * HOUR_MS, maxMs: maxHours * HOUR_MS }
}

/** A browser that is signed in, as far as its time depends on it; all in milliseconds since 1970. */
export interface Aging {
  readonly createdAt: number
  readonly seenAt: number
  readonly expiresAt: number
}

/**
 * Whether a browser is still signed in. The policy of now counts, so that a shorter one holds for those who are there
 * already; a longer one gives nobody more than they were told.
 *
 * @see NIST SP 800-63B-4 §2.2.3, reauthentication
 */
export function isLive({ createdAt, seenAt, expiresAt }: Aging, { idleMs, maxMs }: Lifetimes, now: number): boolean {
  return now < expiresAt && now - createdAt < maxMs && now - seenAt < idleMs
}

/** Whether somebody has proven who they are so lately that they may do what is dangerous. */
export function isFresh(authenticatedAt: number, { stepUpMinutes }: SignInPolicy, now: number): boolean {
  return now - authenticatedAt <= stepUpMinutes * MINUTE_MS
}
