import type { CreateTableBuilder } from 'kysely'
import type { Migration } from './migration.ts'

/** Sessions of MCP clients, sessions at upstreams, and lists of more than tools. */
export const protocol: Migration = {
  name: '0003-protocol',
  async up(db, { bytes }) {
    await db.schema
      .createTable('mcp_sessions')
      .$call(ownedByUser('mcp_sessions_user'))
      .addColumn('id', 'text', (id) => id.notNull())
      .addColumn('log_level', 'text')
      .addColumn('resources', 'text', (resources) => resources.notNull())
      .addColumn('changed_at', 'bigint', (at) => at.notNull())
      .addColumn('ended_at', 'bigint')
      .addPrimaryKeyConstraint('mcp_sessions_pk', ['tenant_id', 'id'])
      .execute()
    await db.schema.createIndex('mcp_sessions_changed').on('mcp_sessions').column('changed_at').execute()
    await db.schema
      .createTable('upstream_sessions')
      .$call(ownedByUser('upstream_sessions_user'))
      .addColumn('upstream', 'text', (upstream) => upstream.notNull())
      .addColumn('client', 'text', (client) => client.notNull())
      .addColumn('session', 'text')
      .addColumn('sealed', bytes, (sealed) => sealed.notNull())
      .addColumn('opened_at', 'bigint', (at) => at.notNull())
      .addColumn('used_at', 'bigint', (at) => at.notNull())
      .addPrimaryKeyConstraint('upstream_sessions_pk', ['tenant_id', 'user_id', 'upstream', 'client'])
      .execute()
    await db.schema.createIndex('upstream_sessions_used').on('upstream_sessions').column('used_at').execute()
    // What was last known is asked for again; nobody has typed any of it.
    await db.schema.dropTable('catalogs').execute()
    await db.schema
      .createTable('catalogs')
      .addColumn('tenant_id', 'text', (tenant) => tenant.notNull().references('tenants.id').onDelete('cascade'))
      .addColumn('user_id', 'text', (user) => user.notNull())
      .addColumn('upstream', 'text', (upstream) => upstream.notNull())
      .addColumn('kind', 'text', (kind) => kind.notNull())
      .addColumn('client', 'text', (client) => client.notNull())
      .addColumn('definition', 'text', (definition) => definition.notNull())
      .addColumn('body', 'text', (body) => body.notNull())
      .addColumn('fetched_at', 'bigint', (at) => at.notNull())
      .addPrimaryKeyConstraint('catalogs_pk', ['tenant_id', 'user_id', 'upstream', 'kind', 'client'])
      .execute()
  },
}

function ownedByUser(name: string) {
  return <T extends string>(table: CreateTableBuilder<T>) =>
    table
      .addColumn('tenant_id', 'text', (tenant) => tenant.notNull())
      .addColumn('user_id', 'text', (user) => user.notNull())
      .addForeignKeyConstraint(name, ['tenant_id', 'user_id'], 'users', ['tenant_id', 'id'], (reference) =>
        reference.onDelete('cascade'),
      )
}
