import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import type { TenantId } from '../../src/base/ids.ts'
import { secret } from '../../src/base/secret.ts'
import { openStorage, type Storage } from '../../src/storage/database.ts'
import { openPostgres } from '../../src/storage/dialects/postgres.ts'
import { openSqlite } from '../../src/storage/dialects/sqlite.ts'
import { openDriver, openNodeSqlite } from '../../src/storage/dialects/sqlite-driver.ts'
import { migrate } from '../../src/storage/migrate.ts'
import { migrations } from '../../src/storage/migrations/all.ts'
import { openBreakable } from '../stores/breakable.ts'
import { createTestClock, eachDatabase, newDirectory, POSTGRES, withoutPostgres } from '../stores/databases.ts'
import { createListeningLog } from './shared/places.ts'

const clock = createTestClock()
const addTenant = (storage: Pick<Storage, 'system'>, id: string) =>
  storage.system
    .insertInto('tenants')
    .values({ id: id as TenantId, name: id, created_at: 0 })
    .execute()

const isAway = { code: 'storage.unreachable', row: expect.objectContaining({ status: 503 }) }

eachDatabase((name, openFresh) => {
  test.runIf(name === 'postgres')(
    'a connection that the server ends is told as such, in a transaction and between statements, and not used again',
    async () => {
      await using database = await openFresh()
      const { storage } = database
      const killer = await database.again()
      const end = async (pid: number | undefined) => {
        await sql`select pg_terminate_backend(${pid}, 5000)`.execute(killer.system)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      const pidOf = async (db: Storage['system']) =>
        (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows[0]?.pid

      const between = storage.system.transaction().execute(async (db) => {
        await end(await pidOf(db))
        await sql`select 1`.execute(db)
      })
      await expect(between).rejects.toMatchObject(isAway)
      const within = storage.system.transaction().execute(async (db) => {
        const pid = await pidOf(db)
        await Promise.all([sql`select pg_sleep(60)`.execute(db), end(pid)])
      })
      await expect(within).rejects.toMatchObject(isAway)
      await end(await pidOf(storage.system))
      await addTenant(storage, 'after')

      const reading = storage.system.transaction().execute(async (db) => {
        await sql`set transaction read only`.execute(db)
        await addTenant({ system: db }, 'unwritten')
      })
      await expect(reading).rejects.toMatchObject({ code: 'storage.failing' })
    },
  )
})

describe.skipIf(withoutPostgres)('a PostgreSQL that goes away', () => {
  test('is told to be away in our own words, and found again by itself', async () => {
    const way = await openBreakable(new URL(POSTGRES), 5432)
    const url = new URL(POSTGRES)
    url.host = `127.0.0.1:${way.port}`
    const listening = createListeningLog()
    const place = { ...newDirectory(), databaseUrl: secret(url.href), schema: `away ${way.port}` }
    const storage = await openStorage({ ...place, clock, log: listening.log })
    try {
      await addTenant(storage, 'before')
      await way.goAway()
      await expect(addTenant(storage, 'meanwhile')).rejects.toMatchObject(isAway)
      const failed = await addTenant(storage, 'meanwhile').catch((error: unknown) => error)
      expect(failed).toMatchObject({ ...isAway, cause: { code: 'ECONNREFUSED' } })
      expect(String(failed)).not.toContain('127.0.0.1')
      await expect(storage.system.transaction().execute(async () => 1)).rejects.toMatchObject(isAway)

      await way.comeBack()
      await addTenant(storage, 'after')
      const held = storage.system.transaction().execute(async (db) => {
        await sql`select 1`.execute(db)
        way.cut()
        await sql`select 1`.execute(db)
      })
      await expect(held).rejects.toMatchObject(isAway)
      expect(listening.events).toContain('storage.connection_lost')

      const all = Array.from({ length: 10 }, () => sql`select pg_sleep(0.1)`.execute(storage.system))
      await Promise.all(all)
      expect(storage.isConflict(await addTenant(storage, 'after').catch((error: unknown) => error))).toBe(true)
      await expect(sql`select wrong`.execute(storage.system)).rejects.toMatchObject({ code: '42703' })
    } finally {
      await way.comeBack()
      await sql`drop schema if exists ${sql.id(place.schema)} cascade`.execute(storage.system)
      await storage.close()
    }
  })
})

describe.skipIf(withoutPostgres)('a PostgreSQL that falls silent', () => {
  test('is given up in its time, and found again when it speaks', async () => {
    const way = await openBreakable(new URL(POSTGRES), 5432)
    const url = new URL(POSTGRES)
    url.host = `127.0.0.1:${way.port}`
    const { log, events } = createListeningLog()
    const engine = await openPostgres({ databaseUrl: secret(url.href), schema: undefined, log, silenceMs: 300 })
    const ask = () => sql`select 1`.execute(engine.db)
    await Promise.all(Array.from({ length: 10 }, ask))
    way.fallSilent()
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, ask))
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: isAway })
    expect(events).toContain('storage.connection_lost')

    await way.comeBack()
    await ask()
    const lasting = engine.db.transaction().execute(async (db) => {
      await engine.lock(db)
      await sql`select pg_sleep(1)`.execute(db)
    })
    await lasting
    const late = sql`select pg_sleep(60)`.execute(engine.db)
    await expect(late).rejects.toMatchObject(isAway)
    await engine.db.destroy()
  })
})

const drivers = { 'better-sqlite3': openDriver, 'Node’s own': openNodeSqlite }

describe.each(Object.entries(drivers))('SQLite by %s on a disk that is full', (_, open) => {
  test('is told as such, within a transaction too, and goes on when there is room', async () => {
    const engine = await openSqlite(newDirectory().dataDir, open)
    await migrate(engine, migrations, clock)
    const { db } = engine
    const storage = { system: db }
    const limit = (pages: number) => sql.raw(`pragma max_page_count = ${pages}`).execute(db)
    const big = 'x'.repeat(100_000)
    const isFull = {
      code: 'storage.failing',
      message: 'The database cannot be used: its disk is full.',
      row: expect.objectContaining({ status: 503 }),
      cause: expect.objectContaining({ message: 'database or disk is full' }),
    }

    await limit(1)
    await expect(addTenant(storage, big)).rejects.toMatchObject(isFull)
    const all = db.transaction().execute(async (inner) => {
      await inner.updateTable('tenants').set({ name: 'changed' }).execute()
      await addTenant({ system: inner }, big)
    })
    await expect(all).rejects.toMatchObject(isFull)

    await limit(1_000_000)
    await addTenant(storage, big)
    await db.transaction().execute((inner) => addTenant({ system: inner }, 'b'))
    expect(engine.isConflict(await addTenant(storage, 'b').catch((error: unknown) => error))).toBe(true)
    await db.destroy()
  })
})
