import type { Kysely } from 'kysely'
import type { Clock } from '../base/clock.ts'
import type { TenantId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { Secret } from '../base/secret.ts'
import type { Engine } from './dialects/engine.ts'
import { migrate, requireKnown } from './migrate.ts'
import { migrations } from './migrations/all.ts'
import type { Database } from './schema.ts'
import { createTenantDb, type TenantDb } from './tenant.ts'

/** The whole database, for the few queries across tenants: a key by its hash, the tenants, audit groups. */
export type SystemDb = Kysely<Database>

export interface Storage {
  readonly dialect: 'sqlite' | 'postgres'
  for(tenant: TenantId): TenantDb
  readonly system: SystemDb
  /** Whether a write failed because a row with its key is already there. */
  isConflict(error: unknown): boolean
  /** Waits for the queries under way and lets go of the database. */
  close(): Promise<void>
}

export interface StorageNeeds {
  /** Where the embedded database is; not used with a `databaseUrl`. */
  readonly dataDir: string
  /** A PostgreSQL connection string; without it the database is embedded. */
  readonly databaseUrl?: Secret | undefined
  /** The PostgreSQL schema that holds the tables, made where it is missing. */
  readonly schema?: string | undefined
  readonly clock: Clock
  readonly log: Log
  /** Opens what is there as it is, and makes and changes no tables. */
  readonly asItIs?: boolean
}

/**
 * Opens the database, made and brought up to date where needed, unless it is to be opened as it is.
 *
 * @throws {Problem} `storage.in_use`, `storage.newer`, `storage.unreachable`, `storage.unusable`; `storage.empty` as it is
 */
export async function openStorage(needs: StorageNeeds): Promise<Storage> {
  const engine = await openEngine(needs)
  try {
    await (needs.asItIs === true ? requireKnown(engine, migrations) : migrate(engine, migrations, needs.clock))
  } catch (error) {
    await engine.db.destroy()
    throw error
  }
  return {
    dialect: engine.dialect,
    for: (tenant) => createTenantDb(engine.db, tenant),
    system: engine.db,
    isConflict: engine.isConflict,
    close: () => engine.db.destroy(),
  }
}

/** A driver is loaded only where it is used: neither is small. */
async function openEngine({ dataDir, databaseUrl, schema, log }: StorageNeeds): Promise<Engine> {
  if (databaseUrl === undefined) {
    const { openSqlite } = await import('./dialects/sqlite.ts')
    return openSqlite(dataDir)
  }
  const { openPostgres } = await import('./dialects/postgres.ts')
  return openPostgres({ databaseUrl, schema, log })
}
