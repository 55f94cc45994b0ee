import type {
  DeleteQueryBuilder,
  DeleteResult,
  Insertable,
  InsertQueryBuilder,
  InsertResult,
  Kysely,
  SelectQueryBuilder,
  UpdateQueryBuilder,
  UpdateResult,
} from 'kysely'
import type { TenantId } from '../base/ids.ts'
import type { Database, TenantTable } from './schema.ts'

/** Not exported: only this file can make a {@link TenantDb}. */
const wall: unique symbol = Symbol('tenant wall')

/** Only the table asked for can be named in a query, so that no join leads around the wall. */
type Only<T extends TenantTable> = Pick<Database, T>

/** A row without its tenant, which the wall puts in. */
export type Row<T extends TenantTable> = Omit<Insertable<Database[T]>, 'tenant_id'>

/**
 * The database as one tenant may see it. Every query carries the tenant's condition from the start, so a
 * query across tenants cannot be written by leaving something out.
 */
export interface TenantDb {
  readonly [wall]: true
  readonly tenant: TenantId
  selectFrom<T extends TenantTable>(table: T): SelectQueryBuilder<Only<T>, T, {}>
  insertInto<T extends TenantTable>(
    table: T,
    rows: Row<T> | readonly Row<T>[],
  ): InsertQueryBuilder<Only<T>, T, InsertResult>
  updateTable<T extends TenantTable>(table: T): UpdateQueryBuilder<Only<T>, T, T, UpdateResult>
  deleteFrom<T extends TenantTable>(table: T): DeleteQueryBuilder<Only<T>, T, DeleteResult>
  /**
   * Runs the work in a transaction, rolled back where it throws. The work uses only the database it is
   * given, and awaits nothing else: embedded, everybody waits for it.
   */
  transaction<R>(work: (db: TenantDb) => Promise<R>): Promise<R>
  /** A transaction that waits for the other `exclusively` of its tenant, in whichever process. */
  exclusively<R>(work: (db: TenantDb) => Promise<R>): Promise<R>
}

export function createTenantDb(db: Kysely<Database>, tenant: TenantId): TenantDb {
  return {
    [wall]: true,
    tenant,
    ...createQueries(db, tenant),
    transaction: (work) => db.transaction().execute((inner) => work(createTenantDb(inner, tenant))),
    exclusively: (work) =>
      db.transaction().execute(async (inner) => {
        await lockTenant(inner, tenant)
        return work(createTenantDb(inner, tenant))
      }),
  }
}

type Queries = Pick<TenantDb, 'selectFrom' | 'insertInto' | 'updateTable' | 'deleteFrom'>

/**
 * Written as if there were one table, since what Kysely answers can be worked out for a known one only;
 * all that is used of it is the column which every table behind the wall has. Hence the cast.
 */
function createQueries(db: Kysely<Database>, tenant: TenantId): Queries {
  const queries = {
    selectFrom: (table: 'users') => db.selectFrom(table).where('tenant_id', '=', tenant),
    insertInto: (table: 'users', rows: Row<'users'> | readonly Row<'users'>[]) =>
      db.insertInto(table).values([rows].flat().map((row) => ({ ...row, tenant_id: tenant }))),
    updateTable: (table: 'users') => db.updateTable(table).where('tenant_id', '=', tenant),
    deleteFrom: (table: 'users') => db.deleteFrom(table).where('tenant_id', '=', tenant),
  }
  return queries as unknown as Queries
}

/** A write that changes nothing: the row stays locked until the transaction ends, on either dialect. */
async function lockTenant(db: Kysely<Database>, tenant: TenantId): Promise<void> {
  await db
    .updateTable('tenants')
    .set((tenants) => ({ name: tenants.ref('name') }))
    .where('id', '=', tenant)
    .execute()
}
