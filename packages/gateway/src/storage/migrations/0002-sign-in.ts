import type { CreateTableBuilder } from 'kysely'
import type { Migration, MigrationDb } from './migration.ts'

/** How people sign in, the authorization server, and the accounts users connect. */
export const signIn: Migration = {
  name: '0002-sign-in',
  async up(db, { bytes }) {
    await createLogin(db)
    await createAuthserver(db, bytes)
    await createConnections(db, bytes)
  },
}

async function createLogin(db: MigrationDb): Promise<void> {
  await db.schema
    .createTable('passwords')
    .$call(ownedByUser('passwords_user'))
    .addColumn('hash', 'text', (hash) => hash.notNull())
    .addColumn('changed_at', 'bigint', (at) => at.notNull())
    .addPrimaryKeyConstraint('passwords_pk', ['tenant_id', 'user_id'])
    .execute()
  await db.schema
    .createTable('sessions')
    .$call(ownedByUser('sessions_user'))
    .addColumn('id', 'text', (id) => id.notNull().unique())
    .addColumn('browser', 'text', (browser) => browser.notNull())
    .addColumn('address', 'text', (address) => address.notNull())
    .addColumn('amr', 'text', (amr) => amr.notNull())
    .addColumn('created_at', 'bigint', (at) => at.notNull())
    .addColumn('seen_at', 'bigint', (at) => at.notNull())
    .addColumn('expires_at', 'bigint', (at) => at.notNull())
    .addPrimaryKeyConstraint('sessions_pk', ['tenant_id', 'id'])
    .execute()
  await db.schema.createIndex('sessions_of_user').on('sessions').columns(['tenant_id', 'user_id']).execute()
  await db.schema
    .createTable('invitations')
    .$call(ownedByUser('invitations_user'))
    .addColumn('id', 'text', (id) => id.notNull().unique())
    .addColumn('created_at', 'bigint', (at) => at.notNull())
    .addColumn('expires_at', 'bigint', (at) => at.notNull())
    .addColumn('used_at', 'bigint')
    .addPrimaryKeyConstraint('invitations_pk', ['tenant_id', 'id'])
    .execute()
}

async function createAuthserver(db: MigrationDb, bytes: 'blob' | 'bytea'): Promise<void> {
  await db.schema
    .createTable('oauth_records')
    .addColumn('model', 'text', (model) => model.notNull())
    .addColumn('id', 'text', (id) => id.notNull())
    .addColumn('tenant_id', 'text', (tenant) => tenant.references('tenants.id').onDelete('cascade'))
    .addColumn('user_id', 'text')
    .addColumn('client_id', 'text')
    .addColumn('grant_id', 'text')
    .addColumn('uid', 'text')
    .addColumn('payload', 'text', (payload) => payload.notNull())
    .addColumn('sealed', bytes)
    .addColumn('parent', 'text')
    .addColumn('consumed_at', 'bigint')
    .addColumn('successor_used_at', 'bigint')
    .addColumn('created_at', 'bigint', (at) => at.notNull())
    .addColumn('expires_at', 'bigint')
    .addPrimaryKeyConstraint('oauth_records_pk', ['model', 'id'])
    .addForeignKeyConstraint(
      'oauth_records_user',
      ['tenant_id', 'user_id'],
      'users',
      ['tenant_id', 'id'],
      (reference) => reference.onDelete('cascade'),
    )
    .execute()
  for (const column of ['grant_id', 'uid', 'expires_at']) {
    await db.schema.createIndex(`oauth_records_${column}`).on('oauth_records').column(column).execute()
  }
  await db.schema
    .createIndex('oauth_records_of_user')
    .on('oauth_records')
    .columns(['tenant_id', 'user_id', 'client_id'])
    .execute()
  await db.schema
    .createTable('consents')
    .$call(ownedByUser('consents_user'))
    .addColumn('client_id', 'text', (client) => client.notNull())
    .addColumn('client_name', 'text', (name) => name.notNull())
    .addColumn('redirect_host', 'text', (host) => host.notNull())
    .addColumn('grant_id', 'text', (grant) => grant.notNull())
    .addColumn('scopes', 'text', (scopes) => scopes.notNull())
    .addColumn('resources', 'text', (resources) => resources.notNull())
    .addColumn('granted_at', 'bigint', (at) => at.notNull())
    .addColumn('used_at', 'bigint')
    .addPrimaryKeyConstraint('consents_pk', ['tenant_id', 'user_id', 'client_id'])
    .execute()
  await db.schema
    .createTable('signing_keys')
    .addColumn('id', 'text', (id) => id.primaryKey())
    .addColumn('sealed', bytes, (sealed) => sealed.notNull())
    .addColumn('created_at', 'bigint', (at) => at.notNull())
    .addColumn('retires_at', 'bigint')
    .execute()
}

async function createConnections(db: MigrationDb, bytes: 'blob' | 'bytea'): Promise<void> {
  await db.schema
    .createTable('connections')
    .$call(ownedByUser('connections_user'))
    .addColumn('provider', 'text', (provider) => provider.notNull())
    .addColumn('status', 'text', (status) => status.notNull())
    .addColumn('account', 'text')
    .addColumn('scopes', 'text', (scopes) => scopes.notNull())
    .addColumn('issuer', 'text')
    .addColumn('client_id', 'text', (client) => client.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('connected_at', 'bigint', (at) => at.notNull())
    .addColumn('refreshed_at', 'bigint')
    .addColumn('failure', 'text')
    .addColumn('failed_at', 'bigint')
    .addColumn('version', 'bigint', (version) => version.notNull())
    .addPrimaryKeyConstraint('connections_pk', ['tenant_id', 'user_id', 'provider'])
    .execute()
  await db.schema
    .createTable('connect_flows')
    .$call(ownedByUser('connect_flows_user'))
    .addColumn('id', 'text', (id) => id.notNull().unique())
    .addColumn('session_id', 'text', (session) => session.notNull())
    .addColumn('provider', 'text', (provider) => provider.notNull())
    .addColumn('sealed', bytes, (sealed) => sealed.notNull())
    .addColumn('created_at', 'bigint', (at) => at.notNull())
    .addColumn('expires_at', 'bigint', (at) => at.notNull())
    .addColumn('used_at', 'bigint')
    .addPrimaryKeyConstraint('connect_flows_pk', ['tenant_id', 'id'])
    .execute()
  await db.schema
    .createTable('upstream_clients')
    .addColumn('tenant_id', 'text', (tenant) => tenant.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('issuer', 'text', (issuer) => issuer.notNull())
    .addColumn('client_id', 'text', (client) => client.notNull())
    .addColumn('sealed', bytes)
    .addColumn('created_at', 'bigint', (at) => at.notNull())
    .addColumn('expires_at', 'bigint')
    .addPrimaryKeyConstraint('upstream_clients_pk', ['tenant_id', 'issuer'])
    .execute()
}

/** The pair is referenced, not the id alone: a row cannot belong to a user of another tenant. */
function ownedByUser(constraint: string) {
  return (table: CreateTableBuilder<string>) =>
    table
      .addColumn('tenant_id', 'text', (tenant) => tenant.notNull().references('tenants.id').onDelete('cascade'))
      .addColumn('user_id', 'text', (user) => user.notNull())
      .addForeignKeyConstraint(constraint, ['tenant_id', 'user_id'], 'users', ['tenant_id', 'id'], (reference) =>
        reference.onDelete('cascade'),
      )
}
