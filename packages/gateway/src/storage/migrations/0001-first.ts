import { sql, type CreateTableBuilder } from 'kysely'
import type { Migration, MigrationDb, TableWords } from './migration.ts'

/** Tenants, users, keys, the vault, what is known of upstreams, and the audit log. */
export const first: Migration = {
  name: '0001-first',
  async up(db, { bytes, keptByKey }) {
    await createMeta(db)
    await createPeople(db)
    await createApiKeys(db)
    await createVault(db, bytes)
    await createUpstreams(db)
    await createAudit(db, keptByKey)
  },
}

async function createMeta(db: MigrationDb): Promise<void> {
  await db.schema
    .createTable('meta')
    .addColumn('key', 'text', (key) => key.primaryKey())
    .addColumn('value', 'text', (value) => value.notNull())
    .execute()
}

async function createPeople(db: MigrationDb): Promise<void> {
  await db.schema
    .createTable('tenants')
    .addColumn('id', 'text', (id) => id.primaryKey())
    .addColumn('name', 'text', (name) => name.notNull())
    .addColumn('created_at', 'bigint', (at) => at.notNull())
    .execute()
  await db.schema
    .createTable('users')
    .$call(ownedByTenant)
    .addColumn('id', 'text', (id) => id.notNull())
    .addColumn('name', 'text', (name) => name.notNull())
    .addColumn('role', 'text', (role) => role.notNull())
    .addColumn('created_at', 'bigint', (at) => at.notNull())
    .addPrimaryKeyConstraint('users_pk', ['tenant_id', 'id'])
    .addUniqueConstraint('users_name', ['tenant_id', 'name'])
    .execute()
}

async function createApiKeys(db: MigrationDb): Promise<void> {
  await db.schema
    .createTable('api_keys')
    .$call(ownedByTenant)
    .addColumn('id', 'text', (id) => id.notNull())
    .addColumn('user_id', 'text', (user) => user.notNull())
    .addColumn('name', 'text', (name) => name.notNull())
    .addColumn('hash', 'text', (hash) => hash.notNull().unique())
    .addColumn('prefix', 'text', (prefix) => prefix.notNull())
    .addColumn('scopes', 'text', (scopes) => scopes.notNull())
    .addColumn('created_at', 'bigint', (at) => at.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('revoked_at', 'bigint')
    .addColumn('last_used_at', 'bigint')
    .addPrimaryKeyConstraint('api_keys_pk', ['tenant_id', 'id'])
    .$call((table) => ofUser(table, 'api_keys_user'))
    .execute()
  await db.schema.createIndex('api_keys_of_user').on('api_keys').columns(['tenant_id', 'user_id']).execute()
}

async function createVault(db: MigrationDb, bytes: 'blob' | 'bytea'): Promise<void> {
  await db.schema
    .createTable('vault_keys')
    .$call(ownedByTenant)
    .addColumn('id', 'text', (id) => id.notNull())
    .addColumn('root_key_id', 'text', (root) => root.notNull())
    .addColumn('wrapped', bytes, (wrapped) => wrapped.notNull())
    .addColumn('created_at', 'bigint', (at) => at.notNull())
    .addPrimaryKeyConstraint('vault_keys_pk', ['tenant_id', 'id'])
    .execute()
  await db.schema
    .createTable('vault_records')
    .$call(ownedByTenant)
    .addColumn('user_id', 'text', (user) => user.notNull())
    .addColumn('provider', 'text', (provider) => provider.notNull())
    .addColumn('envelope', bytes, (envelope) => envelope.notNull())
    .addColumn('version', 'bigint', (version) => version.notNull())
    .addColumn('created_at', 'bigint', (at) => at.notNull())
    .addColumn('updated_at', 'bigint', (at) => at.notNull())
    .addColumn('last_used_at', 'bigint')
    .addPrimaryKeyConstraint('vault_records_pk', ['tenant_id', 'user_id', 'provider'])
    .$call((table) => ofUser(table, 'vault_records_user'))
    .execute()
}

async function createUpstreams(db: MigrationDb): Promise<void> {
  await db.schema
    .createTable('catalogs')
    .$call(ownedByTenant)
    .addColumn('user_id', 'text', (user) => user.notNull())
    .addColumn('upstream', 'text', (upstream) => upstream.notNull())
    .addColumn('definition', 'text', (definition) => definition.notNull())
    .addColumn('body', 'text', (body) => body.notNull())
    .addColumn('fetched_at', 'bigint', (at) => at.notNull())
    .addPrimaryKeyConstraint('catalogs_pk', ['tenant_id', 'user_id', 'upstream'])
    .execute()
}

/** Without a reference to the tenant or the user: what they did is kept when they are gone. */
async function createAudit(db: MigrationDb, keptByKey: TableWords['keptByKey']): Promise<void> {
  await db.schema
    .createTable('audit')
    .addColumn('tenant_id', 'text', (tenant) => tenant.notNull())
    .addColumn('seq', 'bigint', (seq) => seq.notNull())
    .addColumn('at', 'bigint', (at) => at.notNull())
    .addColumn('user_id', 'text')
    .addColumn('kind', 'text', (kind) => kind.notNull())
    .addColumn('entry', 'text', (entry) => entry.notNull())
    .addColumn('hash', 'text', (hash) => hash.notNull())
    .addPrimaryKeyConstraint('audit_pk', ['tenant_id', 'seq'])
    .modifyEnd(sql.raw(keptByKey))
    .execute()
}

function ownedByTenant(table: CreateTableBuilder<string>) {
  return table.addColumn('tenant_id', 'text', (tenant) => tenant.notNull().references('tenants.id').onDelete('cascade'))
}

/** The pair is referenced, not the id alone: a row cannot belong to a user of another tenant. */
function ofUser(table: CreateTableBuilder<string, 'tenant_id' | 'user_id'>, constraint: string) {
  return table.addForeignKeyConstraint(
    constraint,
    ['tenant_id', 'user_id'],
    'users',
    ['tenant_id', 'id'],
    (reference) => reference.onDelete('cascade'),
  )
}
