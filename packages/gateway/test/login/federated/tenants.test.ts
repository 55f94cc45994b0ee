import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createBrowser } from '../../../../../scripts/lib/browser.ts'
import { systemRandom, type TenantId } from '../../../src/base/ids.ts'
import { DEFAULT_TENANT, tenantCalled } from '../../../src/identity/tenants.ts'
import { createFlows } from '../../../src/login/federated/flow.ts'
import { createSpent } from '../../../src/login/spent.ts'
import { beAt, linkTo, openHouse, signInAs, type House } from './house.ts'

/** One issuer, known twice: as `corp` for the first tenant, and as `staff` for another. R3-17a, R3-17b, R3-31d. */
const STAFF = tenantCalled('staff')
const atStaff = { with: 'Staff' }

const openBoth = (staff = {}) =>
  openHouse({
    corp: { createUsers: true },
    also: { staff: { label: 'Staff', tenant: 'staff', createUsers: true, role: 'admin', ...staff } },
    config: { tenants: { staff: { signIn: { methods: [] } }, vendors: {} } },
  })

const namesIn = async ({ users }: House, tenant: TenantId) => (await users.list(tenant)).map(({ name }) => name)

test('who comes by a provider of a tenant comes into that tenant, and nobody of another is them', async () => {
  await using house = await openBoth()
  const [here, there] = [await signInAs(house, 'ben'), await signInAs(house, 'ben', atStaff)]
  expect([await house.whoIs(here.browser), await house.whoIs(there.browser)]).toEqual(['ben', 'ben'])
  const [ours, theirs] = [await house.users.require(DEFAULT_TENANT, 'ben'), await house.users.require(STAFF, 'ben')]
  expect([ours.role, theirs.role, ours.id === theirs.id]).toEqual(['member', 'admin', false])
  const told = (await house.audited(STAFF)).map(({ kind, provider, user }) => [kind, provider, user])
  expect(told).toEqual([
    ['user.added', undefined, theirs.id],
    ['identity.linked', 'staff', theirs.id],
    ['login.ok', 'staff', theirs.id],
  ])
})

test('a browser that comes into another tenant has left the first', async () => {
  await using house = await openBoth()
  const { browser } = await signInAs(house, 'cleo')
  const { id } = await house.users.require(DEFAULT_TENANT, 'cleo')
  const sessions = house.storage.for(DEFAULT_TENANT).selectFrom('sessions').select('id').where('user_id', '=', id)
  expect(await sessions.execute()).toHaveLength(1)
  const page = await (await browser.open(`${house.url}/sign-in?again=`)).press(/Continue with Staff/)
  expect(page.url).toBe(`${house.url}/account`)
  expect(await namesIn(house, STAFF)).toContain('cleo')
  expect(await sessions.execute()).toEqual([])
})

test('mix-up: what was begun at one tenant’s provider is no answer from another’s (RFC 9700 §4.4)', async () => {
  await using house = await openBoth()
  const stopAt = (url: URL) => url.pathname.startsWith('/sign-in/from/')
  const browser = createBrowser({ stopAt })
  const asked = await (await browser.open(`${house.url}/sign-in`)).press(/Continue with Staff/)
  const answer = new URL((await beAt(asked, 'ada')).url)
  expect(answer.pathname).toBe('/sign-in/from/staff')
  answer.pathname = '/sign-in/from/corp'
  const mixed = await browser.open(answer.href)
  expect([mixed.status, await house.whoIs(browser)]).toEqual([400, undefined])
  expect([await namesIn(house, DEFAULT_TENANT), await namesIn(house, STAFF)]).toEqual([[], []])
})

test('people link accounts at the providers of their own tenant', async () => {
  await using house = await openBoth()
  const { browser } = await house.person('vera', 'member', tenantCalled('vendors'))
  const page = await browser.open(`${house.url}/account/linked`)
  expect([page.status, page.has(/^Link /)]).toEqual([200, false])
  expect((await browser.open(`${house.url}/account/sessions`)).html).not.toContain('/account/linked"')
  expect((await browser.open(`${house.url}/account/security`)).html).not.toContain('/account/linked"')
  const again = await browser.open(`${house.url}/sign-in/again`)
  expect([again.has(/^Sign in/), again.has(/Continue with/)]).toEqual([true, false])

  const { browser: other } = await house.person('grace')
  expect((await other.open(`${house.url}/account/security`)).html).toContain('/account/linked"')
  const own = await other.open(`${house.url}/account/linked`)
  expect([own.has(/^Link Corp/), own.has(/^Link Staff/)]).toEqual([true, false])
  const forced = await own.press(/^Link Corp/, { provider: 'staff' })
  expect(forced.status).toBe(404)
})

test('who linked an account signs in with it in their own tenant', async () => {
  await using house = await openBoth()
  const { url: link } = await house.invite('sten', STAFF)
  const browser = createBrowser()
  // A tenant without ways of its own: the link lets its user in once, and leads to where they link an account.
  const page = await (await browser.open(link.reveal())).press(/^Come in/)
  expect(page.url).toBe(`${house.url}/account/linked`)
  expect((await linkTo(house, browser, 'ada', 'Staff')).url).toMatch(/done=identityLinked/)
  expect(await house.whoIs((await signInAs(house, 'ada', atStaff)).browser)).toBe('sten')
  expect(await house.whoIs((await signInAs(house, 'ada')).browser)).toBe('ada')
})

test('a logout that a tenant’s provider tells of ends that tenant’s sessions', async () => {
  await using house = await openBoth()
  const [here, there] = [await signInAs(house, 'ben'), await signInAs(house, 'ben', atStaff)]
  const token = await house.idp.logoutToken('ben', { claims: { aud: 'staff' } })
  const tell = (provider: string) =>
    fetch(`${house.url}/sign-in/logout/${provider}`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
    })
  expect((await tell('corp')).status, 'it is for another client').toBe(400)
  expect((await tell('staff')).status).toBe(200)
  expect([await house.whoIs(here.browser), await house.whoIs(there.browser)]).toEqual(['ben', undefined])
  const { kind, provider } = (await house.audited(STAFF)).at(-1) ?? {}
  expect([kind, provider]).toEqual(['login.ended_elsewhere', 'staff'])
})

test('signing out offers the provider of one’s own tenant', async () => {
  await using house = await openBoth()
  const { page } = await signInAs(house, 'ben', atStaff)
  expect((await page.press(/^Sign out/)).url).toBe(`${house.url}/sign-in?done=signedOut&at=staff`)
})

test('what was begun for one tenant opens nothing once its provider lets people into another', async () => {
  await using house = await openBoth()
  const { sealer, storage, clock, url: publicUrl } = house
  const flows = createFlows({ sealer, spent: createSpent({ storage, clock }), clock, random: systemRandom, publicUrl })
  const { asked, cookie } = await flows.open({ id: 'corp', tenant: DEFAULT_TENANT }, { next: '/account/clients' })
  const [cookieHeader = ''] = cookie.split(';')
  const moved = { id: 'corp', tenant: STAFF }
  expect(await flows.whereTo(moved, cookieHeader)).toBeUndefined()
  await expect(flows.take(moved, { state: asked.state, cookieHeader })).rejects.toMatchObject({
    code: 'federated.state',
    details: { reason: 'no cookie' },
  })
  const here = { id: 'corp', tenant: DEFAULT_TENANT }
  expect((await flows.take(here, { state: asked.state, cookieHeader })).next).toBe('/account/clients')
})

test('one application for two tenants: a logout is told once, and ends the sessions of both', async () => {
  await using house = await openBoth({ clientId: 'gate' })
  const [here, there] = [await signInAs(house, 'ben'), await signInAs(house, 'ben', atStaff)]
  const token = await house.idp.logoutToken('ben')
  const tell = (provider: string) =>
    fetch(`${house.url}/sign-in/logout/${provider}`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
    })
  expect((await tell('staff')).status).toBe(200)
  expect([await house.whoIs(here.browser), await house.whoIs(there.browser)]).toEqual([undefined, undefined])
  for (const tenant of [DEFAULT_TENANT, STAFF]) {
    expect((await house.audited(tenant)).at(-1)).toMatchObject({ kind: 'login.ended_elsewhere', count: 1 })
  }
  expect((await tell('corp')).status, 'it counts once, wherever it is shown').toBe(400)
})

test('a logout that a full disk cut short between two tenants is good when it is sent again', async () => {
  await using house = await openBoth({ clientId: 'gate' })
  const [here, there] = [await signInAs(house, 'ben'), await signInAs(house, 'ben', atStaff)]
  const body = new URLSearchParams({ logout_token: await house.idp.logoutToken('ben') })
  const tell = async () => (await fetch(`${house.url}/sign-in/logout/corp`, { method: 'POST', body })).status
  const { system } = house.storage
  const full = sql`CREATE TRIGGER full BEFORE DELETE ON sessions WHEN OLD.tenant_id = ${sql.lit(STAFF)}
    BEGIN SELECT RAISE(ABORT, 'disk full'); END`
  await full.execute(system)
  expect(await tell()).toBe(500)
  await sql`DROP TRIGGER full`.execute(system)
  expect(await house.whoIs(there.browser)).toBe('ben')
  expect(await tell()).toBe(200)
  expect([await house.whoIs(here.browser), await house.whoIs(there.browser)]).toEqual([undefined, undefined])
  expect(await tell()).toBe(400)
})

test('who is refused is so in the audit log of the tenant they came for, and goes back to where they were going', async () => {
  await using house = await openBoth({ createUsers: false })
  const { browser, page } = await signInAs(house, 'ben', { ...atStaff, next: '/account/clients' })
  expect(page.status).toBe(403)
  expect(page.html).toContain('/sign-in?next=%2Faccount%2Fclients')
  expect(await house.whoIs(browser)).toBeUndefined()
  expect((await house.audited(STAFF)).at(-1)).toMatchObject({ kind: 'login.refused', error: 'federated.no_account' })
  expect(await house.audited()).toEqual([])
})

test('the refusals of one tenant hide none of another', async () => {
  await using house = await openHouse({
    also: { staff: { label: 'Staff', tenant: 'staff' } },
    config: { tenants: { staff: {} } },
  })
  await Promise.all([signInAs(house, 'ben'), signInAs(house, 'ada', atStaff)])
  for (const tenant of [DEFAULT_TENANT, STAFF]) {
    expect((await house.audited(tenant)).at(-1)).toMatchObject({ kind: 'login.refused' })
  }
})

test('whoever is asked to sign in once more does so at the provider of their own tenant', async () => {
  await using house = await openBoth()
  const { browser } = await signInAs(house, 'ben', atStaff)
  // The provider's clock is its own: not the time moves on, but the proof back.
  await sql`update sessions set authenticated_at = 0`.execute(house.storage.system)
  const asked = await (await browser.open(`${house.url}/account/linked`)).press(/^Link Staff/)
  expect(asked.url).toMatch(/sign-in\/again\?/)
  expect([asked.has(/Continue with Staff/), asked.has(/Continue with Corp/)]).toEqual([true, false])
  expect(asked.text).toContain('Ask an administrator of this gate for a link')
  const back = await beAt(await asked.press(/Continue with Staff/), 'ben')
  expect(back.url).toBe(`${house.url}/account/linked`)
  expect((await back.press(/^Link Staff/)).url).toMatch(/done=identityLinked/)
})
