import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { systemRandom } from '../../src/base/ids.ts'
import { problem } from '../../src/base/problem.ts'
import { secret } from '../../src/base/secret.ts'
import { openStorage } from '../../src/storage/database.ts'
import { createKeyMoves, type KeyMovesNeeds } from '../../src/vault/key-moves.ts'
import { openKeyring, type KeyringNeeds } from '../../src/vault/keyring.ts'
import { createSystemKeyring } from '../../src/vault/system-keyring.ts'
import { createTestClock, newDirectory, quiet } from '../stores/databases.ts'
import { openDesktop, withoutDesktop } from './desktop.ts'

const clock = createTestClock()
const PASSPHRASE = 'correct horse battery staple'
const inFile = { SEKISHO_ROOT_KEY_STORE: 'file' }
const withPassphrase = { SEKISHO_ROOT_KEY_PASSPHRASE: PASSPHRASE }
const nowhere = createSystemKeyring({ environment: {} })

/** The database of a gate that was started once, and is stopped. */
async function openPlace(more: Partial<KeyringNeeds> = { environment: inFile }) {
  const { dataDir } = newDirectory()
  const storage = await openStorage({ dataDir, clock, log: quiet })
  const needs = { storage, dataDir, environment: {}, clock, log: quiet, random: systemRandom, systemKeyring: nowhere }
  await openKeyring({ ...needs, ...more })
  return {
    dataDir,
    storage,
    file: join(dataDir, 'root.key'),
    moves: (own: Partial<KeyMovesNeeds> = {}) => createKeyMoves({ ...needs, ...own }),
    /** Starts the gate, as far as its root key goes; answers where that was. */
    start: async (own: Partial<KeyringNeeds> = {}) => (await openKeyring({ ...needs, ...own })).place,
    keys: () => readdirSync(dataDir).filter((name) => name.startsWith('root.key')),
    [Symbol.asyncDispose]: storage.close,
  }
}

describe.skipIf(withoutDesktop)('with a keyring', () => {
  test('a key goes from its file to the keyring and back, and opens the database each time', async () => {
    await using desktop = await openDesktop()
    await using place = await openPlace()
    const systemKeyring = desktop.keyring
    const moves = place.moves({ systemKeyring })
    const before = readFileSync(place.file, 'utf8')
    const { id } = (await moves.show()).root
    const inKeyring = `the keyring of this system (sekisho, ${id})`

    expect(await moves.move('keyring', false)).toEqual({ from: place.file, to: inKeyring })
    expect(place.keys()).toEqual([])
    expect(await place.start({ systemKeyring })).toBe(inKeyring)
    expect(await moves.show()).toMatchObject({ kind: 'keyring', root: { id } })

    expect(await moves.move('file', false)).toEqual({ from: inKeyring, to: place.file })
    expect([readFileSync(place.file, 'utf8'), place.keys()]).toEqual([before, ['root.key']])
    expect(statSync(place.file).mode & 0o777).toBe(0o600)
    expect(await desktop.keyring.find(id)).toBeUndefined()
    expect(await place.start()).toBe(place.file)
  })

  test('a key that its file leads to does not stay behind', async () => {
    await using desktop = await openDesktop()
    await using place = await openPlace()
    const systemKeyring = desktop.keyring
    const behind = join(place.dataDir, 'behind.key')
    renameSync(place.file, behind)
    symlinkSync(behind, place.file)
    await place.moves({ systemKeyring }).move('keyring', false)
    expect(readdirSync(place.dataDir).filter((name) => name.endsWith('.key'))).toEqual([])
    await place.moves({ systemKeyring }).move('file', false)
    expect(await place.start()).toBe(place.file)
  })

  test('a key goes to a file where new ones go to a file', async () => {
    await using desktop = await openDesktop()
    await using place = await openPlace({ environment: {}, systemKeyring: desktop.keyring })
    const moves = place.moves({ systemKeyring: desktop.keyring, environment: inFile })
    const { id } = (await moves.show()).root
    expect(await moves.move('file', false)).toMatchObject({ to: place.file })
    expect(await desktop.keyring.find(id)).toBeUndefined()
    expect(await place.start({ environment: inFile })).toBe(place.file)
  })

  test('what is kept stays where it was as well', async () => {
    await using desktop = await openDesktop()
    await using place = await openPlace()
    const moves = place.moves({ systemKeyring: desktop.keyring })
    await moves.move('keyring', true)
    const { id } = (await moves.show()).root
    expect((await desktop.keyring.find(id))?.reveal()).toBe(readFileSync(place.file, 'utf8').trim())
    await moves.move('keyring', false)
    await moves.move('file', true)
    expect([await desktop.keyring.find(id), existsSync(place.file)]).toEqual([expect.anything(), true])
  })

  test('a protected key is moved unprotected, since the keyring is locked itself, and may come back protected', async () => {
    await using desktop = await openDesktop()
    await using place = await openPlace({ environment: { ...inFile, ...withPassphrase } })
    const moves = place.moves({ systemKeyring: desktop.keyring, environment: withPassphrase })
    await moves.move('keyring', false)
    expect(await place.start({ systemKeyring: desktop.keyring })).toContain('keyring')
    await moves.move('file', false)
    expect(await moves.show()).toMatchObject({ kind: 'file', isProtected: true })
  })

  test('a key that is where it shall go is left alone', async () => {
    await using desktop = await openDesktop()
    await using place = await openPlace()
    const moves = place.moves({ systemKeyring: desktop.keyring })
    await expect(moves.move('file', false)).rejects.toMatchObject({ code: 'vault.root_key_already' })
    await moves.move('keyring', false)
    await expect(moves.move('keyring', false)).rejects.toMatchObject({ code: 'vault.root_key_already' })
    await expect(moves.protect(() => Promise.resolve(secret(PASSPHRASE)))).rejects.toMatchObject({
      code: 'vault.root_key_fixed',
    })
  })
})

const refuse = () => Promise.reject(problem('vault.keyring_refused', { reason: 'it is locked, and was not unlocked' }))

test.for([
  ['refuses', { find: refuse, put: refuse, remove: refuse }, 'vault.keyring_refused'],
  [
    'forgets',
    { ...nowhere, put: () => Promise.resolve(), find: () => Promise.resolve(undefined) },
    'vault.keyring_refused',
  ],
  [
    'answers with another key',
    {
      ...nowhere,
      put: () => Promise.resolve(),
      find: () => Promise.resolve(secret(Buffer.alloc(32).toString('base64'))),
    },
    'vault.root_key_wrong',
  ],
] as const)('a keyring that %s costs nobody the key: the file stays', async ([_what, systemKeyring, code]) => {
  await using place = await openPlace()
  const before = readFileSync(place.file, 'utf8')
  await expect(place.moves({ systemKeyring }).move('keyring', false)).rejects.toMatchObject({ code })
  expect(readFileSync(place.file, 'utf8')).toBe(before)
  expect(await place.start()).toBe(place.file)
})

test('a passphrase is put on the file and taken off again; what opens it is asked for', async () => {
  await using place = await openPlace()
  const before = readFileSync(place.file, 'utf8')
  const asked: string[] = []
  const askPassphrase = (prompt: string) => {
    asked.push(prompt)
    return Promise.resolve(secret(PASSPHRASE))
  }
  const choose = () => Promise.resolve(secret(PASSPHRASE))
  await place.moves().protect(choose)
  expect(readFileSync(place.file, 'utf8')).not.toContain(before.trim())
  expect([statSync(place.file).mode & 0o777, place.keys()]).toEqual([0o600, ['root.key']])
  await expect(place.start()).rejects.toMatchObject({ code: 'vault.passphrase_missing' })
  expect(await place.start({ environment: withPassphrase })).toBe(place.file)
  await expect(place.moves({ askPassphrase }).protect(choose)).rejects.toMatchObject({
    code: 'vault.root_key_already',
    message: expect.stringContaining('protected already'),
  })
  await place.moves({ askPassphrase }).unprotect()
  expect([readFileSync(place.file, 'utf8'), place.keys()]).toEqual([before, ['root.key']])
  expect(asked).toHaveLength(2)
  await expect(place.moves().unprotect()).rejects.toMatchObject({ code: 'vault.root_key_already' })
})

test.skipIf(process.platform === 'win32')('a key that its file leads to is protected where it is', async () => {
  await using place = await openPlace()
  const behind = join(place.dataDir, 'behind.key')
  renameSync(place.file, behind)
  symlinkSync(behind, place.file)
  const before = readFileSync(behind, 'utf8')
  await place.moves().protect(() => Promise.resolve(secret(PASSPHRASE)))
  expect(readFileSync(behind, 'utf8')).not.toContain(before.trim())
  expect(lstatSync(place.file).isSymbolicLink()).toBe(true)
  expect(await place.start({ environment: withPassphrase })).toBe(place.file)
})

test('what a process of the same id was killed over is in nobody’s way', async () => {
  await using place = await openPlace()
  writeFileSync(`${place.file}.${process.pid}.trial`, 'half of')
  writeFileSync(`${place.file}.${process.pid}.new`, 'half of')
  await place.moves().protect(() => Promise.resolve(secret(PASSPHRASE)))
  expect(place.keys()).toEqual(['root.key'])
  expect(await place.start({ environment: withPassphrase })).toBe(place.file)
})

test('a passphrase that is too short, or that nobody gives, leaves the file as it is', async () => {
  await using place = await openPlace()
  const before = readFileSync(place.file, 'utf8')
  await expect(place.moves().protect(() => Promise.resolve(secret('short')))).rejects.toMatchObject({
    code: 'vault.passphrase_short',
  })
  await expect(place.moves().protect(() => Promise.reject(problem('request.cancelled')))).rejects.toMatchObject({
    code: 'request.cancelled',
  })
  expect([readFileSync(place.file, 'utf8'), place.keys()]).toEqual([before, ['root.key']])
})

test('a copy opens the database in place of the key, and takes no file’s place', async () => {
  await using place = await openPlace()
  const to = join(newDirectory().dataDir, 'copy.key')
  expect(await place.moves().copy(to)).toEqual({ from: place.file, to })
  expect(statSync(to).mode & 0o777).toBe(0o600)
  expect(await place.start({ environment: { SEKISHO_ROOT_KEY_FILE: to } })).toBe(to)
  await expect(place.moves().copy(to)).rejects.toMatchObject({ code: 'vault.file_there', details: { file: to } })
  const sealed = `${to}.sealed`
  await place.moves({ environment: withPassphrase }).copy(sealed)
  const environment = { SEKISHO_ROOT_KEY_FILE: sealed }
  await expect(place.start({ environment })).rejects.toMatchObject({ code: 'vault.passphrase_missing' })
  expect(await place.start({ environment: { ...environment, ...withPassphrase } })).toBe(sealed)
})

test('a copy makes no directory: one that is not there is a stick that is not plugged in', async () => {
  await using place = await openPlace()
  const stick = join(place.dataDir, 'stick')
  for (const [to, reason] of [
    [join(stick, 'copy.key'), 'no such directory'],
    [join(place.file, 'copy.key'), 'no such directory'],
    ['/proc/nowhere/copy.key', 'no such directory'],
  ] as const)
    await expect(place.moves().copy(to)).rejects.toMatchObject({
      code: 'vault.file_unwritable',
      message: expect.stringContaining(reason),
    })
  expect(existsSync(stick)).toBe(false)
})

test.runIf(process.platform === 'linux')(
  'what cannot be written is told with its file, and the key stays',
  async () => {
    await using place = await openPlace()
    // Whatever the user may: nobody makes a file there.
    const copying = place.moves().copy('/proc/self/copy.key')
    await expect(copying).rejects.toMatchObject({
      code: 'vault.file_unwritable',
      details: { file: '/proc/self/copy.key' },
    })
    expect(await place.start()).toBe(place.file)
  },
)

test('a key file that cannot be read is told with its name', async () => {
  await using place = await openPlace()
  rmSync(place.file)
  mkdirSync(place.file)
  await expect(place.start()).rejects.toMatchObject({
    code: 'vault.file_unreadable',
    message: `The file ${place.file} cannot be read: it is a directory.`,
  })
})

test('a key of the environment is neither moved nor protected, and can be copied', async () => {
  const environment = { SEKISHO_ROOT_KEY: Buffer.alloc(32, 3).toString('base64') }
  await using place = await openPlace({ environment })
  const moves = place.moves({ environment })
  const fixed = { code: 'vault.root_key_fixed', message: expect.stringContaining('SEKISHO_ROOT_KEY') }
  await expect(moves.move('keyring', false)).rejects.toMatchObject(fixed)
  await expect(moves.protect(() => Promise.resolve(secret(PASSPHRASE)))).rejects.toMatchObject(fixed)
  const to = join(place.dataDir, 'copy')
  await moves.copy(to)
  expect(readFileSync(to, 'utf8').trim()).toBe(environment.SEKISHO_ROOT_KEY)
})

test('a key that is not that of the database is not touched', async () => {
  await using place = await openPlace()
  const stranger = Buffer.alloc(32, 9).toString('base64')
  chmodSync(place.file, 0o600)
  writeFileSync(place.file, stranger)
  const wrong = { code: 'vault.root_key_wrong', details: { place: place.file } }
  await expect(place.moves().move('keyring', false)).rejects.toMatchObject(wrong)
  await expect(place.moves().protect(() => Promise.resolve(secret(PASSPHRASE)))).rejects.toMatchObject(wrong)
  await expect(place.moves().copy(join(place.dataDir, 'copy'))).rejects.toMatchObject(wrong)
  await expect(place.moves().show()).rejects.toMatchObject(wrong)
  expect(readFileSync(place.file, 'utf8')).toBe(stranger)
  await place.storage.system.deleteFrom('meta').execute()
  await expect(place.moves().show()).rejects.toMatchObject({ code: 'vault.root_key_missing' })
})
