import { expect, test } from 'vitest'
import { connectMal } from '../../../../scripts/lib/people.ts'
import { enter, malAccount } from '../attacks/ground.ts'
import { openOutside } from './journey/outside.ts'
import { call, textFrom, type Door } from './wire.ts'

test('one user has several accounts of a provider, each for a server of its own, and chooses by its name (R0-12)', async () => {
  const account = { builtin: 'mal', toolsets: ['account'] }
  await using outside = await openOutside({
    providers: { 'mal-second': { like: 'myanimelist', name: 'MyAnimeList, the other account' } },
    config: { mcpServers: { mine: account, other: { ...account, provider: 'mal-second' } } },
  })
  const browser = await enter(outside, 'ada')
  const { publicUrl, gate } = outside
  await connectMal(browser, `${publicUrl}/connect/mine`, malAccount('mika'))
  const between = (await browser.open(`${publicUrl}/account`)).text
  expect(between).toMatch(/other[\s\S]*not connected[\s\S]*Connect MyAnimeList, the other account/)

  const link = await browser.open(`${publicUrl}/connect/other`)
  const { name, password } = malAccount('haru')
  const consent = await link.press(/^Continue to MyAnimeList/)
  const login = await consent.press(/^Use another account/)
  await (await login.press(/^Sign in/, { user_name: name, password })).press(/^Allow/)
  const page = (await browser.open(`${publicUrl}/account`)).text
  for (const account of ['mika', 'haru']) expect(page).toMatch(new RegExp(`Account\\s+${account}`))

  const { body } = await gate.admin('POST', '/admin/api/keys', { user: 'ada', scopes: ['mcp'] })
  const door: Door = { url: `${publicUrl}/mcp`, key: (body as { key: string }).key, era: 'modern' }
  const profiles = ['mine', 'other'].map((server) => textFrom(door, `${server}__get_my_profile`))
  expect(await Promise.all(profiles)).toEqual([expect.stringContaining('mika'), expect.stringContaining('haru')])

  await (await browser.open(`${publicUrl}/account/servers/other/disconnect`)).press(/^Disconnect/)
  expect(await textFrom(door, 'mine__get_my_profile')).toContain('mika')
  expect(await call(door, 'other__get_my_profile')).toMatchObject({ isError: true })
})
