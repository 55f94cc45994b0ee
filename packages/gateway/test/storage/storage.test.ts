import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { TenantId, UserId } from '../../src/base/ids.ts'
import { secret } from '../../src/base/secret.ts'
import { migrations } from '../../src/storage/migrations/all.ts'
import { openStorage, type Storage } from '../../src/storage/database.ts'
import { createTestClock, eachDatabase, newDirectory, other, quiet, ten, type Place } from '../stores/databases.ts'

const ada = 'usr_ada' as UserId

async function addUser(storage: Storage, tenant: TenantId, name: string): Promise<void> {
  const row = { id: ada, name, role: 'member' as const, created_at: 0 }
  await storage.for(tenant).insertInto('users', row).execute()
}

async function namesOf(storage: Storage, tenant: TenantId): Promise<string[]> {
  const rows = await storage.for(tenant).selectFrom('users').select('name').orderBy('name').execute()
  return rows.map(({ name }) => name)
}

eachDatabase((name, openFresh, newPlace) => {
  test('a tenant sees, changes and removes only its own rows', async () => {
    await using database = await openFresh()
    const { storage } = database
    await addUser(storage, ten, 'ada')
    await addUser(storage, other, 'ada of the others')

    await storage.for(ten).updateTable('users').set({ role: 'admin' }).execute()
    expect(await storage.for(other).selectFrom('users').select('role').execute()).toEqual([{ role: 'member' }])

    await storage.for(ten).deleteFrom('users').execute()
    expect(await namesOf(storage, ten)).toEqual([])
    expect(await namesOf(storage, other)).toEqual(['ada of the others'])
  })

  test('a query that leads around the tenant wall does not compile, nor run', async () => {
    await using database = await openFresh()
    const db = database.storage.for(ten)
    // @ts-expect-error a table without a tenant
    await expect(db.selectFrom('tenants').selectAll().execute()).rejects.toThrow('tenant_id')
    // @ts-expect-error a table that was not asked for
    await expect(db.selectFrom('users').select('api_keys.hash').execute()).rejects.toThrow('api_keys')
    const place = { user_id: '' as const, upstream: 'x', kind: 'tools' as const, client: '' }
    const catalog = { ...place, definition: '', body: '', fetched_at: 0 }
    // @ts-expect-error a row that names its own tenant gets the right one all the same
    await db.insertInto('catalogs', { ...catalog, tenant_id: other }).execute()
    expect(await db.selectFrom('catalogs').select('tenant_id').execute()).toEqual([{ tenant_id: ten }])
  })

  test('a row cannot belong to a user of another tenant', async () => {
    await using database = await openFresh()
    await addUser(database.storage, other, 'ada of the others')
    const row = { user_id: ada, provider: 'x', envelope: Buffer.of(1), version: 1, created_at: 0, updated_at: 0 }
    const insert = database.storage
      .for(ten)
      .insertInto('vault_records', { ...row, last_used_at: null })
      .execute()
    await expect(insert).rejects.toThrow(/foreign key/i)
  })

  test('a transaction that throws leaves nothing behind', async () => {
    await using database = await openFresh()
    const { storage } = database
    const failing = storage.for(ten).transaction(async (db) => {
      await db.insertInto('users', { id: ada, name: 'ada', role: 'member', created_at: 0 }).execute()
      throw new Error('changed my mind')
    })
    await expect(failing).rejects.toThrow('changed my mind')
    expect(await namesOf(storage, ten)).toEqual([])
  })

  test('work that is done exclusively sees what all the others before it did', async () => {
    await using database = await openFresh()
    const storages = [database.storage, await database.again()]
    await addUser(database.storage, ten, '0')
    const add = (storage: Storage) =>
      storage.for(ten).exclusively(async (db) => {
        const { name: count } = await db.selectFrom('users').select('name').executeTakeFirstOrThrow()
        await db
          .updateTable('users')
          .set({ name: String(Number(count) + 1) })
          .execute()
      })
    await Promise.all(Array.from({ length: 8 }, (_, index) => add(storages[index % 2] ?? database.storage)))
    expect(await namesOf(database.storage, ten)).toEqual(['8'])
  })

  test('bytes, large numbers and text of any script come back as they went in', async () => {
    await using database = await openFresh()
    const { storage } = database
    await addUser(storage, ten, '関所 é 🚪')
    const envelope = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    const at = 8_640_000_000_000_000
    const row = { user_id: ada, provider: 'x', envelope, version: at, created_at: at, updated_at: at }
    await storage
      .for(ten)
      .insertInto('vault_records', { ...row, last_used_at: null })
      .execute()
    expect(await namesOf(storage, ten)).toEqual(['関所 é 🚪'])
    expect(await storage.for(ten).selectFrom('vault_records').selectAll().execute()).toEqual([
      { ...row, tenant_id: ten, last_used_at: null },
    ])
  })

  test('a database that a newer version has been at is refused', async () => {
    await using database = await openFresh()
    const { storage, place } = database
    await storage.system
      .withTables<{ migrations: { name: string; applied_at: number } }>()
      .insertInto('migrations')
      .values({ name: '9999-of-the-future', applied_at: 0 })
      .execute()
    if (name === 'sqlite') await storage.close()
    for (const asItIs of [false, true])
      await expect(openStorage({ ...place, clock: createTestClock(), log: quiet, asItIs })).rejects.toMatchObject({
        code: 'storage.newer',
        details: { migration: '9999-of-the-future' },
      })
  })

  test('a database that is opened as it is is neither made nor brought up to date', async () => {
    const fresh = newPlace()
    const open = (place: Place) => openStorage({ ...place, clock: createTestClock(), log: quiet, asItIs: true })
    await expect(open(fresh)).rejects.toMatchObject({ code: 'storage.empty' })
    await expect(open(fresh)).rejects.toMatchObject({ code: 'storage.empty' })

    await using database = await openFresh()
    const { storage, place } = database
    const last = migrations.at(-1)?.name ?? ''
    const tables = storage.system.withTables<{ migrations: { name: string; applied_at: number } }>()
    await tables.deleteFrom('migrations').where('name', '=', last).execute()
    if (name === 'sqlite') await storage.close()
    const opened = await open(place)
    const applied = opened.system.withTables<{ migrations: { name: string } }>().selectFrom('migrations').select('name')
    expect((await applied.execute()).map((row) => row.name)).toEqual(migrations.slice(0, -1).map((each) => each.name))
    await opened.close()
  })

  test.runIf(name === 'postgres')('several processes can start on an empty database at once', async () => {
    const place = newPlace()
    const open = () => openStorage({ ...place, clock: createTestClock(), log: quiet })
    const storages = await Promise.all([open(), open(), open()])
    const applied = await storages[0].system
      .withTables<{ migrations: { name: string } }>()
      .selectFrom('migrations')
      .selectAll()
      .execute()
    for (const storage of storages) await storage.close()
    expect(applied.map(({ name }) => name)).toEqual(migrations.map(({ name }) => name))
  })
})

test('a PostgreSQL server that is not there is said to be unreachable', async () => {
  const place = { ...newDirectory(), databaseUrl: secret('postgres://nobody:hunter2@127.0.0.1:1/none') }
  const opening = openStorage({ ...place, clock: createTestClock(), log: quiet })
  await expect(opening).rejects.toMatchObject({
    code: 'storage.unreachable',
    message: 'The database cannot be reached: connect ECONNREFUSED 127.0.0.1:1.',
  })
})

test.runIf(process.platform === 'linux')(
  'a directory in which no file can be made is said to be unusable',
  async () => {
    const opening = openStorage({ dataDir: '/proc', clock: createTestClock(), log: quiet })
    await expect(opening).rejects.toMatchObject({
      code: 'storage.unusable',
      message: '/proc/sekisho.db cannot be used: there is no such directory.',
    })
  },
)

test('a file that is no database, or in whose place something else is, is said to be unusable, and why', async () => {
  const open = (dataDir: string) => openStorage({ dataDir, clock: createTestClock(), log: quiet })
  const [broken, taken] = [newDirectory().dataDir, newDirectory().dataDir]
  mkdirSync(broken, { recursive: true })
  writeFileSync(
    join(broken, 'sekisho.db'),
    'no database at all, and long enough to be told from an empty one'.repeat(20),
  )
  await expect(open(broken)).rejects.toMatchObject({
    code: 'storage.unusable',
    message: `${join(broken, 'sekisho.db')} cannot be used: file is not a database.`,
  })
  mkdirSync(join(taken, 'sekisho.db'), { recursive: true })
  await expect(open(taken)).rejects.toMatchObject({ code: 'storage.unusable' })
})
