import type { Clock } from '../base/clock.ts'
import type { TenantId } from '../base/ids.ts'
import type { Storage } from '../storage/database.ts'

/** The tenant of a gate that has only one. */
export const DEFAULT_TENANT = 'ten_default' as TenantId

export function createTenants({ storage, clock }: { storage: Storage; clock: Clock }) {
  return {
    /** Makes the default tenant where it is missing; harmless where several processes start at once. */
    async ensureDefault(): Promise<TenantId> {
      await storage.system
        .insertInto('tenants')
        .values({ id: DEFAULT_TENANT, name: 'Default', created_at: clock.now() })
        .onConflict((row) => row.doNothing())
        .execute()
      return DEFAULT_TENANT
    },
  }
}
