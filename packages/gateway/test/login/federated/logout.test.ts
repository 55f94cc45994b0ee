import { describe, expect, test } from 'vitest'
import type { LogoutTokenChange } from '@sekisho/playground/identity'
import { openSchema } from '../../e2e/sign-in/postgres.ts'
import { withoutPostgres } from '../../stores/databases.ts'
import { openHouse, signInAs, signInWithPassword, linkTo, type House } from './house.ts'

/** OpenID Connect Back-Channel Logout 1.0: R3-32a, R3-32c. */

describe('a logout at the provider', () => {
  test('ends the session here at once, in every browser that it vouched for', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const [one, two] = [await signInAs(house, 'ben'), await signInAs(house, 'ben')]
    const { browser: other } = await signInAs(house, 'ada')
    expect(await house.idp.signOut('ben')).toBe(2)
    expect(await house.whoIs(one.browser)).toBeUndefined()
    expect(await house.whoIs(two.browser)).toBeUndefined()
    expect(await house.whoIs(other)).toBe('ada')
    expect((await house.audited()).at(-1)).toMatchObject({ kind: 'login.ended_elsewhere', provider: 'corp', count: 1 })
  })

  test('by `sid` ends that session and no other of the user', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const one = await signInAs(house, 'ben')
    const [sid] = house.idp.sessionsOf('ben')
    const two = await signInAs(house, 'ben')
    expect(await tell(house, { claims: { sid }, without: ['sub'] })).toBe(200)
    expect(await house.whoIs(one.browser)).toBeUndefined()
    expect(await house.whoIs(two.browser)).toBe('ben')
  })

  test('leaves alone who signed in with a password', async () => {
    await using house = await openHouse()
    const { browser } = await house.person('grace')
    await linkTo(house, browser, 'ben')
    const { browser: elsewhere } = await signInAs(house, 'ben')
    expect(await tell(house)).toBe(200)
    expect(await house.whoIs(elsewhere)).toBeUndefined()
    expect(await house.whoIs(browser)).toBe('grace')
    expect(await house.whoIs(await signInWithPassword(house, 'grace'))).toBe('grace')
  })

  test('of somebody who is not signed in here is fine', async () => {
    await using house = await openHouse()
    expect(await tell(house)).toBe(200)
  })
})

test.skipIf(withoutPostgres)('so it is on PostgreSQL', async () => {
  await using schema = await openSchema()
  await using house = await openHouse({
    corp: { createUsers: true },
    environment: { DATABASE_URL: schema.databaseUrl },
  })
  const [ben, ada] = [await signInAs(house, 'ben'), await signInAs(house, 'ada')]
  expect(await house.idp.signOut('ben')).toBe(1)
  expect(await house.whoIs(ben.browser)).toBeUndefined()
  expect(await house.whoIs(ada.browser)).toBe('ada')
})

/** Each is one thing wrong with a token that is otherwise right (§2.4, §2.6). */
const FORGED: readonly (readonly [what: string, change: LogoutTokenChange])[] = [
  ['signed by nobody', { how: 'none' }],
  ['signed with what is public', { how: 'HS256' }],
  ['signed with another key', { how: 'stranger' }],
  ['of another issuer', { claims: { iss: 'https://evil.example' } }],
  ['for another client', { claims: { aud: 'stranger' } }],
  ['without an audience', { without: ['aud'] }],
  ['without an event', { without: ['events'] }],
  ['of another event', { claims: { events: { 'http://schemas.openid.net/event/other': {} } } }],
  ['whose event is no object', { claims: { events: { 'http://schemas.openid.net/event/backchannel-logout': 'x' } } }],
  ['with a nonce: an ID token', { claims: { nonce: 'x' } }],
  ['of another type', { typ: 'at+jwt' }],
  ['about nobody', { without: ['sub'] }],
  ['without an id', { without: ['jti'] }],
  ['without a time', { without: ['iat'] }],
  ['of an hour ago', { claims: { iat: Math.floor(Date.now() / 1000) - 3_600 } }],
  ['that has expired', { claims: { exp: Math.floor(Date.now() / 1000) - 60 } }],
  ['from the future', { claims: { iat: Math.floor(Date.now() / 1000) + 3_600 } }],
  ['with an unseen character in it', { claims: { sub: 'subject-of-ben\u0000' } }],
]

describe('a token that does not count ends nothing', () => {
  test('whatever is wrong with it', { timeout: 60_000 }, async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const { browser } = await signInAs(house, 'ben')
    for (const [what, change] of FORGED) {
      const status = await tell(house, change)
      expect({ what, status }).toEqual({ what, status: 400 })
    }
    for (const token of ['', 'x', 'a.b.c', `${'x'.repeat(40_000)}.y.z`]) expect(await post(house, token)).toBe(400)
    expect(await house.whoIs(browser)).toBe('ben')
    expect(await tell(house)).toBe(200)
    expect(await house.whoIs(browser)).toBeUndefined()
  })

  test('replay: once more, after the user came back', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    await signInAs(house, 'ben')
    const token = await house.idp.logoutToken('ben')
    expect(await post(house, token)).toBe(200)
    const { browser } = await signInAs(house, 'ben')
    expect(await post(house, token)).toBe(400)
    expect(await house.whoIs(browser)).toBe('ben')
  })

  test('at another provider of the same gate', async () => {
    await using other = await openHouse()
    const second = { label: 'Second', issuer: other.issuer, clientId: 'gate', clientSecret: 's' }
    await using house = await openHouse({ corp: { createUsers: true }, others: { second } })
    const { browser } = await signInAs(house, 'ben')
    expect(await post(house, await house.idp.logoutToken('ben'), 'second')).toBe(400)
    expect(await post(house, await other.idp.logoutToken('ben'), 'second')).toBe(200)
    expect(await house.whoIs(browser)).toBe('ben')
  })

  test('is answered as the specification has it, and kept by nobody (§2.8)', async () => {
    await using house = await openHouse()
    const body = new URLSearchParams({ logout_token: 'x' })
    const answer = await fetch(`${house.url}/sign-in/logout/corp`, { method: 'POST', body })
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([400, 'no-store'])
    expect(await answer.json()).toMatchObject({ error: 'invalid_request' })
    const unknown = await fetch(`${house.url}/sign-in/logout/nobody`, { method: 'POST', body })
    expect(unknown.status).toBe(404)
  })

  test('is to be sent again where the provider’s keys cannot be had', async () => {
    await using house = await openHouse()
    const token = await house.idp.logoutToken('ben')
    house.idp.settings.reach = 'down'
    expect(await post(house, token)).toBe(502)
    house.idp.settings.reach = 'up'
    expect(await post(house, token)).toBe(200)
  })
})

async function tell(house: House, change?: LogoutTokenChange): Promise<number> {
  return post(house, await house.idp.logoutToken('ben', change))
}

async function post(house: House, token: string, provider = 'corp'): Promise<number> {
  const body = new URLSearchParams({ logout_token: token })
  return (await fetch(`${house.url}/sign-in/logout/${provider}`, { method: 'POST', body })).status
}

describe('signing out here', () => {
  test('offers to sign out at the provider, too, after which one is asked there who one is', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const { page } = await signInAs(house, 'ben')
    const out = await page.press(/^Sign out/)
    expect(out.url).toBe(`${house.url}/sign-in?done=signedOut&at=corp`)
    const there = await out.follow(/Sign out at Corp, too/)
    const back = await there.press(/Sign out everywhere/)
    expect(back.url).toBe(`${house.url}/sign-in`)
    expect((await back.press(/Continue with Corp/)).has(/^Sign in as Ben/)).toBe(true)
  })

  test('offers nothing to who came with a password, nor at a provider that has no such place', async () => {
    await using house = await openHouse({ others: { github: { clientId: 'x', clientSecret: 'y' } } })
    const { browser } = await house.person('grace')
    const out = await (await browser.open(`${house.url}/account`)).press(/^Sign out/)
    expect(out.url).toBe(`${house.url}/sign-in?done=signedOut`)
    expect(out.text).not.toMatch(/too/)
    expect((await browser.open(`${house.url}/sign-in/out/github`)).url).toBe(`${house.url}/sign-in?done=signedOut`)
    expect((await browser.open(`${house.url}/sign-in?at=%22%3E%3Cscript%3E`)).html).not.toContain('"><script>')
    expect((await browser.open(`${house.url}/sign-in/out/nobody`)).status).toBe(404)
  })
})
