import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { problem } from '../../src/base/problem.ts'
import { secret } from '../../src/base/secret.ts'
import { openStorage, type Storage } from '../../src/storage/database.ts'
import { openKeyring, type KeyringNeeds } from '../../src/vault/keyring.ts'
import { createSystemKeyring } from '../../src/vault/system-keyring.ts'
import { createTestClock, eachDatabase, newDirectory, quiet } from '../stores/databases.ts'
import { openDesktop, withoutDesktop, type Desktop } from './desktop.ts'

const clock = createTestClock()
const PASSPHRASE = 'correct horse battery staple'
/** Where no session is. */
const nowhere = createSystemKeyring({ environment: {} })

function open(storage: Storage, dataDir: string, more: Partial<KeyringNeeds> = {}) {
  return openKeyring({ storage, dataDir, environment: {}, clock, log: quiet, systemKeyring: nowhere, ...more })
}

describe.skipIf(withoutDesktop)('with a keyring', () => {
  eachDatabase((_name, openFresh) => {
    test('a new gate keeps its root key there, under its id, and the next starts find it', async () => {
      await using desktop = await openDesktop()
      await using database = await openFresh()
      const { dataDir } = database.place
      const made = await open(database.storage, dataDir, { systemKeyring: desktop.keyring })
      const id = await idOf(database.storage)
      expect(made).toMatchObject({ created: true, place: `the keyring of this system (sekisho, ${id})` })
      expect(existsSync(join(dataDir, 'root.key'))).toBe(false)
      expect(Buffer.from((await desktop.keyring.find(id))?.reveal() ?? '', 'base64')).toHaveLength(32)
      const found = await open(database.storage, dataDir, { systemKeyring: desktop.keyring })
      expect(found).toMatchObject({ created: false, place: made.place })
    })

    test('it is found there by a gate that would put a new one into a file', async () => {
      await using desktop = await openDesktop()
      await using database = await openFresh()
      const { storage, place } = database
      const made = await open(storage, place.dataDir, { systemKeyring: desktop.keyring })
      const environment = { SEKISHO_ROOT_KEY_STORE: 'file' }
      const again = await open(storage, place.dataDir, { systemKeyring: desktop.keyring, environment })
      expect(again).toMatchObject({ created: false, place: made.place })
    })

    test('two gates of one person have a key each', async () => {
      await using desktop = await openDesktop()
      await using one = await openFresh()
      await using two = await openFresh()
      for (const { storage, place } of [one, two, one, two])
        await open(storage, place.dataDir, { systemKeyring: desktop.keyring })
      expect(await idOf(one.storage)).not.toBe(await idOf(two.storage))
    })

    test('gates that start at once on one database share the key of one, and the others take theirs back', async () => {
      await using desktop = await openDesktop()
      await using database = await openFresh()
      const storages = [database.storage, await database.again(), await database.again()]
      const kept: string[] = []
      const systemKeyring = { ...desktop.keyring, put: noted(desktop, kept) }
      const { dataDir } = database.place
      const keyrings = await Promise.all(storages.map((storage) => open(storage, dataDir, { systemKeyring })))
      expect(keyrings.filter(({ created }) => created)).toHaveLength(1)
      const left = await Promise.all(kept.map((id) => desktop.keyring.find(id)))
      expect(left.filter(Boolean)).toHaveLength(1)
    })

    test('without the keyring the gate does not start, says why, and makes no other key', async () => {
      await using desktop = await openDesktop()
      await using database = await openFresh()
      const { storage, place } = database
      await open(storage, place.dataDir, { systemKeyring: desktop.keyring })
      const before = await metaOf(storage)
      await desktop.leave()
      await expect(open(storage, place.dataDir, { systemKeyring: desktop.keyring })).rejects.toMatchObject({
        code: 'vault.keyring_unreachable',
        message: expect.stringContaining('there is no desktop session here'),
      })
      const environment = { SEKISHO_ROOT_KEY_STORE: 'file' }
      const withFile = open(storage, place.dataDir, { systemKeyring: desktop.keyring, environment })
      await expect(withFile).rejects.toMatchObject({ code: 'vault.keyring_unreachable' })
      expect(existsSync(join(place.dataDir, 'root.key'))).toBe(false)
      expect(await metaOf(storage)).toEqual(before)
    })

    test('a keyring that has the key no more is named, and so is the file', async () => {
      await using desktop = await openDesktop()
      await using database = await openFresh()
      const { storage, place } = database
      await open(storage, place.dataDir, { systemKeyring: desktop.keyring })
      const id = await idOf(storage)
      await desktop.keyring.remove(id)
      const opening = open(storage, place.dataDir, { systemKeyring: desktop.keyring })
      const where = `${join(place.dataDir, 'root.key')}, nor in the keyring of this system (sekisho, ${id})`
      await expect(opening).rejects.toMatchObject({ code: 'vault.root_key_missing', details: { place: where } })
    })

    test('a key in the keyring that is another one is refused', async () => {
      await using desktop = await openDesktop()
      await using database = await openFresh()
      const { storage, place } = database
      await open(storage, place.dataDir, { systemKeyring: desktop.keyring })
      await desktop.keyring.put(await idOf(storage), secret(Buffer.alloc(32, 7).toString('base64')))
      const opening = open(storage, place.dataDir, { systemKeyring: desktop.keyring })
      await expect(opening).rejects.toMatchObject({ code: 'vault.root_key_wrong' })
    })

    test('who asks for a file is given one', async () => {
      await using desktop = await openDesktop()
      const named = join(newDirectory().dataDir, 'named')
      for (const environment of [
        { SEKISHO_ROOT_KEY_STORE: 'file' },
        { SEKISHO_ROOT_KEY_FILE: named },
        { SEKISHO_ROOT_KEY_PASSPHRASE: PASSPHRASE },
      ]) {
        await using database = await openFresh()
        const { storage, place } = database
        const asked = await open(storage, place.dataDir, { systemKeyring: desktop.keyring, environment })
        const file = 'SEKISHO_ROOT_KEY_FILE' in environment ? named : join(place.dataDir, 'root.key')
        expect(asked).toMatchObject({ created: true, place: file })
        expect(await desktop.keyring.find(await idOf(storage))).toBeUndefined()
      }
    })
  })
})

test('without a keyring a new gate keeps its key in a file, and says why', async () => {
  await using place = await openPlace()
  const because = 'the keyring of this system cannot be used (it is locked, and was not unlocked)'
  expect(await place.open({ systemKeyring: locked })).toMatchObject({ created: true, place: place.file, because })
  expect(await place.open({ systemKeyring: locked })).toMatchObject({ created: false, place: place.file })
})

test('whoever asks for the keyring is not given a file instead, and nothing is settled', async () => {
  await using place = await openPlace()
  const opening = place.open({ environment: { SEKISHO_ROOT_KEY_STORE: 'keyring' }, systemKeyring: locked })
  await expect(opening).rejects.toMatchObject({ code: 'vault.keyring_refused' })
  expect(await metaOf(place.storage)).toEqual([])
  expect(readdirSync(place.dataDir).filter((name) => name.includes('key'))).toEqual([])
})

test('a place that there is not is refused', async () => {
  await using place = await openPlace()
  const opening = place.open({ environment: { SEKISHO_ROOT_KEY_STORE: 'cloud' } })
  await expect(opening).rejects.toMatchObject({ message: expect.stringContaining('none of auto, keyring, file') })
})

test('with a passphrase a new key is not readable in its file, and opens with it alone', async () => {
  await using place = await openPlace()
  const environment = { SEKISHO_ROOT_KEY_STORE: 'file', SEKISHO_ROOT_KEY_PASSPHRASE: PASSPHRASE }
  expect(await place.open({ environment })).toMatchObject({ created: true, place: place.file })
  expect(readFileSync(place.file, 'utf8')).not.toMatch(/[A-Za-z0-9+/]{43}=\s*$/)
  expect(await place.open({ environment })).toMatchObject({ created: false })
  await expect(place.open()).rejects.toMatchObject({ code: 'vault.passphrase_missing', details: { place: place.file } })
  const wrong = { SEKISHO_ROOT_KEY_PASSPHRASE: `${PASSPHRASE}!` }
  await expect(place.open({ environment: wrong })).rejects.toMatchObject({
    code: 'vault.passphrase_wrong',
    message: expect.not.stringContaining(PASSPHRASE),
  })
  const askPassphrase = (prompt: string) => Promise.resolve(secret(prompt.includes(place.file) ? PASSPHRASE : ''))
  expect(await place.open({ askPassphrase })).toMatchObject({ created: false })
})

/** A keyring that is there, and that nobody unlocks. */
const refuse = () => Promise.reject(problem('vault.keyring_refused', { reason: 'it is locked, and was not unlocked' }))
const locked = { find: refuse, put: refuse, remove: refuse }

function noted({ keyring }: Desktop, kept: string[]): Desktop['keyring']['put'] {
  return (id, value) => {
    kept.push(id)
    return keyring.put(id, value)
  }
}

async function openPlace() {
  const { dataDir } = newDirectory()
  const storage = await openStorage({ dataDir, clock, log: quiet })
  return {
    dataDir,
    storage,
    file: join(dataDir, 'root.key'),
    open: (more: Partial<KeyringNeeds> = {}) => open(storage, dataDir, more),
    [Symbol.asyncDispose]: storage.close,
  }
}

function metaOf({ system }: Storage) {
  return system.selectFrom('meta').selectAll().where('key', 'like', 'vault.%').execute()
}

async function idOf(storage: Storage): Promise<string> {
  const [row] = await metaOf(storage)
  return JSON.parse(row?.value ?? '{}').rootKeyId
}
