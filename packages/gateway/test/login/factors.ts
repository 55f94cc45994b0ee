import { systemRandom } from '../../src/base/ids.ts'
import type { Clock } from '../../src/base/clock.ts'
import type { Sealing } from '../../src/login/factors/authenticators.ts'
import { openFactors } from '../../src/login/factors/open.ts'
import type { SignInPolicy } from '../../src/login/policy.ts'
import type { Storage } from '../../src/storage/database.ts'
import { openKeyring } from '../../src/vault/keyring.ts'
import { createSealer } from '../../src/vault/sealer.ts'
import { newDirectory, quiet } from '../stores/databases.ts'

/** How people sign in where the configuration does not say. */
export const SIGN_IN: SignInPolicy = {
  methods: ['password', 'passkey'],
  secondFactor: 'optional',
  stepUpMinutes: 15,
  idleHours: 72,
  maxHours: 720,
}

interface Wanted {
  readonly storage: Storage
  readonly clock: Clock
  readonly publicUrl: string
  readonly policy?: Partial<SignInPolicy> | undefined
  /** Of a vault that is open already. */
  readonly sealer?: Sealing
}

/** The factors users hold, on a real database and sealed with a real key. */
export async function openTestFactors({ storage, clock, publicUrl, policy = {}, ...given }: Wanted) {
  const sealer = given.sealer ?? (await openSealer(storage, clock))
  const whole: SignInPolicy = { ...SIGN_IN, ...policy }
  const policyOf = () => whole
  const challengeKey = Buffer.from(systemRandom(32))
  const needs = { storage, clock, random: systemRandom, sealer, challengeKey, policyOf, publicUrl }
  return { ...openFactors(needs), sealer, policyOf }
}

async function openSealer(storage: Storage, clock: Clock): Promise<Sealing> {
  const { dataDir } = newDirectory()
  return createSealer({ keyring: await openKeyring({ storage, dataDir, environment: {}, clock, log: quiet }) })
}
