import { afterAll, beforeAll, expect, test } from 'vitest'
import { createBrowser, type Browser } from '../../../../../scripts/lib/browser.ts'
import { PASSWORD } from '../../../../../scripts/lib/people.ts'
import { openListening } from '../open-streams.ts'
import { doorOf } from '../place.ts'
import { openOutside, type Outside } from '../journey/outside.ts'
import { knock, letIn, openBrowserOf, refresh, revoke, type Held } from './client.ts'

/** What is taken back opens nothing from then on, although it was believed a moment before: R0-04, R3-06. */
const SOON_MS = 1_000
let outside: Outside
beforeAll(async () => {
  outside = await openOutside()
})
afterAll(() => outside[Symbol.asyncDispose]())

let people = 0
async function newPerson(): Promise<{ name: string; browser: Browser }> {
  const name = `person${++people}`
  return { name, browser: await openBrowserOf(outside.gate, name) }
}

/** Lets a client in and calls with its token, which the gate then knows by heart. */
async function letInAndCall(browser: Browser, clientId?: string): Promise<Held> {
  const held = await letIn(outside.publicUrl, browser, clientId)
  expect(await knock(outside.gate, held.accessToken)).toBe(200)
  return held
}

/** Asks again and again until it is refused, or it took too long. */
async function expectRefusedSoon(token: string): Promise<void> {
  const began = performance.now()
  while ((await knock(outside.gate, token)) !== 401) expect(performance.now() - began).toBeLessThan(SOON_MS)
  expect(performance.now() - began).toBeLessThan(SOON_MS)
}

test('an access token that its client revoked, with all that came of the same sign-in', async () => {
  const { browser } = await newPerson()
  const held = await letInAndCall(browser)
  expect((await revoke(outside.publicUrl, held.clientId, held.accessToken)).status).toBe(200)
  await expectRefusedSoon(held.accessToken)
  expect(await refresh(outside.publicUrl, held)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
})

test('a refresh token that its client revoked, with the access tokens that came of it', async () => {
  const { browser } = await newPerson()
  const held = await letInAndCall(browser)
  const other = await letInAndCall(browser)
  expect((await revoke(outside.publicUrl, held.clientId, held.refreshToken)).status).toBe(200)
  await expectRefusedSoon(held.accessToken)
  expect(await refresh(outside.publicUrl, held)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  expect(await knock(outside.gate, other.accessToken)).toBe(200)
})

test('a client cannot revoke what is another’s', async () => {
  const { browser } = await newPerson()
  const held = await letInAndCall(browser)
  const other = await letInAndCall(browser)
  await revoke(outside.publicUrl, other.clientId, held.accessToken)
  await revoke(outside.publicUrl, other.clientId, held.refreshToken)
  expect(await knock(outside.gate, held.accessToken)).toBe(200)
  expect((await refresh(outside.publicUrl, held)).status).toBe(200)
})

test('a client that its user lets in no more, with all its tokens; it has to ask again', async () => {
  const { browser } = await newPerson()
  const held = await letInAndCall(browser)
  const again = await letInAndCall(browser, held.clientId)
  const page = await browser.open(`${outside.publicUrl}/account/clients`)
  expect((await page.press(/^Revoke/)).status).toBe(200)
  await expectRefusedSoon(held.accessToken)
  await expectRefusedSoon(again.accessToken)
  const { text } = await browser.open(`${outside.publicUrl}/account/security`)
  expect(text).toMatch(/Client revoked\s+Test\s+127\.0\.0\.1/)
  for (const each of [held, again]) expect((await refresh(outside.publicUrl, each)).status).toBe(400)
  expect(await knock(outside.gate, (await letIn(outside.publicUrl, browser, held.clientId)).accessToken)).toBe(200)
})

test('a stream that a client keeps open ends when its user lets it in no more, and when it gives its tokens back', async () => {
  const { browser } = await newPerson()
  const [held, other] = [await letInAndCall(browser), await letInAndCall(browser)]
  const going = await openListening(doorOf(outside.gate, { key: other.accessToken }))

  const revoked = await openListening(doorOf(outside.gate, { key: held.accessToken }))
  expect((await revoke(outside.publicUrl, held.clientId, held.refreshToken)).status).toBe(200)
  await revoked.ended
  expect(await knock(outside.gate, other.accessToken)).toBe(200)
  expect(going.isOpen()).toBe(true)

  for (let left = await browser.open(`${outside.publicUrl}/account/clients`); left.has(/^Revoke/);)
    left = await left.press(/^Revoke/)
  await going.ended
})

test('a user who is removed, with every token and every browser', async () => {
  const { name, browser } = await newPerson()
  const held = await letInAndCall(browser)
  expect((await browser.open(`${outside.publicUrl}/account`)).status).toBe(200)
  expect((await outside.gate.admin('DELETE', `/admin/api/users/${name}`)).status).toBe(204)
  await expectRefusedSoon(held.accessToken)
  expect((await refresh(outside.publicUrl, held)).status).toBe(400)
  expect(new URL((await browser.open(`${outside.publicUrl}/account`)).url).pathname).toBe('/sign-in')
})

test('a browser that was signed out from another one; the clients of its user go on', async () => {
  const { name, browser } = await newPerson()
  const other = createBrowser()
  const form = await other.open(`${outside.publicUrl}/sign-in`)
  expect(new URL((await form.press(/^Sign in/, { name, password: PASSWORD })).url).pathname).toBe('/account')
  const held = await letInAndCall(browser)

  const sessions = await other.open(`${outside.publicUrl}/account/sessions`)
  await sessions.press(/^Sign out all other browsers/)
  expect(new URL((await browser.open(`${outside.publicUrl}/account`)).url).pathname).toBe('/sign-in')
  expect((await other.open(`${outside.publicUrl}/account`)).status).toBe(200)
  expect(await knock(outside.gate, held.accessToken)).toBe(200)
})

test('every browser of a user who was sent a link and chose another password', async () => {
  const { name, browser } = await newPerson()
  const { body } = await outside.gate.admin('POST', `/admin/api/users/${name}/invitation`, {})
  const other = createBrowser()
  const page = await other.open((body as { url: string }).url)
  await page.press(/^Set the password/, { password: `${PASSWORD}, again`, again: `${PASSWORD}, again` })
  expect(new URL((await browser.open(`${outside.publicUrl}/account`)).url).pathname).toBe('/sign-in')
})
