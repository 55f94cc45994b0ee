import type { Migration } from './migration.ts'

/** Agents: users who are no person, and the client each of them comes as. */
export const agents: Migration = {
  name: '0006-agents',
  async up(db) {
    await db.schema
      .alterTable('users')
      .addColumn('kind', 'text', (kind) => kind.notNull().defaultTo('person'))
      .execute()
    await db.schema
      .createTable('agent_clients')
      .addColumn('tenant_id', 'text', (tenant) => tenant.notNull().references('tenants.id').onDelete('cascade'))
      .addColumn('user_id', 'text', (user) => user.notNull())
      .addColumn('client_id', 'text', (client) => client.notNull().unique())
      .addColumn('secret_hash', 'text')
      .addColumn('jwks', 'text')
      .addColumn('changed_at', 'bigint', (at) => at.notNull())
      .addPrimaryKeyConstraint('agent_clients_pk', ['tenant_id', 'user_id'])
      .addForeignKeyConstraint('agent_clients_user', ['tenant_id', 'user_id'], 'users', ['tenant_id', 'id'], (user) =>
        user.onDelete('cascade'),
      )
      .execute()
  },
}
