import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readTokenFile } from '../../src/cli/token-file.ts'
import { newDirectory } from '../stores/databases.ts'

const AT = 1_790_000_000_000

function write(text: string): string {
  const file = join(newDirectory().dataDir, 'tokens.json')
  writeFileSync(file, text)
  utimesSync(file, AT / 1_000, AT / 1_000)
  return file
}

async function read(content: object) {
  const { accessToken, refreshToken, ...rest } = await readTokenFile(write(JSON.stringify(content)))
  return { access: accessToken.reveal(), refresh: refreshToken?.reveal(), ...rest }
}

test('the tokens.json of another program is read', async () => {
  const file = { access_token: 'eyJ0.a.b', refresh_token: 'def50200', expires_at: AT + 5, user_id: 'mika' }
  const rest = { expiresAt: AT + 5, scopes: undefined }
  expect(await read(file)).toEqual({ access: 'eyJ0.a.b', refresh: 'def50200', ...rest })
  expect(await read({ ...file, user_id: 17, expires_at: AT + 5.7 })).toMatchObject({ expiresAt: AT + 5 })
  expect(await read({ access_token: 'a', refresh_token: null, expires_at: null })).toEqual({
    access: 'a',
    refresh: undefined,
    expiresAt: undefined,
    scopes: undefined,
  })
})

test('the reply of a token endpoint is read: it was given when the file was written', async () => {
  const reply = { token_type: 'Bearer', expires_in: 3_600, access_token: 'a', refresh_token: 'r', scope: 'read  write' }
  expect(await read(reply)).toEqual({
    access: 'a',
    refresh: 'r',
    expiresAt: AT + 3_600_000,
    scopes: ['read', 'write'],
  })
  expect(await read({ ...reply, expires_in: 0 })).toMatchObject({ expiresAt: AT })
})

test.for([
  ['', 'it is no JSON object'],
  ['not json', 'it is no JSON object'],
  ['"HIDDEN"', 'it is no JSON object'],
  ['[{"access_token":"HIDDEN"}]', 'it is no JSON object'],
  ['{}', 'access_token is missing'],
  ['{"access_token":""}', 'access_token is empty, too long, or no token'],
  ['{"access_token":"HIDDEN\\n"}', 'access_token is empty, too long, or no token'],
  [`{"access_token":"${'x'.repeat(8_193)}"}`, 'access_token is empty, too long, or no token'],
  ['{"access_token":17}', 'access_token is no text'],
  ['{"access_token":"HIDDEN","refresh_token":{}}', 'refresh_token is no text'],
  ['{"access_token":"HIDDEN","expires_at":1790000000}', 'expires_at is not in milliseconds since 1970'],
  ['{"access_token":"HIDDEN","expires_at":"2026-09-01"}', 'expires_at is no number'],
  ['{"access_token":"HIDDEN","expires_in":-1}', 'expires_in is less than nothing'],
  ['{"access_token":"HIDDEN","expires_in":5,"expires_at":1790000000000}', 'expires_at and expires_in say it twice'],
  ['{"access_token":"HIDDEN","token_type":"mac"}', 'token_type is another than Bearer'],
  ['{"access_token":"HIDDEN","user_id":[]}', 'user_id is no text and no number'],
  ['{"access_token":"HIDDEN","mal":{},"s3cr3t HIDDEN":1}', 'it has more in it than the tokens of one account (mal)'],
  [`{"access_token":"HIDDEN"}${' '.repeat(65_536)}`, 'it is too large'],
] as const)('what is no such file is refused, in words that hold nothing of it: %s', async ([text, reason]) => {
  const file = write(text)
  const failure = await readTokenFile(file).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'cli.tokens_malformed', details: { file, reason } })
  expect(JSON.stringify(failure)).not.toContain('HIDDEN')
})

test('a file that cannot be read is named', async () => {
  const file = join(newDirectory().dataDir, 'missing.json')
  await expect(readTokenFile(file)).rejects.toMatchObject({ code: 'cli.file_unreadable', details: { file } })
})
