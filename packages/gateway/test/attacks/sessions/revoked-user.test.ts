import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectMal } from '../../../../../scripts/lib/people.ts'
import { openOutside, type Outside } from '../../e2e/journey/outside.ts'
import { authorization, enter, knock, letIn, malAccount, refresh, register, send, withinASecond } from '../ground.ts'

/** R1-11, R1-20: a user who is removed has nothing left, at once; OWASP ASVS 5.0 §7.4 and §10.4. */
let outside: Outside
beforeAll(async () => {
  outside = await openOutside()
})
afterAll(() => outside[Symbol.asyncDispose]())

test('with a user end their tokens, sessions, keys, questions under way and connections, and a namesake gets none of them (CWE-613)', async () => {
  const { gate, publicUrl } = outside
  const browser = await enter(outside, 'ada')
  const held = await letIn(outside, browser)
  const { key } = (await gate.admin('POST', '/admin/api/keys', { user: 'ada', scopes: ['mcp'] })).body as {
    key: string
  }
  await connectMal(browser, `${publicUrl}/connect/mal`, malAccount())
  const asked = await browser.open(authorization(outside, await register(outside)).href)
  expect(asked.has(/^Allow/)).toBe(true)
  const cookie = await browser.cookies(publicUrl)
  const link = await gate.admin('POST', '/admin/api/users/ada/invitation', {})
  const { url } = link.body as { url: string }
  for (const token of [held.accessToken, key]) expect(await knock(`${publicUrl}/mcp`, token)).toBe(200)

  expect((await gate.admin('DELETE', '/admin/api/users/ada')).status).toBe(204)
  for (const token of [held.accessToken, key])
    expect(await withinASecond(async () => (await knock(`${publicUrl}/mcp`, token)) === 401)).toBe(true)
  expect((await refresh(outside, held.clientId, held.refreshToken)).status).toBe(400)
  expect((await send(`${publicUrl}/account`, { headers: { cookie } })).location?.pathname).toBe('/sign-in')
  expect((await send(url)).status).toBe(404)
  const answered = await asked.press(/^Allow/)
  expect(new URL(answered.url).searchParams.has('code')).toBe(false)

  const namesake = await enter(outside, 'ada')
  for (const token of [held.accessToken, key]) expect(await knock(`${publicUrl}/mcp`, token)).toBe(401)
  expect((await send(`${publicUrl}/account`, { headers: { cookie } })).location?.pathname).toBe('/sign-in')
  expect((await namesake.open(`${publicUrl}/account`)).has(/^Test/)).toBe(false)
  expect((await namesake.open(`${publicUrl}/account/clients`)).has(/^Revoke/)).toBe(false)
  expect((await namesake.open(authorization(outside, held.clientId).href)).has(/^Allow/)).toBe(true)
})

/** OWASP Session Management Cheat Sheet: signing out, and a new password, end what may be why. */
test('a session that was ended, by signing out or by a new password, opens nothing', async () => {
  const { gate, publicUrl } = outside
  const browser = await enter(outside, 'bob')
  const cookie = await browser.cookies(publicUrl)
  const page = await browser.open(`${publicUrl}/account`)
  await page.press(/^Sign out/)
  expect((await send(`${publicUrl}/account`, { headers: { cookie } })).location?.pathname).toBe('/sign-in')

  const again = await enter({ gate: { ...gate, inviteUser: () => newLink('bob') } }, 'bob')
  const old = await again.cookies(publicUrl)
  await enter({ gate: { ...gate, inviteUser: () => newLink('bob') } }, 'bob')
  expect((await send(`${publicUrl}/account`, { headers: { cookie: old } })).location?.pathname).toBe('/sign-in')
})

async function newLink(user: string): Promise<string> {
  const { body } = await outside.gate.admin('POST', `/admin/api/users/${user}/invitation`, {})
  return (body as { url: string }).url
}

/** A revoked client begins from the beginning: its codes, too, are worth nothing. */
test('a client that its user revoked has no token, and a code it still holds makes none', async () => {
  const { publicUrl } = outside
  const browser = await enter(outside, 'carol')
  const held = await letIn(outside, browser)
  expect(await knock(`${publicUrl}/mcp`, held.accessToken)).toBe(200)
  const again = new URL((await browser.open(authorization(outside, held.clientId).href)).url)
  const code = again.searchParams.get('code') ?? ''
  expect(code).not.toBe('')

  await (await browser.open(`${publicUrl}/account/clients`)).press(/^Revoke/)
  expect(await knock(`${publicUrl}/mcp`, held.accessToken)).toBe(401)
  expect((await refresh(outside, held.clientId, held.refreshToken)).status).toBe(400)
  const form = {
    grant_type: 'authorization_code',
    client_id: held.clientId,
    code,
    redirect_uri: 'http://127.0.0.1:6789/callback',
    code_verifier: 'v'.repeat(64),
  }
  expect((await send(`${publicUrl}/token`, { form })).body).toMatchObject({ error: 'invalid_grant' })
})
