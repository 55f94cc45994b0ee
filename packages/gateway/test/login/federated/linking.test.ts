import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { createBrowser } from '../../../../../scripts/lib/browser.ts'
import { DEFAULT_TENANT, tenantCalled } from '../../../src/identity/tenants.ts'
import { appWith } from '../ways-in.ts'
import { beAt, linkTo, openHouse, signInAs, signInWithPassword } from './house.ts'

/** Accounts elsewhere are linked by their user, who is signed in, and by nothing else: R3-31d, R3-32a. */

describe('linking', () => {
  test('an account that was linked signs its user in', async () => {
    await using house = await openHouse()
    const { browser, user } = await house.person('grace')
    const page = await linkTo(house, browser, 'ben')
    expect(page.url).toBe(`${house.url}/account/linked?done=identityLinked`)
    expect(page.text).toMatch(/ben@corp\.example/)
    expect((await house.audited()).at(-1)).toMatchObject({
      kind: 'identity.linked',
      user: user.id,
      provider: 'corp',
      how: 'account',
    })
    const { browser: elsewhere } = await signInAs(house, 'ben')
    expect(await house.whoIs(elsewhere)).toBe('grace')
  })

  test('takes a fresh proof: after a quarter of an hour one signs in once more', async () => {
    await using house = await openHouse()
    const { browser } = await house.person('grace')
    const page = await browser.open(`${house.url}/account/linked`)
    house.clock.turn(16 * 60_000)
    const asked = await page.press(/^Link Corp/)
    expect(asked.url).toBe(`${house.url}/sign-in/again?next=%2Faccount%2Flinked`)
    await signInWithPassword(house, 'grace', browser)
    expect((await linkTo(house, browser, 'ben')).url).toMatch(/done=identityLinked/)
  })

  test('takes a fresh proof of who has no password, too: at the provider', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const { browser } = await signInAs(house, 'ben')
    // The provider's clock is its own: not the time moves on, but the proof back.
    await sql`update sessions set authenticated_at = 0`.execute(house.storage.system)
    const asked = await (await browser.open(`${house.url}/account/linked`)).press(/^Link Corp/)
    expect(asked.url).toMatch(/sign-in\/again\?/)
    const back = await beAt(await asked.press(/Continue with Corp/), 'ben')
    expect(back.url).toBe(`${house.url}/account/linked`)
    expect(browser.visited.find((url) => url.includes('max_age=300'))).toBeDefined()
    expect((await back.press(/^Link Corp/)).url).toMatch(/done=identityLinked/)
  })

  test('is in recent activity, since it is a way in', async () => {
    await using house = await openHouse()
    const { browser } = await house.person('grace')
    await linkTo(house, browser, 'ben')
    const page = await browser.open(`${house.url}/account/security`)
    expect(page.text).toMatch(/Account to sign in with linked\W.*corp/s)
  })

  test('is refused where it is another user’s, who keeps it', async () => {
    await using house = await openHouse()
    const { browser: first } = await house.person('grace')
    await linkTo(house, first, 'ben')
    const { browser: second } = await house.person('heidi')
    const page = await linkTo(house, second, 'ben')
    expect(page.status).toBe(409)
    expect(page.text).toMatch(/linked to another account/)
    expect(await house.whoIs((await signInAs(house, 'ben')).browser)).toBe('grace')
  })

  test('once more changes nothing', async () => {
    await using house = await openHouse()
    const { browser, user } = await house.person('grace')
    await linkTo(house, browser, 'ben')
    expect((await linkTo(house, browser, 'ben')).status).toBe(200)
    expect(await house.federated.identities.list(DEFAULT_TENANT, user.id)).toHaveLength(1)
  })

  test('CSRF: an answer of a link that somebody else began links nothing', async () => {
    await using house = await openHouse()
    const { browser: attacker } = await house.person('mallory')
    const { browser: victim, user } = await house.person('grace')
    const atProvider = await (await attacker.open(`${house.url}/account/linked`)).press(/^Link Corp/)
    const own = await (await victim.open(`${house.url}/account/linked`)).press(/^Link Corp/)
    // The attacker’s own question, answered in the victim’s browser: the provider is asked there, but not by it.
    const stolen = new URL(attacker.visited.findLast((url) => url.startsWith(`${house.issuer}/auth?`)) ?? '')
    const page = await beAt(await victim.open(stolen.href), 'ben')
    expect(page.status).toBe(400)
    expect(page.text).toMatch(/belongs to no sign-in/)
    expect(await house.federated.identities.list(DEFAULT_TENANT, user.id)).toEqual([])
    expect([atProvider.status, own.status]).toEqual([200, 200])
  })

  test('ends where its session ended: signed out meanwhile, or somebody else signed in', async () => {
    await using house = await openHouse()
    const { browser, user } = await house.person('grace')
    await house.person('heidi')
    const asked = await (await browser.open(`${house.url}/account/linked`)).press(/^Link Corp/)
    await signInWithPassword(house, 'heidi', browser)
    expect((await beAt(asked, 'ben')).status).toBe(400)
    for (const { id } of [user, await house.users.require(DEFAULT_TENANT, 'heidi')])
      expect(await house.federated.identities.list(DEFAULT_TENANT, id)).toEqual([])
  })
})

describe('unlinking', () => {
  test('takes the way in away, and signs out whom it signed in', async () => {
    await using house = await openHouse()
    const { browser } = await house.person('grace')
    await linkTo(house, browser, 'ben')
    const { browser: elsewhere } = await signInAs(house, 'ben')
    expect(await house.whoIs(elsewhere)).toBe('grace')
    const page = await (await browser.open(`${house.url}/account/linked`)).press(/^Unlink/)
    expect(page.url).toMatch(/done=identityUnlinked/)
    expect(await house.whoIs(elsewhere)).toBeUndefined()
    expect(await house.whoIs(browser)).toBe('grace')
    expect((await signInAs(house, 'ben')).page.status).toBe(403)
    expect((await house.audited()).map(({ kind }) => kind)).toContain('identity.unlinked')
  })

  test('ends the sign-ins that it began and that wait for a second factor (CWE-613)', async () => {
    await using house = await openHouse()
    const { browser } = await house.person('grace')
    await linkTo(house, browser, 'ben')
    const offered = await browser.open(`${house.url}/account/security/app`)
    const app = appWith(/<code class="code">([^<]+)</.exec(offered.html)?.[1] ?? '', house.clock)
    await offered.press(/^Use this app/, { code: app.code() })
    house.clock.turn(30_000)
    const waiting = await Promise.all([signInAs(house, 'ben'), signInAs(house, 'ben')])
    for (const { page } of waiting) expect(new URL(page.url).pathname).toBe('/sign-in/second')
    const [before, after] = waiting
    await before.page.press(/^Go on/, { code: app.code() })
    expect(await house.whoIs(before.browser)).toBe('grace')
    await (await browser.open(`${house.url}/account/linked`)).press(/^Unlink/)
    house.clock.turn(30_000)
    const refused = await after.page.press(/^Go on/, { code: app.code() })
    expect([refused.status, await house.whoIs(after.browser)]).toEqual([400, undefined])
  })

  test('the only way in stays', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const { browser } = await signInAs(house, 'ben')
    const page = await (await browser.open(`${house.url}/account/linked`)).press(/^Unlink/)
    expect(page.status).toBe(409)
    expect(page.text).toMatch(/only way in/)
    expect(await house.whoIs((await signInAs(house, 'ben')).browser)).toBe('ben')
  })

  test('with another account linked it may go, and the other may not', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const { browser } = await signInAs(house, 'ben')
    await house.idp.signOut('ben')
    await signInAs(house, 'ben', { browser })
    await house.idp.signOut('ben')
    // Whoever was told of is signed out here too.
    expect(await house.whoIs(browser)).toBeUndefined()
    await signInAs(house, 'ben', { browser })
    const switched = await (await browser.open(`${house.url}/account/linked`)).press(/^Link Corp/)
    expect(switched.url).toMatch(/done=identityLinked/)
    expect((await (await browser.open(`${house.url}/account/linked`)).press(/^Unlink/)).status).toBe(409)
  })

  test('another user’s is unknown', async () => {
    await using house = await openHouse()
    const { browser } = await house.person('grace')
    await linkTo(house, browser, 'ben')
    const { browser: other } = await house.person('heidi')
    await linkTo(house, other, 'cleo')
    const page = await (await other.open(`${house.url}/account/linked`)).press(/^Unlink/, { subject: 'subject-of-ben' })
    expect(page.status).toBe(404)
    expect(await house.whoIs((await signInAs(house, 'ben')).browser)).toBe('grace')
  })

  test('two at once leave one way in', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    await signInAs(house, 'ben')
    const user = await house.users.require(DEFAULT_TENANT, 'ben')
    const provider = house.federated.require('corp')
    const [first] = await house.federated.identities.list(DEFAULT_TENANT, user.id)
    if (first === undefined) throw new Error('nothing is linked')
    const identity = { issuer: first.issuer, subject: 'another', email: undefined, verifiedEmail: undefined }
    const rest = { username: 'other', name: undefined, groups: [], amr: [], authenticatedAt: undefined, sid: undefined }
    await house.federated.link(user.id, { provider, identity: { ...identity, ...rest } })
    const mayGo = (left: readonly unknown[]) => {
      if (left.length === 0) throw new Error('the only way in')
    }
    const unlink = (key: { issuer: string; subject: string }) =>
      house.federated.identities.unlink(DEFAULT_TENANT, user.id, { key, mayGo, exceptSession: '' })
    const ended = await Promise.allSettled([unlink(first), unlink(identity)])
    expect(ended.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })
})

test('the page of a gate without providers says so', async () => {
  await using house = await openHouse({ config: { signIn: {} } })
  const { browser } = await house.person('grace')
  expect((await browser.open(`${house.url}/account/linked`)).text).toMatch(/knows no identity provider/)
  expect((await createBrowser().open(`${house.url}/sign-in`)).has(/Continue with/)).toBe(false)
})

test('a linked account is a way in for as long as a provider of its tenant is that issuer, whatever it is called', async () => {
  await using house = await openHouse()
  const { issuer, federated } = house
  expect(federated.opens(DEFAULT_TENANT, { issuer })).toBe(true)
  expect(federated.opens(DEFAULT_TENANT, { issuer: `${new URL(issuer).origin}/` })).toBe(true)
  expect(federated.opens(DEFAULT_TENANT, { issuer: `${new URL(issuer).origin}/other` })).toBe(false)
  expect(federated.opens(DEFAULT_TENANT, { issuer: 'https://elsewhere.example' })).toBe(false)
  expect(federated.opens(tenantCalled('other'), { issuer })).toBe(false)
})

test('who has no password is not offered to change it; who has one is', async () => {
  await using house = await openHouse({ corp: { createUsers: true } })
  const { browser: ben } = await signInAs(house, 'ben')
  const { browser: grace } = await house.person('grace')
  for (const [browser, offered] of [
    [ben, false],
    [grace, true],
  ] as const) {
    const security = await browser.open(`${house.url}/account/security`)
    const sessions = await browser.open(`${house.url}/account/sessions`)
    expect([security, sessions].map(({ text }) => text.includes('Change your password'))).toEqual([offered, offered])
    expect(security.text.includes('your password alone')).toBe(offered)
    expect(sessions.text.includes('Current password')).toBe(offered)
  }
})
