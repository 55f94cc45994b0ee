import type { Clock } from '../base/clock.ts'
import { digest } from '../base/digest.ts'
import type { TenantId } from '../base/ids.ts'
import type { Storage } from '../storage/database.ts'
import type { TenantDb } from '../storage/tenant.ts'

export interface SpentNeeds {
  readonly storage: Pick<Storage, 'for'>
  readonly clock: Clock
}

/**
 * Remembers what is good for one use only, for as long as it would be good: of several who use it at once, in
 * whichever process, one does. What was never used costs no row.
 */
export function createSpent({ storage, clock }: SpentNeeds) {
  /** Answers whether this was the first use, in the transaction of what it was used for. */
  async function spendIn(db: TenantDb, proof: string, expiresAt: number): Promise<boolean> {
    await db.deleteFrom('spent_proofs').where('expires_at', '<=', clock.now()).execute()
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('spent_proofs', { id: digest(proof), expires_at: expiresAt })
      .onConflict((known) => known.columns(['tenant_id', 'id']).doNothing())
      .executeTakeFirstOrThrow()
    return numInsertedOrUpdatedRows === 1n
  }

  return {
    spendIn,
    /** Answers whether this was the first use. */
    spend: (tenant: TenantId, proof: string, expiresAt: number): Promise<boolean> =>
      storage.for(tenant).transaction((db) => spendIn(db, proof, expiresAt)),
  }
}
export type Spent = ReturnType<typeof createSpent>
