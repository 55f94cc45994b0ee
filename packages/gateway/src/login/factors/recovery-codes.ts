import type { Clock } from '../../base/clock.ts'
import { digest } from '../../base/digest.ts'
import type { Random, TenantId, UserId } from '../../base/ids.ts'
import { secret, type Secret } from '../../base/secret.ts'
import type { Storage } from '../../storage/database.ts'
import type { TenantDb } from '../../storage/tenant.ts'

export interface RecoveryCodesNeeds {
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
}

const MANY = 10
/** Of 5 bits each: 80 bits, which nobody guesses, not even with the hashes at hand. */
const LETTERS = 16
/** Crockford's base 32, which knows neither I, L, O nor U. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** Codes to keep on paper, for whoever has lost their other second factors. Of each only a hash is kept. */
export function createRecoveryCodes({ storage, clock, random }: RecoveryCodesNeeds) {
  return {
    /** Makes new ones in place of those of before, in a transaction: the only time that they are seen. */
    async makeIn(db: TenantDb, userId: UserId): Promise<Secret[]> {
      const codes = Array.from({ length: MANY }, () => lettersOf(random(LETTERS)))
      const now = clock.now()
      await db.deleteFrom('recovery_codes').where('user_id', '=', userId).execute()
      const rows = codes.map((code) => ({ user_id: userId, id: idOf(userId, code), created_at: now, used_at: null }))
      await db.insertInto('recovery_codes', rows).execute()
      return codes.map((code) => secret(code.replace(/(.{4})(?=.)/g, '$1-')))
    },

    /** How many were not used yet. */
    async left(tenant: TenantId, userId: UserId): Promise<number> {
      const codes = storage.for(tenant).selectFrom('recovery_codes').select('id').where('user_id', '=', userId)
      return (await codes.where('used_at', 'is', null).execute()).length
    },

    /** Whether any were made, used or not. */
    async hasAny(db: TenantDb, userId: UserId): Promise<boolean> {
      const codes = db.selectFrom('recovery_codes').select('id').where('user_id', '=', userId)
      return (await codes.limit(1).executeTakeFirst()) !== undefined
    },

    /** Uses a code up, however it is spelt; answers whether it was good. */
    async take(tenant: TenantId, userId: UserId, text: string): Promise<boolean> {
      const { numUpdatedRows } = await storage
        .for(tenant)
        .updateTable('recovery_codes')
        .set({ used_at: clock.now() })
        .where('user_id', '=', userId)
        .where('id', '=', idOf(userId, normalize(text)))
        .where('used_at', 'is', null)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },

    async removeIn(db: TenantDb, userId: UserId): Promise<void> {
      await db.deleteFrom('recovery_codes').where('user_id', '=', userId).execute()
    },
  }
}
export type RecoveryCodes = ReturnType<typeof createRecoveryCodes>

/** The letters that are left out are read as what they look like. */
function normalize(text: string): string {
  return text.toLowerCase().replace(/[\s-]/g, '').replaceAll('o', '0').replace(/[il]/g, '1')
}

function idOf(userId: UserId, code: string): string {
  return digest(`${userId} ${code}`)
}

function lettersOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => ALPHABET.charAt(byte & 31)).join('')
}
