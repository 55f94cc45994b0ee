import type { Clock } from '../base/clock.ts'
import type { TenantId } from '../base/ids.ts'
import type { Storage } from '../storage/database.ts'

/** The tenant of a gate that has only one. */
export const DEFAULT_TENANT = 'ten_default' as TenantId

export interface Tenant {
  readonly id: TenantId
  readonly name: string
  readonly createdAt: number
}

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
    async list(): Promise<Tenant[]> {
      const rows = await storage.system.selectFrom('tenants').selectAll().orderBy('created_at').orderBy('id').execute()
      return rows.map(({ id, name, created_at: createdAt }) => ({ id, name, createdAt }))
    },
  }
}
