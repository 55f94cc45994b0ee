import { sql, type Kysely } from 'kysely'
import type { Clock } from '../base/clock.ts'
import { problem } from '../base/problem.ts'
import type { Engine } from './dialects/engine.ts'
import type { Migration } from './migrations/migration.ts'
import type { Database } from './schema.ts'

/**
 * Brings the tables up to date; where they are, nothing is written. All that is due runs in one
 * transaction, so that a kill at any moment leaves all of it or none, which Kysely's own migrator does
 * not promise on SQLite.
 *
 * @throws {Problem} `storage.newer` where a later version of Sekisho has been here.
 */
export async function migrate(engine: Engine, migrations: readonly Migration[], clock: Clock): Promise<void> {
  const applied = (await engine.hasTable('migrations')) ? await readApplied(engine.db) : []
  const [next] = findDue(migrations, applied)
  if (next === undefined) return
  if (applied.length > 0) await engine.copyBefore(next.name)
  await engine.db.transaction().execute(async (db) => {
    await engine.lock(db)
    await sql`create table if not exists migrations (name text primary key, applied_at bigint not null)`.execute(db)
    for (const migration of findDue(migrations, await readApplied(db))) {
      await migration.up(db, engine.words)
      await sql`insert into migrations (name, applied_at) values (${migration.name}, ${clock.now()})`.execute(db)
    }
  })
}

/**
 * That a database is one of a gate, of this version or one before; nothing is written.
 *
 * @throws {Problem} `storage.empty`, `storage.newer`
 */
export async function requireKnown(engine: Engine, migrations: readonly Migration[]): Promise<void> {
  if (!(await engine.hasTable('migrations'))) throw problem('storage.empty')
  findDue(migrations, await readApplied(engine.db))
}

async function readApplied(db: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from migrations order by name`.execute(db)
  return rows.map(({ name }) => name)
}

function findDue(migrations: readonly Migration[], applied: readonly string[]): Migration[] {
  const known = new Set(migrations.map(({ name }) => name))
  const unknown = applied.find((name) => !known.has(name))
  if (unknown !== undefined) throw problem('storage.newer', { migration: unknown })
  return migrations.filter(({ name }) => !applied.includes(name))
}
