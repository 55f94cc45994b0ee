import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemRandom } from '../../src/base/ids.ts'
import { secret } from '../../src/base/secret.ts'
import { givenPassphrase, isProtected, protect, unprotect } from '../../src/vault/passphrase.ts'
import { newDirectory } from '../stores/databases.ts'

const KEY = secret(Buffer.alloc(32, 5).toString('base64'))
const PASSPHRASE = secret('four words like these')
const CUT = { code: 'vault.root_key_malformed', details: { place: '/the/file' } }

test('what a passphrase protects it alone opens, and it is another text each time', async () => {
  const [one, two] = [await protect(KEY, PASSPHRASE, systemRandom), await protect(KEY, PASSPHRASE, systemRandom)]
  expect(one.reveal()).not.toBe(two.reveal())
  expect([one.reveal(), two.reveal(), KEY.reveal()].map(isProtected)).toEqual([true, true, false])
  expect((await unprotect(`${one.reveal()}\n`, PASSPHRASE, '/the/file')).reveal()).toBe(KEY.reveal())
  const wrong = unprotect(one.reveal(), secret('four words like those'), '/the/file')
  await expect(wrong).rejects.toMatchObject({ code: 'vault.passphrase_wrong', details: { place: '/the/file' } })
})

test('the letters of a passphrase count, not how they are spelled', async () => {
  const sealed = await protect(KEY, secret('cafe\u0301 cafe\u0301 cafe\u0301'), systemRandom)
  expect((await unprotect(sealed.reveal(), secret('café café café'), '/the/file')).reveal()).toBe(KEY.reveal())
})

test('what was changed does not open, whatever it was', async () => {
  const sealed = JSON.parse((await protect(KEY, PASSPHRASE, systemRandom)).reveal())
  const flipped = Buffer.from(sealed.sealed, 'base64')
  flipped[20] = (flipped[20] ?? 0) ^ 1
  const wrong = { code: 'vault.passphrase_wrong' }
  const opening = (change: object) => unprotect(JSON.stringify({ ...sealed, ...change }), PASSPHRASE, '/the/file')
  await expect(opening({ sealed: flipped.toString('base64') })).rejects.toMatchObject(wrong)
  await expect(opening({ N: 65_536 })).rejects.toMatchObject(wrong)
  await expect(opening({ salt: 'AAAA' })).rejects.toMatchObject(wrong)
  await expect(opening({ N: 2 ** 40 })).rejects.toMatchObject(CUT)
  await expect(opening({ N: 1 })).rejects.toMatchObject(CUT)
  await expect(opening({ N: 100_000 })).rejects.toMatchObject(CUT)
  await expect(opening({ N: 1_048_576, r: 16 })).rejects.toMatchObject(CUT)
  await expect(opening({ N: 131_072, p: 16 })).rejects.toMatchObject(CUT)
  await expect(opening({ version: 2 })).rejects.toMatchObject(CUT)
  await expect(opening({ more: true })).rejects.toMatchObject(CUT)
  await expect(unprotect('{"sekisho":', PASSPHRASE, '/the/file')).rejects.toMatchObject(CUT)
})

test('a passphrase of eleven characters is too short, however many bytes they are', async () => {
  const short = protect(KEY, secret('関'.repeat(11)), systemRandom)
  await expect(short).rejects.toMatchObject({ code: 'vault.passphrase_short', message: expect.stringContaining('12') })
  expect(await protect(KEY, secret('関'.repeat(12)), systemRandom)).toBeDefined()
})

test('the environment gives a passphrase, or the file that holds it, of which one line break does not count', () => {
  const file = join(newDirectory().dataDir, 'passphrase')
  writeFileSync(file, ' with spaces \n')
  const given = (environment: Record<string, string>) => givenPassphrase({ environment })?.reveal()
  expect(given({})).toBeUndefined()
  expect(given({ SEKISHO_ROOT_KEY_PASSPHRASE: '' })).toBeUndefined()
  expect(given({ SEKISHO_ROOT_KEY_PASSPHRASE_FILE: file })).toBe(' with spaces ')
  expect(given({ SEKISHO_ROOT_KEY_PASSPHRASE_FILE: file, SEKISHO_ROOT_KEY_PASSPHRASE: 'given' })).toBe('given')
  const missing = expect.objectContaining({
    code: 'vault.file_unreadable',
    details: expect.objectContaining({ file: `${file}.missing` }),
  })
  expect(() => given({ SEKISHO_ROOT_KEY_PASSPHRASE_FILE: `${file}.missing` })).toThrow(missing)
})
