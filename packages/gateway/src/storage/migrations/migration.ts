import type { Kysely } from 'kysely'

/** Enough for `db.schema` and for `sql` templates. */
export type MigrationDb = Pick<Kysely<unknown>, 'schema' | 'getExecutor'>

/** What the dialects spell differently. */
export interface TableWords {
  /** The type of bytes. */
  readonly bytes: 'blob' | 'bytea'
  /** Ends the description of a table whose rows are only ever found by its key: one tree in place of two. */
  readonly keptByKey: '' | 'without rowid'
}

/**
 * One step of the tables' history. It only ever goes forward, runs in a transaction with the others that
 * are due, and is never edited once released. It uses no code of the house: that goes on changing, and
 * what a migration did must not.
 */
export interface Migration {
  readonly name: string
  up(db: MigrationDb, words: TableWords): Promise<void>
}
