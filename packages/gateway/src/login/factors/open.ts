import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/ids.ts'
import type { Storage } from '../../storage/database.ts'
import type { PolicyOf } from '../policy.ts'
import { createAuthenticators, type Sealing } from './authenticators.ts'
import { createChallenges } from './challenges.ts'
import { createFactors } from './factors.ts'
import { createPasskeys } from './passkeys.ts'
import { createRecoveryCodes } from './recovery-codes.ts'
import { createSpent } from '../spent.ts'

export interface OpenFactorsNeeds {
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly sealer: Sealing
  /** Signs challenges: secret, and the same in every process. */
  readonly challengeKey: Buffer
  readonly policyOf: PolicyOf
  readonly publicUrl: string
}

/** Puts together what knows of the factors that users hold themselves. */
export function openFactors({ challengeKey, ...needs }: OpenFactorsNeeds) {
  const spent = createSpent(needs)
  const passkeys = createPasskeys({ ...needs, spent, challenges: createChallenges({ ...needs, key: challengeKey }) })
  const authenticators = createAuthenticators(needs)
  const recoveryCodes = createRecoveryCodes(needs)
  return {
    spent,
    passkeys,
    authenticators,
    factors: createFactors({ ...needs, passkeys, authenticators, recoveryCodes }),
  }
}
