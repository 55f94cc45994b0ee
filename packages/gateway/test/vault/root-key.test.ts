import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Log } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/ids.ts'
import { createKeyFile, makeDirectoryOf, keyFile } from '../../src/vault/key-file.ts'
import { findRootKey } from '../../src/vault/key-places.ts'
import { newRootKey, type RootKey } from '../../src/vault/root-key.ts'
import { newDirectory, quiet } from '../stores/databases.ts'

async function find(dataDir: string, environment: Record<string, string> = {}, log: Log = quiet) {
  return (await findRootKey({ dataDir, environment, random: systemRandom, log }))?.root
}

function requireKey(key: RootKey | undefined): RootKey {
  if (key === undefined) throw new Error('there is no key')
  return key
}

test('a key wraps what it alone unwraps, for what it was wrapped for', async () => {
  const given = async () => requireKey(await find('/nowhere', { SEKISHO_ROOT_KEY: randomBytes(32).toString('base64') }))
  const [key, stranger] = [await given(), await given()]
  const wrapped = await key.wrap(Buffer.from('a tenant’s key'), Buffer.from('ten_a'))
  expect((await key.unwrap(wrapped, Buffer.from('ten_a'))).toString()).toBe('a tenant’s key')
  await expect(key.unwrap(wrapped, Buffer.from('ten_b'))).rejects.toThrow('authenticate')
  await expect(stranger.unwrap(wrapped, Buffer.from('ten_a'))).rejects.toThrow('authenticate')
  expect(key.id).toMatch(/^[\w-]{16}$/)
  expect(stranger.id).not.toBe(key.id)
})

test('it may be written in base64 or base64url, with or without padding and white space', async () => {
  const bytes = randomBytes(32)
  const written = [bytes.toString('base64'), bytes.toString('base64url'), ` ${bytes.toString('base64')}\n`]
  const keys = await Promise.all(written.map((text) => find('/nowhere', { SEKISHO_ROOT_KEY: text })))
  const ids = keys.map((key) => key?.id)
  expect(new Set(ids).size).toBe(1)
})

test.for([
  'short',
  randomBytes(31).toString('base64'),
  randomBytes(33).toString('base64'),
  `${'a'.repeat(42)}!`,
  '='.repeat(44),
])('what is no key of 32 bytes is refused, and where it stands is named: %s', async (text) => {
  const code = 'vault.root_key_malformed'
  const refused = expect.objectContaining({ code, details: { place: 'SEKISHO_ROOT_KEY' } })
  await expect(find('/nowhere', { SEKISHO_ROOT_KEY: text })).rejects.toEqual(refused)
})

test('a file is made whole, for its owner only, once; a second maker leaves it as it is', () => {
  const { dataDir } = newDirectory()
  const file = join(dataDir, 'made/here/root.key')
  makeDirectoryOf(file)
  expect(createKeyFile(file, newRootKey(systemRandom))).toBe(true)
  const text = readFileSync(file, 'utf8')
  expect([statSync(file).mode & 0o777, statSync(join(dataDir, 'made')).mode & 0o777]).toEqual([0o600, 0o700])
  expect(createKeyFile(file, newRootKey(systemRandom))).toBe(false)
  expect(readFileSync(file, 'utf8')).toBe(text)
  expect(existsSync(`${file}.${process.pid}.new`)).toBe(false)
})

test.skipIf(process.platform === 'win32')(
  'no key is made at a link to nothing, which nobody could read it from',
  () => {
    const { dataDir } = newDirectory()
    const file = join(dataDir, 'root.key')
    symlinkSync(join(dataDir, 'unmounted/root.key'), file)
    expect(() => createKeyFile(file, newRootKey(systemRandom))).toThrow(
      `The file ${file} cannot be written: it is a link to nothing.`,
    )
    expect(readdirSync(dataDir)).toEqual(['root.key'])
  },
)

test('a file that cannot be read is a failure, one that is missing is none', async () => {
  const { dataDir } = newDirectory()
  expect(await find(dataDir)).toBeUndefined()
  expect(await find(dataDir, { SEKISHO_ROOT_KEY: '' })).toBeUndefined()
  mkdirSync(join(dataDir, 'root.key'))
  await expect(find(dataDir)).rejects.toMatchObject({ code: 'vault.file_unreadable', cause: { code: 'EISDIR' } })
})

test('the file may lie elsewhere, and it is said where others can read it', async () => {
  const { dataDir } = newDirectory()
  const file = join(dataDir, 'elsewhere.key')
  writeFileSync(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 })
  const environment = { SEKISHO_ROOT_KEY_FILE: file }
  expect(keyFile({ dataDir, environment })).toBe(file)
  const warned: unknown[] = []
  const log: Log = { ...quiet, warn: (...words) => void warned.push(words) }
  expect((await find(dataDir, environment, log))?.place).toBe(file)
  expect(warned).toEqual([])
  chmodSync(file, 0o640)
  await find(dataDir, environment, log)
  expect(warned).toEqual([[{ file }, 'vault.root_key_readable_by_others']])
})

test.for(['EPERM', 'ENOTSUP', 'EINVAL'])(
  'on a disk whose files have one name only, as FAT, a key file is made as well, and takes no file’s place: %s',
  (code) => {
    const { dataDir } = newDirectory()
    const file = join(dataDir, 'copy.key')
    const link = () => {
      throw Object.assign(new Error('operation not permitted'), { code })
    }
    const [one, two] = [newRootKey(systemRandom), newRootKey(systemRandom)]
    expect([createKeyFile(file, one, link), createKeyFile(file, two, link)]).toEqual([true, false])
    expect(readFileSync(file, 'utf8')).toBe(`${one.reveal()}\n`)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(dataDir)).toEqual(['copy.key'])
  },
)
