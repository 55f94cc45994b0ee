import { expect, test } from 'vitest'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { hidden } from './browser.ts'
import { openEmbedded, openScene, PASSWORD } from './scene.ts'
import { enterPassword, giveApp, send } from './ways-in.ts'

const HOUR = 3_600_000
const sessionOf = (cookies: ReadonlyMap<string, string>) => `sekisho=${cookies.get('sekisho')}`

test('signing in once more takes every step there is, and puts a session of now in the place of the one before', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  const ada = await scene.person('ada')
  const browser = scene.browser()
  await enterPassword(browser, 'ada')
  const before = sessionOf(browser.cookies)
  const app = await giveApp(scene, ada)
  scene.clock.turn(HOUR)
  const page = await browser.get('/sign-in/again?next=%2Faccount%2Fsecurity')
  expect(page.text).toMatch(/value="ada"/)
  const first = await browser.post('/sign-in', { ...hidden(page, '/sign-in'), name: 'ada', password: PASSWORD })
  expect(first.location).toBe('/sign-in/second?next=%2Faccount%2Fsecurity')
  const shown = await browser.get(first.location ?? '')
  const second = await send(browser, '/sign-in/second', { page: shown, form: { code: app.code() } })
  expect(second.location).toBe('/account/security')
  expect(await scene.sessions.find(before)).toBeUndefined()
  const session = await scene.sessions.find(sessionOf(browser.cookies))
  expect(session).toMatchObject({ userId: ada.id, authenticatedAt: scene.clock.now(), amr: ['pwd', 'otp', 'mfa'] })
  expect(await scene.sessions.list(DEFAULT_TENANT, ada.id)).toHaveLength(1)
})

test('until then, the session of before goes on and is no fresher', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  const ada = await scene.person('ada')
  const browser = scene.browser()
  await enterPassword(browser, 'ada')
  const at = scene.clock.now()
  await giveApp(scene, ada)
  scene.clock.turn(HOUR)
  const page = await browser.get('/sign-in/again')
  await browser.post('/sign-in', { ...hidden(page, '/sign-in'), name: 'ada', password: PASSWORD })
  expect(await scene.sessions.find(sessionOf(browser.cookies))).toMatchObject({ authenticatedAt: at, amr: ['pwd'] })
})

test('when somebody proved who they are elsewhere, that moment counts, and none that is still to come', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  const ada = await scene.person('ada')
  const from = { browser: 'Firefox/1', address: '::1', amr: ['fed'] }
  for (const [authenticatedAt, counts] of [
    [scene.clock.now() - HOUR, scene.clock.now() - HOUR],
    [scene.clock.now() + HOUR, scene.clock.now()],
  ] as const) {
    const { cookie } = await scene.sessions.start(DEFAULT_TENANT, ada.id, { ...from, authenticatedAt })
    expect(await scene.sessions.find(cookie.split(';')[0])).toMatchObject({ authenticatedAt: counts })
  }
})
