import type { ColumnType } from 'kysely'
import type { TenantId, UserId } from '../base/ids.ts'

/**
 * The tables as the stores see them, the same on every dialect: ids and enums are text, times are
 * milliseconds since the epoch, JSON is text that the store parses, bytes are a Buffer.
 */
export interface Database {
  readonly meta: MetaTable
  readonly tenants: TenantsTable
  readonly users: UsersTable
  readonly api_keys: ApiKeysTable
  readonly vault_keys: VaultKeysTable
  readonly vault_records: VaultRecordsTable
  readonly catalogs: CatalogsTable
  readonly audit: AuditTable
}

/** The tables behind the tenant wall: those with a `tenant_id`. */
export type TenantTable = Exclude<keyof Database, 'meta' | 'tenants'>

/** Written once, with the row. */
type Fixed<T> = ColumnType<T, T, never>

interface Owned {
  readonly tenant_id: Fixed<TenantId>
}

/** Facts about the database itself, such as which root key it belongs to. */
export interface MetaTable {
  readonly key: Fixed<string>
  readonly value: string
}

export interface TenantsTable {
  readonly id: Fixed<TenantId>
  readonly name: string
  readonly created_at: Fixed<number>
}

export interface UsersTable extends Owned {
  readonly id: Fixed<UserId>
  /** Unique within the tenant. */
  readonly name: string
  readonly role: 'owner' | 'admin' | 'member'
  readonly created_at: Fixed<number>
}

export interface ApiKeysTable extends Owned {
  readonly id: Fixed<string>
  readonly user_id: Fixed<UserId>
  readonly name: string
  /** SHA-256 of the key, base64url; the key itself is nowhere. */
  readonly hash: Fixed<string>
  /** The first characters of the key, to tell keys apart by. */
  readonly prefix: Fixed<string>
  /** A JSON array of strings. */
  readonly scopes: Fixed<string>
  readonly created_at: Fixed<number>
  readonly expires_at: number | null
  readonly revoked_at: number | null
  readonly last_used_at: number | null
}

/** The keys that seal a tenant's credentials, each wrapped by a root key. */
export interface VaultKeysTable extends Owned {
  readonly id: Fixed<string>
  readonly root_key_id: string
  readonly wrapped: Buffer
  readonly created_at: Fixed<number>
}

export interface VaultRecordsTable extends Owned {
  readonly user_id: Fixed<UserId>
  readonly provider: Fixed<string>
  readonly envelope: Buffer
  readonly version: number
  readonly created_at: Fixed<number>
  readonly updated_at: number
  readonly last_used_at: number | null
}

/** The last known list of tools of an upstream; `user_id` is empty where all users share one. */
export interface CatalogsTable extends Owned {
  readonly user_id: Fixed<UserId | ''>
  readonly upstream: Fixed<string>
  /** Tells whether the upstream is still configured as it was when the list was read. */
  readonly definition: string
  readonly body: string
  readonly fetched_at: number
}

/** Append only: each row's hash covers the one before it. */
export interface AuditTable extends Owned {
  readonly seq: Fixed<number>
  readonly at: Fixed<number>
  readonly user_id: Fixed<UserId | null>
  readonly kind: Fixed<string>
  /** What is hashed: the whole entry as JSON. */
  readonly entry: Fixed<string>
  readonly hash: Fixed<string>
}
