import type { TenantId } from '../base/ids.ts'

/** What a tenant asks of those who sign in. */
export interface SignInPolicy {
  /** With what one may begin to sign in. */
  readonly methods: readonly ('password' | 'passkey')[]
  readonly secondFactor: 'off' | 'optional' | 'required'
  /** How long ago somebody may have proven who they are to do what is dangerous. */
  readonly stepUpMinutes: number
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

/** Whether somebody has proven who they are so lately that they may do what is dangerous. */
export function isFresh(authenticatedAt: number, { stepUpMinutes }: SignInPolicy, now: number): boolean {
  return now - authenticatedAt <= stepUpMinutes * MINUTE_MS
}
