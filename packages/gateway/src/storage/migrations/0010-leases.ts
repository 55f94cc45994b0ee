import type { Migration } from './migration.ts'

/** Until when one process alone renews a connection. */
export const leases: Migration = {
  name: '0010-leases',
  async up(db) {
    await db.schema.alterTable('connections').addColumn('leased_until', 'bigint').execute()
  },
}
