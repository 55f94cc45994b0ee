import type { Migration } from './migration.ts'

/** Whom people sign in with elsewhere, and which sessions began that way. */
export const federated: Migration = {
  name: '0005-federated',
  async up(db) {
    await db.schema
      .createTable('federated_identities')
      .addColumn('tenant_id', 'text', (tenant) => tenant.notNull())
      .addColumn('user_id', 'text', (user) => user.notNull())
      .addColumn('issuer', 'text', (issuer) => issuer.notNull())
      .addColumn('subject', 'text', (subject) => subject.notNull())
      .addColumn('provider', 'text', (provider) => provider.notNull())
      .addColumn('shown_as', 'text', (shown) => shown.notNull())
      .addColumn('made_user', 'integer', (made) => made.notNull())
      .addColumn('linked_at', 'bigint', (at) => at.notNull())
      .addColumn('used_at', 'bigint')
      .addPrimaryKeyConstraint('federated_identities_pk', ['tenant_id', 'issuer', 'subject'])
      .addForeignKeyConstraint(
        'federated_identities_user',
        ['tenant_id', 'user_id'],
        'users',
        ['tenant_id', 'id'],
        (reference) => reference.onDelete('cascade'),
      )
      .execute()
    await db.schema
      .createIndex('federated_identities_of_user')
      .on('federated_identities')
      .columns(['tenant_id', 'user_id'])
      .execute()
    for (const column of ['federated_issuer', 'federated_subject', 'federated_sid'])
      await db.schema.alterTable('sessions').addColumn(column, 'text').execute()
  },
}
