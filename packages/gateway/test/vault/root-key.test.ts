import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Log } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/ids.ts'
import { createKeyFile, findRootKey, keyFile, type RootKey } from '../../src/vault/root-key.ts'
import { newDirectory, quiet } from '../stores/databases.ts'

const find = (dataDir: string, environment: Record<string, string> = {}, log: Log = quiet) =>
  findRootKey({ dataDir, environment }, systemRandom, log)

function requireKey(key: RootKey | undefined): RootKey {
  if (key === undefined) throw new Error('there is no key')
  return key
}

test('a key wraps what it alone unwraps, for what it was wrapped for', async () => {
  const given = () => requireKey(find('/nowhere', { SEKISHO_ROOT_KEY: randomBytes(32).toString('base64') }))
  const [key, stranger] = [given(), given()]
  const wrapped = await key.wrap(Buffer.from('a tenant’s key'), Buffer.from('ten_a'))
  expect((await key.unwrap(wrapped, Buffer.from('ten_a'))).toString()).toBe('a tenant’s key')
  await expect(key.unwrap(wrapped, Buffer.from('ten_b'))).rejects.toThrow('authenticate')
  await expect(stranger.unwrap(wrapped, Buffer.from('ten_a'))).rejects.toThrow('authenticate')
  expect(key.id).toMatch(/^[\w-]{16}$/)
  expect(stranger.id).not.toBe(key.id)
})

test('it may be written in base64 or base64url, with or without padding and white space', () => {
  const bytes = randomBytes(32)
  const written = [bytes.toString('base64'), bytes.toString('base64url'), ` ${bytes.toString('base64')}\n`]
  const ids = written.map((text) => find('/nowhere', { SEKISHO_ROOT_KEY: text })?.id)
  expect(new Set(ids).size).toBe(1)
})

test.for([
  'short',
  randomBytes(31).toString('base64'),
  randomBytes(33).toString('base64'),
  `${'a'.repeat(42)}!`,
  '='.repeat(44),
])('what is no key of 32 bytes is refused, and where it stands is named: %s', (text) => {
  const code = 'vault.root_key_malformed'
  const refused = expect.objectContaining({ code, details: { place: 'SEKISHO_ROOT_KEY' } })
  expect(() => find('/nowhere', { SEKISHO_ROOT_KEY: text })).toThrow(refused)
})

test('a file is made whole, for its owner only, once; a second maker leaves it as it is', () => {
  const { dataDir } = newDirectory()
  const file = join(dataDir, 'made/here/root.key')
  expect(createKeyFile(file, systemRandom)).toBe(true)
  const text = readFileSync(file, 'utf8')
  expect([statSync(file).mode & 0o777, statSync(join(dataDir, 'made')).mode & 0o777]).toEqual([0o600, 0o700])
  expect(createKeyFile(file, systemRandom)).toBe(false)
  expect(readFileSync(file, 'utf8')).toBe(text)
  expect(existsSync(`${file}.${process.pid}.new`)).toBe(false)
})

test('a file that cannot be read is a failure, one that is missing is none', () => {
  const { dataDir } = newDirectory()
  expect(find(dataDir)).toBeUndefined()
  expect(find(dataDir, { SEKISHO_ROOT_KEY: '' })).toBeUndefined()
  mkdirSync(join(dataDir, 'root.key'))
  expect(() => find(dataDir)).toThrow('EISDIR')
})

test('the file may lie elsewhere, and it is said where others can read it', () => {
  const { dataDir } = newDirectory()
  const file = join(dataDir, 'elsewhere.key')
  writeFileSync(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 })
  const environment = { SEKISHO_ROOT_KEY_FILE: file }
  expect(keyFile({ dataDir, environment })).toBe(file)
  const warned: unknown[] = []
  const log: Log = { ...quiet, warn: (...words) => void warned.push(words) }
  expect(find(dataDir, environment, log)?.place).toBe(file)
  expect(warned).toEqual([])
  chmodSync(file, 0o640)
  find(dataDir, environment, log)
  expect(warned).toEqual([[{ file }, 'vault.root_key_readable_by_others']])
})
