import { users } from '@sekisho/playground/mal/users'
import { expect, test } from 'vitest'
import { createBrowser, type Browser } from '../../../../../scripts/lib/browser.ts'
import { connectMal, PASSWORD } from '../../../../../scripts/lib/people.ts'
import { openOutside, type Outside } from '../journey/outside.ts'
import { doorOf } from '../place.ts'
import { send, type Door } from '../wire.ts'
import { ask, knock, letIn, openBrowserOf, post, refresh, register, registerClient, revoke } from './client.ts'

/** Every step is counted, as it ended: R1-11. */
const LIST = { name: 'mal__get_my_anime_list', arguments: {} }

test('the steps of OAuth are counted by how they ended', async () => {
  await using outside = await openOutside()
  const { gate, publicUrl, mal } = outside
  const browser = await openBrowserOf(gate, 'ada')
  const counted = () => sampler(outside, 'oauth_operations_total')

  // 1. Toward clients.
  const held = await letIn(publicUrl, browser)
  const refused = await browser.open(ask(publicUrl, await registerClient(publicUrl)).url.href)
  await refused.press(/^Refuse/)
  await browser.open(ask(publicUrl, 'nobody').url.href)
  await register(publicUrl, { redirect_uris: ['http://example.com/callback'] })
  await register(publicUrl, { redirect_uris: 'none' })
  await refresh(publicUrl, { ...held, refreshToken: 'none' })
  await post(publicUrl, '/token', { grant_type: 'password', client_id: held.clientId })
  await revoke(publicUrl, held.clientId, held.accessToken)
  await revoke(publicUrl, 'nobody', held.accessToken)
  expect(await counted()).toMatchObject({
    'authorize ok': 1,
    'authorize asked': 2,
    'authorize access_denied': 1,
    'authorize invalid_client': 1,
    'token ok': 1,
    'token invalid_grant': 1,
    'token unsupported_grant_type': 1,
    'register ok': 2,
    'register invalid_redirect_uri': 2,
    'revoke ok': 1,
    'revoke invalid_client': 1,
  })

  // 2. Toward providers: refused there, connected, renewed; and another's, which is ended there.
  const away = await (await browser.open(`${publicUrl}/connect/mal`)).press(/^Continue to MyAnimeList/)
  const asked = await away.press(/^Sign in/, { user_name: 'mika', password: passwordOf('mika') })
  await asked.press(/^(?:Deny|Cancel|Refuse)/)
  const ada = await connected(outside, browser, 'mika')
  mal.expireTokens('mika')
  await send(ada, 'tools/call', LIST)
  const ben = await connected(outside, await openBrowserOf(gate, 'ben'), 'haru')
  mal.revoke('haru')
  await send(ben, 'tools/call', LIST)
  expect(await counted()).toMatchObject({
    'connect ok': 2,
    'connect failed': 1,
    'refresh ok': 1,
    'refresh rejected': 1,
  })
})

test('who came to MCP is counted, whatever they came with, and how many browsers are signed in', async () => {
  await using outside = await openOutside()
  const { gate, publicUrl } = outside
  const signedIn = async () => (await sampler(outside, 'oauth_active_sessions'))['']
  expect(await signedIn()).toBe(0)

  const browser = await openBrowserOf(gate, 'ada')
  const { accessToken } = await letIn(publicUrl, browser)
  const { key } = await gate.addUser('ben')
  await knock(gate, accessToken)
  await knock(gate, key)
  await knock(gate, `${accessToken.slice(0, -1)}_`)
  await fetch(`${gate.url}/mcp`, { method: 'POST', body: '{}' })
  expect(await sampler(outside, 'sekisho_auth_total')).toEqual({ ok: 2, invalid: 1, missing: 1 })

  expect(await signedIn()).toBe(1)
  const form = await createBrowser().open(`${publicUrl}/sign-in`)
  const second = await form.press(/^Sign in/, { name: 'ada', password: PASSWORD })
  expect(await signedIn()).toBe(2)
  await second.press(/^Sign out/)
  expect(await signedIn()).toBe(1)
  await gate.admin('DELETE', '/admin/api/users/ada')
  expect(await signedIn()).toBe(0)
})

/** A client of somebody who connected that account. */
async function connected({ gate, publicUrl }: Outside, browser: Browser, account: string): Promise<Door> {
  const { accessToken } = await letIn(publicUrl, browser)
  await connectMal(browser, `${publicUrl}/connect/mal`, { name: account, password: passwordOf(account) })
  return doorOf(gate, { key: accessToken })
}

function passwordOf(account: string): string {
  return users.find(({ name }) => name === account)?.password ?? ''
}

/** The values of one metric, each by the values of its labels. */
async function sampler({ gate }: Outside, metric: string): Promise<Record<string, number>> {
  const { body } = await gate.admin('GET', '/metrics')
  const samples = String(body)
    .split('\n')
    .flatMap((line) => {
      const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
      const values = [...labels.matchAll(/="([^"]*)"/g)].map(([, text]) => text)
      return name === metric ? [[values.join(' '), Number(value)] as const] : []
    })
  return Object.fromEntries(samples)
}
