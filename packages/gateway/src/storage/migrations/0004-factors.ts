import { sql, type CreateTableBuilder } from 'kysely'
import type { Migration, MigrationDb } from './migration.ts'

/** Passkeys, authenticator apps, recovery codes, and since when a browser's user has proven themselves. */
export const factors: Migration = {
  name: '0004-factors',
  async up(db, { bytes }) {
    await createPasskeys(db, bytes)
    await createSecondFactors(db, bytes)
    await db.schema
      .createTable('spent_proofs')
      .addColumn('tenant_id', 'text', (tenant) => tenant.notNull().references('tenants.id').onDelete('cascade'))
      .addColumn('id', 'text', (id) => id.notNull())
      .addColumn('expires_at', 'bigint', (at) => at.notNull())
      .addPrimaryKeyConstraint('spent_proofs_pk', ['tenant_id', 'id'])
      .execute()
    await db.schema
      .alterTable('sessions')
      .addColumn('authenticated_at', 'bigint', (at) => at.notNull().defaultTo(0))
      .execute()
    await sql`update sessions set authenticated_at = created_at`.execute(db)
    // What calls write is left out: nobody looks for that by user, and it is most of the log.
    await sql`create index audit_of_people on audit (tenant_id, user_id, seq, at, kind)
      where kind not in ('tool.call', 'tool.denied', 'server.request')`.execute(db)
    await sql`create index audit_about_people on audit (tenant_id, kind, at, seq)
      where kind in ('login.failed', 'invitation.made', 'password.reset_made', 'factors.reset', 'user.role_changed')`.execute(
      db,
    )
  },
}

async function createPasskeys(db: MigrationDb, bytes: 'blob' | 'bytea'): Promise<void> {
  await db.schema
    .createTable('passkeys')
    .$call(ownedByUser('passkeys_user'))
    .addColumn('id', 'text', (id) => id.notNull())
    .addColumn('public_key', bytes, (key) => key.notNull())
    .addColumn('counter', 'bigint', (counter) => counter.notNull())
    .addColumn('transports', 'text', (transports) => transports.notNull())
    .addColumn('kept_in', 'text', (kept) => kept.notNull())
    .addColumn('name', 'text', (name) => name.notNull())
    .addColumn('created_at', 'bigint', (at) => at.notNull())
    .addColumn('used_at', 'bigint')
    .addPrimaryKeyConstraint('passkeys_pk', ['tenant_id', 'id'])
    .execute()
  await db.schema.createIndex('passkeys_of_user').on('passkeys').columns(['tenant_id', 'user_id']).execute()
}

async function createSecondFactors(db: MigrationDb, bytes: 'blob' | 'bytea'): Promise<void> {
  await db.schema
    .createTable('authenticators')
    .$call(ownedByUser('authenticators_user'))
    .addColumn('sealed', bytes, (sealed) => sealed.notNull())
    .addColumn('last_step', 'bigint', (step) => step.notNull())
    .addColumn('created_at', 'bigint', (at) => at.notNull())
    .addColumn('used_at', 'bigint')
    .addPrimaryKeyConstraint('authenticators_pk', ['tenant_id', 'user_id'])
    .execute()
  await db.schema
    .createTable('recovery_codes')
    .$call(ownedByUser('recovery_codes_user'))
    .addColumn('id', 'text', (id) => id.notNull())
    .addColumn('created_at', 'bigint', (at) => at.notNull())
    .addColumn('used_at', 'bigint')
    .addPrimaryKeyConstraint('recovery_codes_pk', ['tenant_id', 'user_id', 'id'])
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
