import type { Kysely } from 'kysely'
import type { TableWords } from '../migrations/migration.ts'
import type { Database } from '../schema.ts'

/** What the rest of the room needs of a dialect; nothing outside this folder knows a driver. */
export interface Engine {
  readonly dialect: 'sqlite' | 'postgres'
  readonly db: Kysely<Database>
  /** What of the tables' description differs. */
  readonly words: TableWords
  hasTable(name: string): Promise<boolean>
  /** Keeps a copy of the database as it is now, where the dialect can. */
  copyBefore(migration: string): Promise<void>
  /** Within a transaction: waits until no other process migrates this database, and keeps them out. */
  lock(transaction: Kysely<Database>): Promise<void>
  /** Whether a write failed because a row with its key is already there. */
  isConflict(error: unknown): boolean
}
