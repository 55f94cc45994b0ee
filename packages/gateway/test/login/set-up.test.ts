import { expect, test } from 'vitest'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { eachDatabase } from '../stores/databases.ts'
import { hidden, type Page } from './browser.ts'
import { createDevice } from './device.ts'
import { openEmbedded, openScene } from './scene.ts'
import { appWith, enterPassword, giveApp, optionsIn, passkeyFields } from './ways-in.ts'

const PATH = '/sign-in/set-up'
const REQUIRED = { host: 'localhost', policy: { secondFactor: 'required' } } as const

function secretIn({ text }: Page): string {
  return /<code class="code">([A-Z2-7 ]+)<\/code>/.exec(text)?.[1] ?? ''
}

function codesIn({ text }: Page): string[] {
  return Array.from(text.matchAll(/<li><code>([0-9a-z-]{19})<\/code><\/li>/g), ([, code = '']) => code)
}

eachDatabase((_name, openFresh) => {
  test('R3-32b: where a second factor is required, whoever has none sets up an app and is handed recovery codes', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage, REQUIRED)
    const ada = await scene.person('ada')
    const browser = scene.browser()
    expect((await enterPassword(browser, 'ada', { next: '/account/keys' })).location).toBe(
      `${PATH}?next=%2Faccount%2Fkeys`,
    )
    expect(browser.cookies.has('sekisho')).toBe(false)
    const page = await browser.get(`${PATH}?next=%2Faccount%2Fkeys`)
    const form = hidden(page, `${PATH}/app`)
    const wrong = await browser.post(`${PATH}/app`, { ...form, code: '000000' })
    expect([wrong.status, secretIn(wrong)]).toEqual([400, secretIn(page)])
    const code = appWith(secretIn(page), scene.clock).code()
    const shown = await browser.post(`${PATH}/app`, { ...form, code })
    expect([shown.status, new Set(codesIn(shown)).size]).toEqual([200, 10])
    expect(shown.text).toContain('href="/account/keys"')
    const session = await scene.sessions.find(`sekisho=${browser.cookies.get('sekisho')}`)
    expect(session).toMatchObject({ userId: ada.id, amr: ['pwd', 'otp', 'mfa'] })
    const kinds = (await scene.audited()).map(({ kind }) => kind)
    expect(kinds).toEqual(expect.arrayContaining(['authenticator.added', 'recovery.made', 'login.ok']))
    expect((await enterPassword(scene.browser(), 'ada')).location).toBe('/sign-in/second')
  })

  test('a passkey will do as well', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage, REQUIRED)
    const ada = await scene.person('ada')
    const browser = scene.browser()
    await enterPassword(browser, 'ada')
    const page = await browser.get(PATH)
    const answer = createDevice(scene.origin).create(optionsIn(page))
    const shown = await browser.post(`${PATH}/passkey`, { ...passkeyFields(page), name: 'phone', answer })
    expect([shown.status, codesIn(shown).length]).toEqual([200, 10])
    expect(await scene.factors.passkeys.list(DEFAULT_TENANT, ada.id)).toMatchObject([{ name: 'phone' }])
    expect(await scene.sessions.list(DEFAULT_TENANT, ada.id)).toHaveLength(1)
  })
})

test('somebody who took the first step before the user had a factor adds none of their own', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage, REQUIRED)
  const ada = await scene.person('ada')
  const thief = scene.browser()
  await enterPassword(thief, 'ada')
  const page = await thief.get(PATH)
  await giveApp(scene, ada)
  const answer = createDevice(scene.origin).create(optionsIn(page))
  const refused = await thief.post(`${PATH}/passkey`, { ...passkeyFields(page), name: 'mine', answer })
  expect(refused).toMatchObject({ status: 303, location: '/sign-in' })
  expect(await scene.factors.passkeys.list(DEFAULT_TENANT, ada.id)).toEqual([])
  expect(thief.cookies.has('sekisho')).toBe(false)
})

test('an offer of an app is one user’s, and ends', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage, REQUIRED)
  const [ada, ben] = [await scene.person('ada'), await scene.person('ben')]
  const { authenticators } = scene.factors
  const offer = await authenticators.offer(DEFAULT_TENANT, ada)
  const given = () => ({ sealed: offer.sealed, code: appWith(offer.text.reveal(), scene.clock).code() })
  const over = { code: 'factor.offer_over' }
  await expect(authenticators.confirm(DEFAULT_TENANT, ben.id, given())).rejects.toMatchObject(over)
  scene.clock.turn(30 * 60_000)
  await expect(authenticators.confirm(DEFAULT_TENANT, ada.id, given())).rejects.toMatchObject(over)
})

test('the last factor that the policy requires stays; of two, one may go', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage, REQUIRED)
  const ada = await scene.person('ada')
  const { factors, passkeys } = scene.factors
  await giveApp(scene, ada)
  await expect(factors.removeApp(DEFAULT_TENANT, ada.id)).rejects.toMatchObject({ code: 'factor.last' })
  const device = createDevice(scene.origin)
  const answer = device.create(await passkeys.offer(DEFAULT_TENANT, ada, 'test'))
  await passkeys.add(DEFAULT_TENANT, ada.id, { answer, name: 'laptop', use: 'test' })
  expect(await factors.removeApp(DEFAULT_TENANT, ada.id)).toBe(true)
  const [{ id } = { id: '' }] = await passkeys.list(DEFAULT_TENANT, ada.id)
  await expect(factors.removePasskey(DEFAULT_TENANT, ada.id, id)).rejects.toMatchObject({ code: 'factor.last' })
  expect(await passkeys.list(DEFAULT_TENANT, ada.id)).toHaveLength(1)
})
