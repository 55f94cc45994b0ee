import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import type { TenantId, UserId } from '../../src/base/ids.ts'
import { secret } from '../../src/base/secret.ts'
import type { Storage } from '../../src/storage/database.ts'
import type { Owner } from '../../src/vault/envelope.ts'
import { openKeyring } from '../../src/vault/keyring.ts'
import { createVault, type Vault } from '../../src/vault/vault.ts'
import { createTestClock, eachDatabase, other, quiet, ten, type FreshDatabase } from '../stores/databases.ts'

const ada = 'usr_ada' as UserId
const grace = 'usr_grace' as UserId
const mine: Owner = { tenant: ten, userId: ada, provider: 'github' }

async function createScene({ storage, place }: FreshDatabase, clock = createTestClock()): Promise<Vault> {
  for (const [tenant, id] of [
    [ten, ada],
    [ten, grace],
    [other, ada],
  ] as const)
    await addUser(storage, tenant, id)
  const keyring = await openKeyring({ storage, dataDir: place.dataDir, environment: {}, clock, log: quiet })
  return createVault({ storage, keyring, clock, log: quiet })
}

async function addUser(storage: Storage, tenant: TenantId, id: UserId): Promise<void> {
  await storage.for(tenant).insertInto('users', { id, name: id, role: 'member', created_at: 0 }).execute()
}

eachDatabase((name, openFresh) => {
  test('a credential is kept, replaced and forgotten', async () => {
    await using database = await openFresh()
    const vault = await createScene(database)
    expect(await vault.open(mine)).toBeUndefined()
    await vault.put(mine, secret('first'))
    await vault.put(mine, secret('second'))
    expect((await vault.open(mine))?.reveal()).toBe('second')
    expect(await vault.forget(mine)).toBe(true)
    expect(await vault.forget(mine)).toBe(false)
    expect(await vault.open(mine)).toBeUndefined()
    await vault.close()
  })

  test('the list tells what there is, when it changed and was used, and never the value', async () => {
    await using database = await openFresh()
    const clock = createTestClock()
    const vault = await createScene(database, clock)
    const createdAt = clock.now()
    await vault.put(mine, secret('first'))
    clock.turn(1_000)
    const updatedAt = clock.now()
    await vault.put(mine, secret('second'))
    await vault.put({ ...mine, userId: grace }, secret('hers'))
    clock.turn(1_000)
    await vault.open(mine)
    await vault.close()
    expect(await vault.list(ten, ada)).toEqual([
      { userId: ada, provider: 'github', version: 2, createdAt, updatedAt, lastUsedAt: clock.now() },
    ])
    expect(await vault.list(ten)).toHaveLength(2)
    expect(await vault.list(other)).toEqual([])
  })

  test('writers at once each count: none is lost from the version, and one of the values is there whole', async () => {
    await using database = await openFresh()
    const vault = await createScene(database)
    await Promise.all(Array.from({ length: 8 }, (_, index) => vault.put(mine, secret(`value ${index}`))))
    expect(await vault.list(ten)).toMatchObject([{ version: 8 }])
    expect((await vault.open(mine))?.reveal()).toMatch(/^value \d$/)
    await vault.close()
  })

  test.each([
    ['user', { ...mine, userId: grace }],
    ['service', { ...mine, provider: 'gitlab' }],
    ['tenant', { ...mine, tenant: other }],
  ])('a row moved to another %s cannot be opened there', async (_what, thief) => {
    await using database = await openFresh()
    const vault = await createScene(database)
    await vault.put(mine, secret("ada's own"))
    await vault.put({ ...mine, tenant: other }, secret("the other tenant's, so that it has a key"))
    await vault.forget(thief)
    await sql`update vault_records set tenant_id = ${thief.tenant}, user_id = ${thief.userId}, provider = ${thief.provider}
      where tenant_id = ${ten}`.execute(database.storage.system)
    await expect(vault.open(thief)).rejects.toMatchObject({ code: 'vault.unreadable' })
    await vault.close()
  })

  test("a tenant's key moved to another tenant opens nothing", async () => {
    await using database = await openFresh()
    const { storage } = database
    const vault = await createScene(database)
    await vault.put(mine, secret('x'))
    const key = await storage
      .for(ten)
      .selectFrom('vault_keys')
      .select(['id', 'root_key_id', 'wrapped', 'created_at'])
      .executeTakeFirstOrThrow()
    await storage.for(other).insertInto('vault_keys', key).execute()
    await expect(vault.put({ ...mine, tenant: other }, secret('y'))).rejects.toMatchObject({ code: 'vault.unreadable' })
    await vault.close()
  })

  test('neither a credential nor a key that opens one is in the database', async () => {
    await using database = await openFresh()
    const { storage, place } = database
    const vault = await createScene(database)
    const token = 'ghp_N0tInTheDatabase'
    await vault.put(mine, secret(token))
    const rootKey = Buffer.from(readFileSync(join(place.dataDir, 'root.key'), 'utf8'), 'base64')
    await vault.close()
    const stored = name === 'sqlite' ? readDatabaseFiles(place.dataDir) : await dump(storage)
    expect(stored.includes(ada)).toBe(true)
    for (const hidden of [token, rootKey, rootKey.toString('base64'), rootKey.toString('hex')]) {
      expect(stored.includes(hidden)).toBe(false)
    }
  })
})

/** The log of writes is read too: what was written is there first, and stays there until it is overwritten. */
function readDatabaseFiles(dataDir: string): Buffer {
  const files = readdirSync(dataDir).filter((file) => file.startsWith('sekisho.db'))
  expect(files.sort()).toEqual(['sekisho.db', 'sekisho.db-wal'])
  return Buffer.concat(files.map((file) => readFileSync(join(dataDir, file))))
}

async function dump({ system }: Storage): Promise<Buffer> {
  const parts: Buffer[] = []
  for (const table of ['meta', 'users', 'vault_keys', 'vault_records'] as const) {
    const rows = await system.selectFrom(table).selectAll().execute()
    for (const value of rows.flatMap((row) => Object.values(row))) {
      parts.push(Buffer.isBuffer(value) ? value : Buffer.from(String(value)))
    }
  }
  return Buffer.concat(parts)
}
