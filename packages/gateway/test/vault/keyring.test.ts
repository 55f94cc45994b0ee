import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { UserId } from '../../src/base/ids.ts'
import { secret } from '../../src/base/secret.ts'
import { openStorage, type Storage } from '../../src/storage/database.ts'
import { openKeyring, type KeyringNeeds } from '../../src/vault/keyring.ts'
import { createVault } from '../../src/vault/vault.ts'
import { codeOf } from '../stores/outcome.ts'
import { createTestClock, eachDatabase, newDirectory, quiet, ten } from '../stores/databases.ts'

const clock = createTestClock()
const newKey = () => randomBytes(32).toString('base64')

function open(storage: Storage, dataDir: string, more: Partial<KeyringNeeds> = {}) {
  return openKeyring({ storage, dataDir, environment: {}, clock, log: quiet, ...more })
}

eachDatabase((name, openFresh) => {
  test('the first start makes a root key for its owner only, and says where; the next ones find it', async () => {
    await using database = await openFresh()
    const { dataDir } = database.place
    const file = join(dataDir, 'root.key')
    expect(await open(database.storage, dataDir)).toMatchObject({ created: true, place: file })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(await open(database.storage, dataDir)).toMatchObject({ created: false, place: file })
    expect(readdirSync(dataDir).filter((each) => each.startsWith('root.key'))).toEqual(['root.key'])
  })

  test('a root key from the environment is used, and no file is made', async () => {
    await using database = await openFresh()
    const { dataDir } = database.place
    const environment = { SEKISHO_ROOT_KEY: newKey() }
    expect(await open(database.storage, dataDir, { environment })).toMatchObject({
      created: false,
      place: 'SEKISHO_ROOT_KEY',
    })
    expect(existsSync(join(dataDir, 'root.key'))).toBe(false)
  })

  test('the file of the root key can be elsewhere', async () => {
    await using database = await openFresh()
    const file = join(newDirectory().dataDir, 'deep', 'key')
    const environment = { SEKISHO_ROOT_KEY_FILE: file }
    expect(await open(database.storage, database.place.dataDir, { environment })).toMatchObject({
      created: true,
      place: file,
    })
    expect(await open(database.storage, database.place.dataDir, { environment })).toMatchObject({ created: false })
  })

  test('a root key that is not 32 bytes of base64 is refused, in words that do not repeat it', async () => {
    await using database = await openFresh()
    for (const text of [
      'hunter2',
      randomBytes(31).toString('base64'),
      `${newKey()}A`,
      randomBytes(32).toString('hex'),
    ]) {
      const opening = open(database.storage, database.place.dataDir, { environment: { SEKISHO_ROOT_KEY: text } })
      await expect(opening).rejects.toMatchObject({
        code: 'vault.root_key_malformed',
        message: expect.not.stringContaining(text),
      })
    }
  })

  test('a database that has a root key does not start without it, and makes no other', async () => {
    await using database = await openFresh()
    await open(database.storage, database.place.dataDir, { environment: { SEKISHO_ROOT_KEY: newKey() } })
    const place = join(database.place.dataDir, 'root.key')
    const opening = open(database.storage, database.place.dataDir)
    await expect(opening).rejects.toMatchObject({ code: 'vault.root_key_missing', details: { place } })
    expect(existsSync(place)).toBe(false)
  })

  test('a root key that others can read is warned of', async () => {
    await using database = await openFresh()
    const file = join(database.place.dataDir, 'root.key')
    writeFileSync(file, newKey(), { mode: 0o644 })
    const warnings: string[] = []
    const log = { ...quiet, warn: (_facts: object, event: string) => void warnings.push(event) }
    await open(database.storage, database.place.dataDir, { log })
    expect(warnings).toEqual(['vault.root_key_readable_by_others'])
  })

  test('gates that start at once in one directory share the root key', async () => {
    await using database = await openFresh()
    const storages = [database.storage, await database.again(), await database.again()]
    const { dataDir } = database.place
    const keyrings = await Promise.all(storages.map((storage) => open(storage, dataDir)))
    expect(keyrings.filter(({ created }) => created)).toHaveLength(1)
  })

  test('of gates that start at once on one database in two directories, one makes the root key', async () => {
    await using database = await openFresh()
    const directories = [database.place.dataDir, newDirectory().dataDir]
    const storages = [database.storage, await database.again()]
    const codes = await Promise.all(
      directories.map((dataDir, index) => codeOf(open(storages[index] ?? database.storage, dataDir))),
    )
    expect(new Set(codes)).toEqual(new Set(['none', 'vault.root_key_missing']))
    const made = directories.map((dataDir) => existsSync(join(dataDir, 'root.key')))
    expect(made).toEqual(codes.map((code) => code === 'none'))
  })

  test('gates that need the first key of a tenant at once get the same one', async () => {
    await using database = await openFresh()
    const { dataDir } = database.place
    const user = { id: 'usr_a' as UserId, name: 'ada', role: 'member' as const, created_at: 0 }
    await database.storage.for(ten).insertInto('users', user).execute()
    await open(database.storage, dataDir)
    const storages = [database.storage, await database.again(), await database.again()]
    const vaults = await Promise.all(
      storages.map(async (storage) =>
        createVault({ storage, clock, log: quiet, keyring: await open(storage, dataDir) }),
      ),
    )
    const owner = (provider: number) => ({ tenant: ten, userId: user.id, provider: String(provider) })
    await Promise.all(vaults.map((vault, index) => vault.put(owner(index), secret(`token ${index}`))))
    for (const [index] of vaults.entries()) {
      for (const vault of vaults) expect((await vault.open(owner(index)))?.reveal()).toBe(`token ${index}`)
      await vaults[index]?.close()
    }
    expect(await database.storage.for(ten).selectFrom('vault_keys').select('id').execute()).toEqual([{ id: '1' }])
  })

  test.runIf(name === 'sqlite')('a wrong root key stops the start and changes not one byte', async () => {
    const { dataDir } = newDirectory()
    const start = async (key: string) => {
      const storage = await openStorage({ dataDir, clock, log: quiet })
      try {
        await open(storage, dataDir, { environment: { SEKISHO_ROOT_KEY: key } })
      } finally {
        await storage.close()
      }
    }
    const files = () => readdirSync(dataDir).map((file) => [file, readFileSync(join(dataDir, file), 'base64')])
    await start(newKey())
    const before = files()
    await expect(start(newKey())).rejects.toMatchObject({
      code: 'vault.root_key_wrong',
      details: { place: 'SEKISHO_ROOT_KEY' },
    })
    expect(files()).toEqual(before)
  })
})
