import type { Clock } from '../base/clock.ts'
import { DEFAULT_TENANT_NAME, type TenantId } from '../base/ids.ts'
import type { Storage } from '../storage/database.ts'

/** The tenant there always is, and the only one of most gates. */
export const DEFAULT_TENANT = tenantCalled(DEFAULT_TENANT_NAME)

/** The tenant that the configuration knows by a name. */
export function tenantCalled(name: string): TenantId {
  return `ten_${name}` as TenantId
}

export function createTenants({ storage, clock }: { storage: Storage; clock: Clock }) {
  /** Harmless where the tenant is there, and where several processes start at once. */
  async function ensure(name: string): Promise<TenantId> {
    const id = tenantCalled(name)
    const shown = name === DEFAULT_TENANT_NAME ? 'Default' : name
    await storage.system
      .insertInto('tenants')
      .values({ id, name: shown, created_at: clock.now() })
      .onConflict((row) => row.doNothing())
      .execute()
    return id
  }

  return {
    /** Makes a tenant where it is missing. */
    ensure,
    /** The tenants there are, whoever named them. */
    async list(): Promise<readonly TenantId[]> {
      const rows = await storage.system.selectFrom('tenants').select('id').orderBy('id').execute()
      return rows.map(({ id }) => id)
    },
  }
}

/** The tenants that can be named where people sign in, and by the operator. */
export interface NamedTenants {
  /** All of them, the default one first. */
  readonly all: readonly TenantId[]
  find(name: string): TenantId | undefined
  /** What its people write where they sign in: their name, in all but the default tenant with its name before it. */
  qualify(tenant: TenantId, userName: string): string
  /** Reads what somebody wrote there. What names no tenant is a name in the default one, of nobody if there is a `/` in it. */
  parse(text: string): { readonly tenant: TenantId; readonly name: string }
}

/** Between a tenant's name and a user's. No name of a user has it. */
const SEPARATOR = '/'

export function nameTenants(names: readonly string[]): NamedTenants {
  const known = new Map([DEFAULT_TENANT_NAME, ...names].map((name) => [name, tenantCalled(name)]))
  const nameOf = new Map([...known].map(([name, id]) => [id, name]))
  return {
    all: [...known.values()],
    find: (name) => known.get(name),
    qualify(tenant, userName) {
      const name = tenant === DEFAULT_TENANT ? undefined : nameOf.get(tenant)
      return name === undefined ? userName : `${name}${SEPARATOR}${userName}`
    },
    parse(text) {
      const at = text.indexOf(SEPARATOR)
      const tenant = at === -1 ? undefined : known.get(text.slice(0, at))
      return tenant === undefined ? { tenant: DEFAULT_TENANT, name: text } : { tenant, name: text.slice(at + 1) }
    },
  }
}
