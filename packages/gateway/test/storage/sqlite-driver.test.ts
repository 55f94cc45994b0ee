import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { TenantId } from '../../src/base/ids.ts'
import { openSqlite } from '../../src/storage/dialects/sqlite.ts'
import { openDriver, openNodeSqlite } from '../../src/storage/dialects/sqlite-driver.ts'
import { migrate } from '../../src/storage/migrate.ts'
import { migrations } from '../../src/storage/migrations/all.ts'
import { createTestClock, newDirectory, other, ten } from '../stores/databases.ts'

const clock = createTestClock()
const drivers = { 'better-sqlite3': openDriver, 'Node’s own': openNodeSqlite }

/** A wrapped key of a tenant: a row with text, bytes and a large number in it. */
function keyRow(tenant: TenantId = ten) {
  const wrapped = randomBytes(60)
  return { id: 'key', tenant_id: tenant, root_key_id: 'root', wrapped, created_at: 1_790_000_000_000 }
}

describe.each(Object.entries(drivers))('SQLite by %s', (_, open) => {
  test('makes every table, and gives back what it was given, bytes and large numbers too', async () => {
    const engine = await openSqlite(newDirectory().dataDir, open)
    await migrate(engine, migrations, clock)
    await engine.db.insertInto('tenants').values({ id: ten, name: 'a', created_at: 0 }).execute()
    const row = keyRow()
    await engine.db.insertInto('vault_keys').values(row).execute()
    expect(await engine.db.selectFrom('vault_keys').selectAll().execute()).toEqual([row])
    await engine.db.destroy()
  })

  test('tells how many rows a write changed, and answers with them where it is asked', async () => {
    const engine = await openSqlite(newDirectory().dataDir, open)
    await migrate(engine, migrations, clock)
    const { db } = engine
    const values = [ten, other].map((id) => ({ id, name: id, created_at: 0 }))
    expect(await db.insertInto('tenants').values(values).returning('id').execute()).toEqual([
      { id: ten },
      { id: other },
    ])
    const { numUpdatedRows } = await db.updateTable('tenants').set({ name: 'c' }).executeTakeFirstOrThrow()
    expect(numUpdatedRows).toBe(2n)
    await db.destroy()
  })

  test('knows a row that is there already from every other failure', async () => {
    const engine = await openSqlite(newDirectory().dataDir, open)
    await migrate(engine, migrations, clock)
    const insert = (name: string) => engine.db.insertInto('tenants').values({ id: ten, name, created_at: 0 }).execute()
    await insert('a')
    expect(engine.isConflict(await insert('b').catch((error: unknown) => error))).toBe(true)
    const stranger = engine.db.insertInto('vault_keys').values(keyRow(other)).execute()
    expect(engine.isConflict(await stranger.catch((error: unknown) => error))).toBe(false)
    await expect(stranger).rejects.toThrow('FOREIGN KEY')
    await engine.db.destroy()
  })

  test('holds the file alone: a second one is refused it', async () => {
    const { dataDir } = newDirectory()
    const engine = await openSqlite(dataDir, open)
    await expect(openSqlite(dataDir, open)).rejects.toMatchObject({ code: 'storage.in_use' })
    await engine.db.destroy()
  })
})
