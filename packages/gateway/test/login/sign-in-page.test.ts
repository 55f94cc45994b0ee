import { expect, test } from 'vitest'
import { createBrowser, type Page } from '../../../../scripts/lib/browser.ts'
import { openHouse, signInWithPassword, type House } from './federated/house.ts'

/** What the page says where people sign in, and to whom it says it. */
const TOLD_OF_A_TENANT = /If you were told of a tenant/
const ONLY_ELSEWHERE = /No account there, or not linked yet\?/
const AGAIN = /Say once more that it is you/

const open = (house: House, query = ''): Promise<Page> => createBrowser().open(`${house.url}/sign-in${query}`)

test('speaks of tenants where there are some, and of signing out to who has just done that', async () => {
  await using house = await openHouse()
  const page = await open(house)
  for (const unsaid of [TOLD_OF_A_TENANT, ONLY_ELSEWHERE, AGAIN, /You are signed out/])
    expect(page.text).not.toMatch(unsaid)
  expect((await open(house, '?done=signedOut')).text).toMatch(/You are signed out in this browser/)
  expect((await open(house, '?done=else')).text).not.toMatch(/You are signed out/)
  await using divided = await openHouse({ config: { tenants: { staff: {} } } })
  expect((await open(divided)).text).toMatch(TOLD_OF_A_TENANT)
})

test('may lead away where it offers a provider, or somebody was going somewhere, and else nowhere', async () => {
  await using house = await openHouse()
  const leadsAway = async (at: House, query = '') =>
    !(await open(at, query)).headers.get('content-security-policy')?.includes("form-action 'self'")
  expect(await leadsAway(house)).toBe(true)
  await using alone = await openHouse({ config: { signIn: {} } })
  expect([await leadsAway(alone), await leadsAway(alone, '?next=%2Faccount')]).toEqual([false, true])
})

test('where providers are the only way, it says what to do without an account there', async () => {
  await using house = await openHouse({
    corp: { createUsers: true },
    config: { tenants: { default: { signIn: { methods: [] } } } },
  })
  const page = await open(house)
  expect([page.has(/^Sign in$/), page.has(/Use a passkey/), page.has(/Continue with Corp/)]).toEqual([
    false,
    false,
    true,
  ])
  expect(page.text).toMatch(ONLY_ELSEWHERE)
  // A form of a way that there is not.
  const { html, headers } = page
  const csrf = /name="csrf" value="([^"]*)"/.exec(html)?.[1] ?? ''
  const cookie = headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const body = new URLSearchParams({ csrf, name: 'ada', password: 'x' })
  const sent = await fetch(`${house.url}/sign-in`, { method: 'POST', headers: { cookie, origin: house.url }, body })
  expect(sent.status).toBe(404)
})

test('what is missing, or was refused, stands beside the name; a passkey that is missing beside no field', async () => {
  await using house = await openHouse()
  await house.person('ada')
  const page = await open(house)
  const missing = await page.press(/^Sign in$/, { name: 'ada' })
  expect([missing.status, missing.text]).toEqual([400, expect.stringContaining('Enter your name and your password')])
  expect(missing.html).toMatch(/<a href="#name">/)
  expect(missing.html).toMatch(/name="name"[^>]*value="ada"|value="ada"[^>]*name="name"/)
  const refused = await page.press(/^Sign in$/, { name: 'ada', password: 'not hers' })
  expect([refused.status, /<a href="#name">/.test(refused.html)]).toEqual([400, true])
  const passkey = await page.press(/^Sign in$/, { way: 'passkey', name: 'ada' })
  expect([passkey.status, passkey.text]).toEqual([400, expect.stringContaining('Your browser sent no passkey')])
  expect(passkey.html).not.toMatch(/<a href="#/)
})

test('whoever is signed in is led on, and asked once more under their own name where that is wanted', async () => {
  await using house = await openHouse({ config: { tenants: { staff: { signIn: { methods: ['password'] } } } } })
  const { browser } = await house.person('ada')
  expect((await browser.open(`${house.url}/sign-in`)).url).toBe(`${house.url}/account`)
  expect((await browser.open(`${house.url}/sign-in?next=%2Faccount%2Fclients`)).url).toBe(
    `${house.url}/account/clients`,
  )
  const again = await browser.open(`${house.url}/sign-in/again?next=%2Faccount%2Fclients`)
  expect(again.text).toMatch(AGAIN)
  expect(again.html).toMatch(/name="name"[^>]*value="ada"|value="ada"[^>]*name="name"/)
  // What is typed next is the password, and not in the place of the name.
  expect(again.html).toMatch(/<input[^>]*name="password"[^>]*autofocus/)
  expect(again.html).not.toMatch(/<input[^>]*name="name"[^>]*autofocus/)
  expect((await open(house)).html).toMatch(/<input[^>]*name="name"[^>]*autofocus/)
  expect(again.has(/Use a passkey/)).toBe(true)
  expect(again.html).toContain('name="again"')
  const plain = await browser.open(`${house.url}/sign-in?again=`)
  expect([AGAIN.test(plain.text), plain.html.includes('name="again"')]).toEqual([false, true])
  expect((await open(house)).html).not.toContain('name="again"')
  expect((await createBrowser().open(`${house.url}/sign-in/again?next=%2Faccount`)).url).toBe(
    `${house.url}/sign-in?next=%2Faccount`,
  )
  await signInWithPassword(house, 'ada', browser)
  expect(await house.whoIs(browser)).toBe('ada')
})
