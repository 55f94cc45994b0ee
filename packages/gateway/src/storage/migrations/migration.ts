import type { Kysely } from 'kysely'

/** Enough for `db.schema` and for `sql` templates. */
export type MigrationDb = Pick<Kysely<unknown>, 'schema' | 'getExecutor'>

/**
 * One step of the tables' history. It only ever goes forward, runs in a transaction with the others that
 * are due, and is never edited once released. It uses no code of the house: that goes on changing, and
 * what a migration did must not.
 */
export interface Migration {
  readonly name: string
  up(db: MigrationDb, bytes: 'blob' | 'bytea'): Promise<void>
}
