import { describe, expect, test } from 'vitest'
import { createBrowser } from '../../../../../scripts/lib/browser.ts'
import { DEFAULT_TENANT } from '../../../src/identity/tenants.ts'
import { linkTo, openHouse, signInAs, signInWithPassword } from './house.ts'

/** Signing in with an identity provider, over real sockets: R3-31d, R3-32a. */

describe('who comes for the first time', () => {
  test('is given an account where the operator wants that, under a name of their own', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const { browser, page } = await signInAs(house, 'ben')
    expect(page.url).toBe(`${house.url}/account`)
    expect(await house.whoIs(browser)).toBe('ben')
    const kinds = (await house.audited()).map(({ kind }) => kind)
    expect(kinds.slice(-3)).toEqual(['user.added', 'identity.linked', 'login.ok'])
    expect((await house.audited()).at(-1)).toMatchObject({ provider: 'corp', how: 'fed' })
  })

  test('gets nowhere without it, and is told what to do', async () => {
    await using house = await openHouse()
    const { browser, page } = await signInAs(house, 'ben')
    expect(page.status).toBe(403)
    expect(page.text).toMatch(/not linked to an account/)
    expect(await house.whoIs(browser)).toBeUndefined()
    expect((await house.users.list(DEFAULT_TENANT)).map(({ name }) => name)).toEqual([])
    expect((await house.audited()).at(-1)).toMatchObject({ kind: 'login.refused', error: 'federated.no_account' })
  })

  test('comes back as the same user, in as many browsers as they like', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const [first, second] = [await signInAs(house, 'ben'), await signInAs(house, 'ben')]
    expect(await house.whoIs(first.browser)).toBe('ben')
    expect(await house.whoIs(second.browser)).toBe('ben')
    expect(await house.users.list(DEFAULT_TENANT)).toHaveLength(1)
  })

  test('at once in two browsers is given one account', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const came = await Promise.all([signInAs(house, 'ben'), signInAs(house, 'ben'), signInAs(house, 'ben')])
    for (const { browser } of came) expect(await house.whoIs(browser)).toBe('ben')
    expect(await house.users.list(DEFAULT_TENANT)).toHaveLength(1)
  })
})

describe('nobody takes over an account', () => {
  test('by the name of an existing user: the new account has another', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const { user } = await house.person('Ben')
    const { browser } = await signInAs(house, 'ben')
    expect(await house.whoIs(browser)).toBe('ben-2')
    expect((await house.users.require(DEFAULT_TENANT, 'Ben')).id).toBe(user.id)
  })

  test('by the address of an existing user: without accounts being made, nobody is signed in', async () => {
    await using house = await openHouse()
    await house.person('ben@corp.example')
    const { browser, page } = await signInAs(house, 'ben')
    expect(page.status).toBe(403)
    expect(await house.whoIs(browser)).toBeUndefined()
  })

  test('by an unverified address of a domain that is let in', async () => {
    await using house = await openHouse({ corp: { createUsers: true, emailDomains: ['corp.example'] } })
    const { page } = await signInAs(house, 'dora')
    expect(page.status).toBe(403)
    expect(page.text).toMatch(/no verified email address/)
    expect(await house.users.list(DEFAULT_TENANT)).toEqual([])
  })

  test('by another subject with the same address, as after a name was given to somebody new there', async () => {
    await using house = await openHouse()
    const { browser: owner, user } = await house.person('ben')
    await linkTo(house, owner, 'ben')
    house.idp.settings.oddity = 'changed-sub'
    const { browser, page } = await signInAs(house, 'ben')
    expect(page.status).toBe(403)
    expect(await house.whoIs(browser)).toBeUndefined()
    expect((await house.users.require(DEFAULT_TENANT, 'ben')).id).toBe(user.id)
  })

  test('after an administrator removed it: who was removed does not come back by themselves', async () => {
    await using house = await openHouse()
    const { browser: owner, user } = await house.person('ben')
    await linkTo(house, owner, 'ben')
    await house.users.remove(DEFAULT_TENANT, user.id)
    const { browser, page } = await signInAs(house, 'ben')
    expect(page.status).toBe(403)
    expect(await house.whoIs(browser)).toBeUndefined()
  })
})

describe('rules', () => {
  test('let in by a verified address of a domain, and nobody else', async () => {
    await using house = await openHouse({ corp: { createUsers: true, emailDomains: ['corp.example'] } })
    expect((await signInAs(house, 'ben')).page.status).toBe(200)
    const { page } = await signInAs(house, 'cleo')
    expect(page.status).toBe(403)
    expect(page.text).toMatch(/domain that is not let in/)
    expect((await house.audited()).at(-1)).toMatchObject({
      kind: 'login.refused',
      provider: 'corp',
      error: 'federated.not_allowed',
      reason: 'its email address is of a domain that is not let in',
    })
  })

  test('let in by a group, each time anew, who has linked an account too', async () => {
    await using house = await openHouse({ corp: { groups: ['gate-admins'] } })
    const { browser } = await house.person('ada')
    await linkTo(house, browser, 'ada')
    expect((await signInAs(house, 'ada')).page.status).toBe(200)
    const other = await house.person('ben')
    expect((await linkTo(house, other.browser, 'ben')).status).toBe(403)
  })

  test('give roles by group to accounts that were made here, and take them away again', async () => {
    await using house = await openHouse({ corp: { createUsers: true, roles: { 'gate-admins': 'admin' } } })
    await signInAs(house, 'ada')
    await signInAs(house, 'ben')
    const roleOf = async (name: string) => (await house.users.require(DEFAULT_TENANT, name)).role
    expect([await roleOf('ada'), await roleOf('ben')]).toEqual(['admin', 'member'])
    await house.users.setRole(DEFAULT_TENANT, (await house.users.require(DEFAULT_TENANT, 'ben')).id, 'admin')
    await signInAs(house, 'ben')
    expect(await roleOf('ben')).toBe('member')
  })

  test('give no role to an account that was linked', async () => {
    await using house = await openHouse({ corp: { roles: { 'gate-admins': 'admin' } } })
    const { browser } = await house.person('ada')
    await linkTo(house, browser, 'ada')
    await signInAs(house, 'ada')
    expect((await house.users.require(DEFAULT_TENANT, 'ada')).role).toBe('member')
  })
})

describe('where it leads', () => {
  test('a second factor there is told on', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    await signInAs(house, 'ada')
    expect((await house.audited()).at(-1)).toMatchObject({ kind: 'login.ok', how: 'fed mfa' })
  })

  test('to where one was going', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const { page } = await signInAs(house, 'ben', { next: '/account/keys' })
    expect(page.url).toBe(`${house.url}/account/keys`)
  })

  test('open redirect (RFC 9700 §4.11): to no other site, however it is written', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    for (const next of [
      'https://evil.example/',
      '//evil.example',
      '/\\evil.example',
      '/\t/evil.example',
      'javascript:1',
    ]) {
      const { page } = await signInAs(house, 'ben', { next })
      expect({ next, url: page.url }).toEqual({ next, url: `${house.url}/account` })
    }
  })

  test('a provider that cannot be reached is a page with a way back', async () => {
    await using house = await openHouse()
    house.idp.settings.reach = 'down'
    const start = await createBrowser().open(`${house.url}/sign-in?next=%2Faccount%2Fkeys`)
    const page = await start.press(/Continue with Corp/)
    expect(page.status).toBe(502)
    expect(page.text).toMatch(/Corp cannot be reached/)
    house.idp.settings.reach = 'up'
    const back = await page.follow(/Back to signing in/)
    expect(back.url).toBe(`${house.url}/sign-in?next=%2Faccount%2Fkeys`)
    expect(back.has(/Continue with Corp/)).toBe(true)
  })

  test('who comes back to a provider that has another name by now finds the way back', async () => {
    await using house = await openHouse()
    const page = await createBrowser().open(`${house.url}/sign-in/from/renamed?code=x&state=y`)
    expect([page.status, page.html.includes('href="/sign-in"')]).toEqual([404, true])
  })

  test('who declines there is told so, and may begin again', async () => {
    await using house = await openHouse()
    const browser = createBrowser()
    const asked = await (await browser.open(`${house.url}/sign-in`)).press(/Continue with Corp/)
    const page = await asked.press(/^Cancel/)
    expect(page.status).toBe(400)
    expect(page.text).toMatch(/it was declined there/)
    expect((await page.follow(/Back to signing in/)).url).toBe(`${house.url}/sign-in`)
  })

  test('the password opens as before', async () => {
    await using house = await openHouse()
    await house.person('ada')
    expect(await house.whoIs(await signInWithPassword(house, 'ada'))).toBe('ada')
  })
})
