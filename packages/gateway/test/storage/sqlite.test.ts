import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Driver from 'better-sqlite3'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { openStorage } from '../../src/storage/database.ts'
import { openSqlite } from '../../src/storage/dialects/sqlite.ts'
import { migrate } from '../../src/storage/migrate.ts'
import { migrations } from '../../src/storage/migrations/all.ts'
import type { Migration } from '../../src/storage/migrations/migration.ts'
import { createTestClock, newDirectory, quiet } from '../stores/databases.ts'

const clock = createTestClock()
const open = (dataDir: string) => openStorage({ dataDir, clock, log: quiet })

const next: Migration = {
  name: '0002-next',
  async up(db) {
    await db.schema.createTable('added').addColumn('id', 'text').execute()
  },
}
const failing: Migration = {
  name: '0003-failing',
  async up(db) {
    await db.schema.createTable('half_done').addColumn('id', 'text').execute()
    throw new Error('a migration that fails')
  },
}

test('the data directory and the database are for their owner only', async () => {
  const dataDir = join(newDirectory().dataDir, 'made', 'here')
  const storage = await open(dataDir)
  expect(statSync(dataDir).mode & 0o777).toBe(0o700)
  for (const file of readdirSync(dataDir))
    expect([file, statSync(join(dataDir, file)).mode & 0o777]).toEqual([file, 0o600])
  await storage.close()
})

test('a second gate on the same file is refused, and let in when the first has ended', async () => {
  const { dataDir } = newDirectory()
  const first = await open(dataDir)
  const file = join(dataDir, 'sekisho.db')
  await expect(open(dataDir)).rejects.toMatchObject({ code: 'storage.in_use', details: { file } })
  await first.close()
  await (await open(dataDir)).close()
})

test('the file is free again when the gate that held it was killed', async () => {
  const { dataDir } = newDirectory()
  const holder = spawn(process.execPath, [join(import.meta.dirname, 'hold.ts'), dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  await expect(open(dataDir)).rejects.toMatchObject({ code: 'storage.in_use' })
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  await (await open(dataDir)).close()
})

test('the database is copied, privately, before a migration changes it', async () => {
  const { dataDir } = newDirectory()
  const copy = join(dataDir, 'sekisho.db.before-0002-next')
  await (await open(dataDir)).close()
  const engine = await openSqlite(dataDir)
  await migrate(engine, [...migrations, next], clock)
  expect(await engine.hasTable('added')).toBe(true)
  await engine.db.destroy()
  expect(statSync(copy).mode & 0o777).toBe(0o600)
  expect(tablesOf(copy)).toContain('users')
  expect(tablesOf(copy)).not.toContain('added')
})

test('a new database is not copied, nor one that is up to date', async () => {
  const { dataDir } = newDirectory()
  await (await open(dataDir)).close()
  await (await open(dataDir)).close()
  expect(readdirSync(dataDir)).toEqual(['sekisho.db'])
})

test('a migration that fails takes back those that ran with it, and can be tried again', async () => {
  const { dataDir } = newDirectory()
  await (await open(dataDir)).close()
  const engine = await openSqlite(dataDir)
  await expect(migrate(engine, [...migrations, next, failing], clock)).rejects.toThrow('a migration that fails')
  expect(await engine.hasTable('added')).toBe(false)
  expect(await engine.hasTable('half_done')).toBe(false)
  await migrate(engine, [...migrations, next], clock)
  expect(await engine.hasTable('added')).toBe(true)
  await engine.db.destroy()
})

test('a browser that was signed in before counts as proven when it signed in', async () => {
  const { dataDir } = newDirectory()
  const engine = await openSqlite(dataDir)
  const before = migrations.filter(({ name }) => name < '0004')
  await migrate(engine, before, clock)
  await sql`insert into tenants (id, name, created_at) values ('t', 't', 0)`.execute(engine.db)
  await sql`insert into users (tenant_id, id, name, role, created_at) values ('t', 'u', 'ada', 'owner', 0)`.execute(
    engine.db,
  )
  await sql`insert into sessions (tenant_id, user_id, id, browser, address, amr, created_at, seen_at, expires_at)
    values ('t', 'u', 's', '', '', 'pwd', 1234, 5678, 9999)`.execute(engine.db)
  await migrate(engine, migrations, clock)
  const sessions = await engine.db.selectFrom('sessions').select(['created_at', 'authenticated_at']).execute()
  expect(sessions).toEqual([{ created_at: 1234, authenticated_at: 1234 }])
  await engine.db.destroy()
})

function tablesOf(file: string): unknown[] {
  const database = new Driver(file, { readonly: true })
  const names = database.prepare("select name from sqlite_master where type = 'table'").pluck().all()
  database.close()
  return names
}
