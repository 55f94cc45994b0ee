import type { Migration } from './migration.ts'

/** The servers at which a user lets nothing be changed. */
export const readOnly: Migration = {
  name: '0009-read-only',
  async up(db) {
    await db.schema.alterTable('users').addColumn('read_only', 'text').execute()
  },
}
