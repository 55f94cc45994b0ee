import type { Migration } from './migration.ts'

/** From which network a client was last used, so that another one is noticed. */
export const places: Migration = {
  name: '0007-places',
  async up(db) {
    await db.schema.alterTable('consents').addColumn('place', 'text').execute()
  },
}
