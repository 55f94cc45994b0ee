import type { TenantId, UserId } from '../../base/ids.ts'
import { problem } from '../../base/problem.ts'
import type { Secret } from '../../base/secret.ts'
import type { Storage } from '../../storage/database.ts'
import type { TenantDb } from '../../storage/tenant.ts'
import type { PolicyOf, SignInPolicy, UsableFactors } from '../policy.ts'
import type { Authenticators } from './authenticators.ts'
import type { Passkeys } from './passkeys.ts'
import type { RecoveryCodes } from './recovery-codes.ts'

export interface FactorsNeeds {
  readonly storage: Storage
  readonly policyOf: PolicyOf
  readonly passkeys: Passkeys
  readonly authenticators: Authenticators
  readonly recoveryCodes: RecoveryCodes
}

/** What a code was that somebody entered. */
export type CodeKind = 'app' | 'recovery'

const APP_CODE = /^\d{6}$/

/** The factors that users hold themselves, taken together: what they have, what they may lose, what codes are worth. */
export function createFactors({ storage, policyOf, passkeys, authenticators, recoveryCodes }: FactorsNeeds) {
  const allows = (tenant: TenantId) => ({
    passkeys: passkeys.possible && policyOf(tenant).methods.includes('passkey'),
    codes: policyOf(tenant).secondFactor !== 'off',
  })

  /** Where the last one is gone, its recovery codes stand for nothing any more. */
  const remove = (tenant: TenantId, userId: UserId, act: (db: TenantDb) => Promise<boolean>): Promise<boolean> =>
    storage.for(tenant).exclusively(async (db) => {
      if (!(await act(db))) return false
      const left = await countIn(db, userId)
      if (isNeeded(left, policyOf(tenant))) throw problem('factor.last')
      if (left.passkeys === 0 && !left.hasApp) await recoveryCodes.removeIn(db, userId)
      return true
    })

  return {
    /** Which factors the tenant's policy, and the gate's address, let users have. */
    allows,

    /** What a user has. */
    async standing(tenant: TenantId, userId: UserId) {
      const [keys, app, codesLeft] = await Promise.all([
        passkeys.list(tenant, userId),
        authenticators.find(tenant, userId),
        recoveryCodes.left(tenant, userId),
      ])
      return { passkeys: keys, app, codesLeft }
    },

    /** What a user has and the policy lets them use. */
    async usable(tenant: TenantId, userId: UserId): Promise<UsableFactors> {
      const has = await countIn(storage.for(tenant), userId)
      const may = allows(tenant)
      return { passkeys: may.passkeys ? has.passkeys : 0, hasApp: may.codes && has.hasApp }
    },

    /** Uses a code up: one of the app, or a recovery code. Answers which it was; nothing where it is not good. */
    async takeCode(tenant: TenantId, userId: UserId, text: string): Promise<CodeKind | undefined> {
      const code = text.replace(/\s/g, '')
      if (APP_CODE.test(code)) return (await authenticators.take(tenant, userId, code)) ? 'app' : undefined
      return (await recoveryCodes.take(tenant, userId, code)) ? 'recovery' : undefined
    },

    /** Makes the recovery codes that go with a user's first factor; nothing for whoever has been given some. */
    firstCodes: (tenant: TenantId, userId: UserId): Promise<readonly Secret[] | undefined> =>
      storage
        .for(tenant)
        .exclusively(async (db) =>
          !allows(tenant).codes || (await recoveryCodes.hasAny(db, userId))
            ? undefined
            : recoveryCodes.makeIn(db, userId),
        ),

    /**
     * Makes new recovery codes; those of before are good for nothing.
     *
     * @throws {Problem} `factor.none` for whoever has nothing that they could stand in for
     */
    newCodes: (tenant: TenantId, userId: UserId): Promise<readonly Secret[]> =>
      storage.for(tenant).exclusively(async (db) => {
        const { passkeys: keys, hasApp } = await countIn(db, userId)
        if (keys === 0 && !hasApp) throw problem('factor.none')
        return recoveryCodes.makeIn(db, userId)
      }),

    /** @throws {Problem} `factor.last` where the policy needs it */
    removePasskey: (tenant: TenantId, userId: UserId, id: string) =>
      remove(tenant, userId, (db) => passkeys.removeIn(db, userId, id)),

    /** @throws {Problem} `factor.last` where the policy needs it */
    removeApp: (tenant: TenantId, userId: UserId) =>
      remove(tenant, userId, (db) => authenticators.removeIn(db, userId)),

    /** Takes away all that a user has, for whoever has lost it. */
    reset: (tenant: TenantId, userId: UserId): Promise<void> =>
      storage.for(tenant).transaction(async (db) => {
        await passkeys.removeAllIn(db, userId)
        await authenticators.removeIn(db, userId)
        await recoveryCodes.removeIn(db, userId)
      }),
  }
}
export type Factors = ReturnType<typeof createFactors>

async function countIn(db: TenantDb, userId: UserId): Promise<UsableFactors> {
  const keys = await db.selectFrom('passkeys').select('id').where('user_id', '=', userId).execute()
  const app = await db.selectFrom('authenticators').select('user_id').where('user_id', '=', userId).executeTakeFirst()
  return { passkeys: keys.length, hasApp: app !== undefined }
}

/** Whether what is left is too little under the policy. */
function isNeeded({ passkeys, hasApp }: UsableFactors, { methods, secondFactor }: SignInPolicy): boolean {
  const isOnlyWay = methods.includes('passkey') && !methods.includes('password')
  if (isOnlyWay && passkeys === 0) return true
  return secondFactor === 'required' && passkeys === 0 && !hasApp
}
