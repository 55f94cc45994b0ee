import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { sekisho, type RunOptions } from '../../cli/gate.ts'
import { newDirectory } from '../../stores/databases.ts'
import { doorOf, filesOf, type Person } from '../place.ts'
import { textFrom } from '../wire.ts'
import { openOutside, type Outside } from './outside.ts'

/** R0-01, R0-07b: a tokens.json in plain text becomes a connection, and the file goes. */
// Each starts a gate, and a command line many times.
vi.setConfig({ testTimeout: 120_000 })

const LIST = 'mal__get_my_anime_list'

async function openPlace(outside: Outside) {
  const { gate, mal } = outside
  const ada = { name: 'ada', ...(await gate.addUser('ada')) }
  const tokens = mal.issueTokens('mika')
  const file = join(newDirectory().dataDir, 'tokens.json')
  const said: string[] = []
  return {
    ada,
    tokens,
    file,
    write: (content: object) => writeFileSync(file, JSON.stringify(content)),
    async run(words: readonly string[], options: RunOptions = {}) {
      const environment = { SEKISHO_DATA: gate.dataDir, ...options.environment }
      const ran = await sekisho(['connection', ...words], { ...options, environment })
      said.push(ran.output, ran.errors)
      return ran
    },
    list: async () => (await gate.admin('GET', '/admin/api/connections')).body,
    /** What was said and kept, which no token may be in. */
    said: () =>
      [...said, gate.log(), ...[...filesOf(gate.dataDir).values()].map((bytes) => bytes.toString('latin1'))].join('\n'),
  }
}

test('tokens of a file are tried, kept, used and renewed; the file is deleted when it was asked for', async () => {
  await using outside = await openOutside()
  const { gate, mal } = outside
  const place = await openPlace(outside)
  const { accessToken: access, refreshToken: refresh } = place.tokens
  place.write({ access_token: access, refresh_token: refresh, expires_at: Date.now() + 86_400_000, user_id: 'mika' })
  const taken = await place.run(['import', 'mal', place.file, '--user', 'ada'])
  expect(taken).toMatchObject({ code: 0, output: expect.stringContaining('of ada at MyAnimeList (mika) is connected') })
  expect([taken.output.includes('delete it'), existsSync(place.file)]).toEqual([true, true])
  expect(await textFrom(doorOf(gate, place.ada), LIST)).toMatch(/12/)

  mal.expireTokens('mika')
  const before = refreshesOf(outside)
  expect(await textFrom(doorOf(gate, place.ada), LIST, { limit: 50 })).toMatch(/12/)
  expect(refreshesOf(outside)).toBe(before + 1)

  const again = await place.run(['import', 'mal', place.file, '--user', 'ada', '--delete'])
  expect(again).toMatchObject({ code: 1, errors: expect.stringContaining('is connected already') })
  expect(existsSync(place.file)).toBe(true)
  expect(await place.run(['remove', 'myanimelist', '--user', 'ada'])).toMatchObject({ code: 0 })
  const more = mal.issueTokens('mika')
  place.write({
    access_token: more.accessToken,
    refresh_token: more.refreshToken,
    token_type: 'Bearer',
    expires_in: 3_600,
  })
  const deleted = await place.run(['import', 'mal', place.file, '--user', 'ada', '--delete', '--json'])
  expect(JSON.parse(deleted.output)).toMatchObject({
    account: 'mika',
    status: 'connected',
    checked: true,
    deleted: true,
  })
  expect(existsSync(place.file)).toBe(false)
  for (const token of [access, refresh, more.accessToken, more.refreshToken]) expect(place.said()).not.toContain(token)
})

test('an access token that has ended is renewed at once; who has one of the two only may have no more', async () => {
  await using outside = await openOutside()
  const place = await openPlace(outside)
  const { accessToken: access_token, refreshToken: refresh_token } = place.tokens
  outside.mal.expireTokens('mika')
  place.write({ access_token, refresh_token, expires_at: Date.now() - 3_600_000 })
  expect(await place.run(['import', 'mal', place.file, '--user', 'ada'])).toMatchObject({
    code: 0,
    errors: expect.not.stringContaining('renewed'),
  })
  expect(await textFrom(doorOf(outside.gate, place.ada), LIST)).toMatch(/12/)
  await place.run(['remove', 'myanimelist', '--user', 'ada'])
  place.write({ access_token: outside.mal.issueTokens('mika').accessToken })
  const alone = await place.run(['import', 'mal', place.file, '--user', 'ada'])
  expect(alone).toMatchObject({ code: 0, errors: expect.stringContaining('cannot be renewed') })
})

test('tokens that the provider does not accept leave nothing behind, and the file where it is', async () => {
  await using outside = await openOutside()
  const place = await openPlace(outside)
  const { accessToken: access_token, refreshToken: refresh_token } = place.tokens
  const refused = { code: 1, errors: expect.stringContaining('MyAnimeList does not accept these tokens') }
  const attempt = () => place.run(['import', 'mal', place.file, '--user', 'ada', '--delete'])
  place.write({ access_token: 'made-up', refresh_token: 'made-up-too' })
  expect(await attempt()).toMatchObject(refused)
  place.write({ access_token: 'made-up' })
  expect(await attempt()).toMatchObject(refused)
  place.write({ access_token, refresh_token, expires_at: Date.now() + 86_400_000 })
  outside.mal.revoke('mika')
  expect(await attempt()).toMatchObject(refused)
  expect([await place.list(), existsSync(place.file)]).toEqual([{ connections: [] }, true])
})

test('a provider that does not answer costs no tokens: they are kept and tried with the next call, and so is the file', async () => {
  await using outside = await openOutside()
  const place = await openPlace(outside)
  const { accessToken: access_token, refreshToken: refresh_token } = place.tokens
  place.write({ access_token, refresh_token, expires_at: Date.now() - 3_600_000 })
  outside.mal.expireTokens('mika')
  outside.mal.settings.refreshReply = 'html'
  const ran = await place.run(['import', 'mal', place.file, '--user', 'ada', '--delete'])
  expect(ran).toMatchObject({ code: 0, errors: expect.stringContaining('once a call has worked') })
  expect(existsSync(place.file)).toBe(true)
  expect(await place.list()).toMatchObject({ connections: [{ status: 'connected', account: null }] })
  outside.mal.settings.refreshReply = 'ok'
  // A failed renewal is left alone for some seconds.
  await expect.poll(() => calls(outside, place.ada), { timeout: 20_000, interval: 500 }).toMatch(/12/)
})

test('a server without such an account, one there is not, and a member’s key for somebody else are refused', async () => {
  const config = {
    mcpServers: {
      mal: { builtin: 'mal' },
      plain: { command: 'node' },
      own: { url: 'http://127.0.0.1:9/mcp', oauth: true },
    },
  }
  await using outside = await openOutside({ config })
  const place = await openPlace(outside)
  await outside.gate.addUser('bob')
  place.write({ access_token: place.tokens.accessToken })
  for (const server of ['plain', 'own']) {
    const ran = await place.run(['import', server, place.file, '--user', 'ada'])
    expect(ran).toMatchObject({
      code: 1,
      errors: expect.stringContaining(`${server} takes no tokens of another program`),
    })
  }
  expect((await place.run(['import', 'nobody', place.file, '--user', 'ada'])).errors).toContain('nobody')
  const member = { environment: { SEKISHO_KEY: place.ada.key } }
  const forBob = await place.run(['import', 'mal', place.file, '--user', 'bob', '--url', outside.gate.url], member)
  expect(forBob).toMatchObject({ code: 1 })
  expect(await place.list()).toEqual({ connections: [] })
  expect(await place.run(['import', 'mal', place.file, '--url', outside.gate.url], member)).toMatchObject({ code: 0 })
  expect(await place.list()).toMatchObject({ connections: [{ user: 'ada', account: 'mika', status: 'connected' }] })
})

async function calls({ gate }: Outside, who: Person): Promise<string> {
  return textFrom(doorOf(gate, who), LIST).catch(() => '')
}

function refreshesOf({ mal }: Outside): number {
  return mal.requests.filter(({ method, path }) => method === 'POST' && path === '/v1/oauth2/token').length
}
