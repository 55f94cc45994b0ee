import type { Migration } from './migration.ts'

/** What the servers of our own keep for users. Keys are bytes: so they sort the same on every database. */
export const builtinDocuments: Migration = {
  name: '0008-builtin-documents',
  async up(db, { bytes }) {
    await db.schema
      .createTable('builtin_documents')
      .addColumn('tenant_id', 'text', (tenant) => tenant.notNull())
      .addColumn('user_id', 'text', (user) => user.notNull())
      .addColumn('upstream', 'text', (upstream) => upstream.notNull())
      .addColumn('account', 'text', (account) => account.notNull())
      .addColumn('collection', 'text', (collection) => collection.notNull())
      .addColumn('key', bytes, (key) => key.notNull())
      .addColumn('value', 'text', (value) => value.notNull())
      .addColumn('version', 'bigint', (version) => version.notNull())
      .addColumn('written_at', 'bigint', (at) => at.notNull())
      .addPrimaryKeyConstraint('builtin_documents_pk', [
        'tenant_id',
        'user_id',
        'upstream',
        'account',
        'collection',
        'key',
      ])
      .addForeignKeyConstraint(
        'builtin_documents_user',
        ['tenant_id', 'user_id'],
        'users',
        ['tenant_id', 'id'],
        (user) => user.onDelete('cascade'),
      )
      .execute()
    await db.schema.createIndex('builtin_documents_written_at').on('builtin_documents').column('written_at').execute()
  },
}
