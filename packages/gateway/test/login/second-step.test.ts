import { expect, test } from 'vitest'
import { secret } from '../../src/base/secret.ts'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { eachDatabase } from '../stores/databases.ts'
import { hidden, type Browser, type Page } from './browser.ts'
import { openEmbedded, openScene, PASSWORD, type Scene } from './scene.ts'
import { enterPassword, giveApp, givePasskey, optionsIn, passkeyFields, send } from './ways-in.ts'

const PATH = '/sign-in/second'
const MINUTE = 60_000
const NAMED = { host: 'localhost' }

const enterCode = (browser: Browser, code: string): Promise<Page> => send(browser, PATH, { form: { code } })

async function codesOf({ factors }: Scene, userId: Parameters<Scene['link']>[0]): Promise<string[]> {
  return (await factors.factors.newCodes(DEFAULT_TENANT, userId)).map((code) => code.reveal())
}

eachDatabase((_name, openFresh) => {
  test('R3-32b: with an app, the password alone is no session; with its code it is, and says both', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    const ada = await scene.person('ada')
    const app = await giveApp(scene, ada)
    const browser = scene.browser()
    const first = await enterPassword(browser, 'ada', { next: '/connect/x' })
    expect(first).toMatchObject({ status: 303, location: '/sign-in/second?next=%2Fconnect%2Fx' })
    expect(browser.cookies.has('sekisho')).toBe(false)
    expect(await scene.sessions.list(DEFAULT_TENANT, ada.id)).toEqual([])
    const page = await browser.get(first.location ?? '')
    const second = await send(browser, PATH, { page, form: { code: app.code() } })
    expect(second).toMatchObject({ status: 303, location: '/connect/x' })
    const session = await scene.sessions.find(`sekisho=${browser.cookies.get('sekisho')}`)
    expect(session).toMatchObject({ userId: ada.id, amr: ['pwd', 'otp', 'mfa'] })
    expect(browser.cookies.has('sekisho-half')).toBe(false)
    expect(await scene.audited()).toContainEqual(expect.objectContaining({ kind: 'login.ok', how: 'pwd otp mfa' }))
    expect(scene.proofs).toEqual(['password ok', 'app ok'])
  })

  test('a code is good for once, in whichever browser, and none of before it afterwards', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    const ada = await scene.person('ada')
    const app = await giveApp(scene, ada)
    const browsers = [scene.browser(), scene.browser(), scene.browser()]
    for (const browser of browsers) await enterPassword(browser, 'ada')
    const earlier = app.code()
    scene.clock.turn(30_000)
    const code = app.code()
    const pages = await Promise.all(browsers.map((browser) => browser.get(PATH)))
    const sent = browsers.slice(0, 2).map((browser, at) => browser.post(PATH, { ...hidden(pages[at] as Page), code }))
    expect((await Promise.all(sent)).map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([303, 400])
    const third = browsers[2] as Browser
    for (const used of [code, earlier]) expect((await enterCode(third, used)).status).toBe(400)
    scene.clock.turn(30_000)
    expect((await enterCode(third, app.code())).status).toBe(303)
  })

  test('clocks may differ by a step, and not by more', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    const app = await giveApp(scene, await scene.person('ada'))
    const browser = scene.browser()
    await enterPassword(browser, 'ada')
    const code = app.code()
    scene.clock.turn(60_000)
    expect((await enterCode(browser, code)).status).toBe(400)
    const late = app.code()
    scene.clock.turn(30_000)
    expect((await enterCode(browser, late)).status).toBe(303)
  })

  test('a recovery code stands in for the app, once, however it is written', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    const ada = await scene.person('ada')
    await giveApp(scene, ada)
    const codes = await codesOf(scene, ada.id)
    expect(new Set(codes).size).toBe(10)
    const [code = ''] = codes
    const first = scene.browser()
    await enterPassword(first, 'ada')
    const spelt = code.toUpperCase().replaceAll('-', ' ').replaceAll('0', 'O').replaceAll('1', 'l')
    expect(await enterCode(first, spelt)).toMatchObject({ status: 303, location: '/account' })
    const second = scene.browser()
    await enterPassword(second, 'ada')
    expect((await enterCode(second, code)).status).toBe(400)
    expect(await scene.audited()).toContainEqual(expect.objectContaining({ kind: 'recovery.used', left: 9 }))
    const rows = await scene.storage.system.selectFrom('recovery_codes').selectAll().execute()
    for (const each of codes) expect(JSON.stringify(rows)).not.toContain(each.replaceAll('-', ''))
    await codesOf(scene, ada.id)
    expect((await enterCode(second, codes[1] ?? '')).status).toBe(400)
  })

  test('nothing of an app’s secret is in the database', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    const ada = await scene.person('ada')
    const { authenticators } = scene.factors
    const offer = await authenticators.offer(DEFAULT_TENANT, ada)
    const wrong = authenticators.confirm(DEFAULT_TENANT, ada.id, { sealed: offer.sealed, code: '000000' })
    await expect(wrong).rejects.toMatchObject({ code: 'factor.code' })
    await giveApp(scene, ada)
    const rows = await scene.storage.system.selectFrom('authenticators').selectAll().execute()
    expect(rows).toHaveLength(1)
    expect(Buffer.from(rows[0]?.sealed ?? '').toString('latin1')).not.toContain(offer.text.reveal().replaceAll(' ', ''))
    expect(offer.uri.reveal()).toMatch(/^otpauth:\/\/totp\/Sekisho%20127\.0\.0\.1:ada\?.*secret=[A-Z2-7]{32}/)
  })

  test('codes are not guessed: after five, whoever has the password waits longer and longer', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    const ada = await scene.person('ada')
    const app = await giveApp(scene, ada)
    const statuses: number[] = []
    for (let round = 0; round < 7; round++) {
      const browser = scene.browser()
      await enterPassword(browser, 'ada')
      statuses.push((await enterCode(browser, '000000')).status)
    }
    expect(statuses).toEqual([400, 400, 400, 400, 400, 429, 429])
    const browser = scene.browser()
    await enterPassword(browser, 'ada')
    const right = await enterCode(browser, app.code())
    expect([right.status, right.headers.get('Retry-After')]).toEqual([429, '15'])
    scene.clock.turn(15_000)
    expect((await enterCode(browser, app.code())).status).toBe(303)
    const failed = (await scene.audited()).filter(({ kind }) => kind === 'login.second_failed')
    expect(failed).toEqual([
      expect.objectContaining({ user: ada.id, error: 'factor.code' }),
      expect.objectContaining({ user: ada.id, error: 'login.throttled' }),
    ])
  })
})

test('a passkey of the same user is a second factor, one of another user is not, and none is for another sign-in', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage, NAMED)
  const [ada, ben] = [await scene.person('ada'), await scene.person('ben')]
  const [hers, his] = [await givePasskey(scene, ada), await givePasskey(scene, ben)]
  const browser = scene.browser()
  expect((await enterPassword(browser, 'ada')).location).toBe(PATH)
  const page = await browser.get(PATH)
  const foreign = await browser.post(PATH, { ...passkeyFields(page), answer: his.get(optionsIn(page)) })
  expect(foreign.status).toBe(400)
  const other = scene.browser()
  await enterPassword(other, 'ada')
  const elsewhere = hers.get(optionsIn(await other.get(PATH)))
  expect((await browser.post(PATH, { ...passkeyFields(page), answer: elsewhere })).status).toBe(400)
  const again = await browser.get(PATH)
  const right = await browser.post(PATH, { ...passkeyFields(again), answer: hers.get(optionsIn(again)) })
  expect(right).toMatchObject({ status: 303, location: '/account' })
  const session = await scene.sessions.find(`sekisho=${browser.cookies.get('sekisho')}`)
  expect(session?.amr).toEqual(['pwd', 'hwk', 'user', 'mfa'])
})

test('half a sign-in is good in its own browser, once, for ten minutes, and not after the password changed', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  const ada = await scene.person('ada')
  const app = await giveApp(scene, ada)
  const browser = scene.browser()
  await browser.get('/sign-in')
  const planted = browser.cookies.get('sekisho-form')
  await enterPassword(browser, 'ada')
  const half = browser.cookies.get('sekisho-half') ?? ''
  const form = browser.cookies.get('sekisho-form') ?? ''
  expect(form).not.toBe(planted)

  const thief = scene.browser()
  await thief.get('/sign-in')
  thief.cookies.set('sekisho-half', half)
  expect(await thief.get(PATH)).toMatchObject({ status: 303, location: '/sign-in' })

  expect((await enterCode(browser, app.code())).status).toBe(303)
  const replayed = scene.browser()
  replayed.cookies.set('sekisho-half', half).set('sekisho-form', form)
  scene.clock.turn(30_000)
  expect(await enterCode(replayed, app.code())).toMatchObject({ status: 303, location: '/sign-in' })
  expect(replayed.cookies.has('sekisho')).toBe(false)

  const slow = scene.browser()
  await enterPassword(slow, 'ada')
  scene.clock.turn(10 * MINUTE)
  expect(await slow.get(PATH)).toMatchObject({ status: 303, location: '/sign-in' })

  const known = scene.browser()
  await enterPassword(known, 'ada')
  expect((await known.get(PATH)).status).toBe(200)
  scene.clock.turn(1)
  const link = (await scene.link(ada.id)).split('/').at(-1) ?? ''
  await scene.invitations.use(link, secret('another lantern for the pass'))
  expect(await known.get(PATH)).toMatchObject({ status: 303, location: '/sign-in' })
})

test('half a sign-in opens no page but its own, and a changed one none at all', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  await giveApp(scene, await scene.person('ada'))
  const browser = scene.browser()
  await enterPassword(browser, 'ada')
  expect((await browser.get('/')).location).toBe('/sign-in')
  expect((await browser.get('/sign-in/set-up')).location).toBe('/sign-in')
  expect((await browser.get('/sign-in/again')).location).toBe('/sign-in')
  const half = browser.cookies.get('sekisho-half') ?? ''
  for (const changed of [`${half.slice(0, -2)}AA`, 'x', '', half.slice(4)]) {
    browser.cookies.set('sekisho-half', changed)
    expect((await browser.get(PATH)).location).toBe('/sign-in')
  }
})

test('nothing before the first proof tells that there is a second factor', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  await giveApp(scene, await scene.person('ada'))
  await scene.person('ben')
  const said = []
  for (const name of ['ada', 'ben', 'nobody']) {
    const page = await enterPassword(scene.browser(), name, { password: 'wrong' })
    said.push(page.text.replace(/name="csrf" value="[^"]*"/, '').replaceAll(`value="${name}"`, ''))
  }
  expect(new Set(said).size).toBe(1)
})

test('a link for a new password is a first proof and no more', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  const ada = await scene.person('ada')
  const app = await giveApp(scene, ada)
  const browser = scene.browser()
  const link = await scene.link(ada.id)
  const page = await browser.get(link)
  expect(page.text).toContain('A new password, ada')
  const answer = await browser.post(link, { ...hidden(page), password: PASSWORD, again: PASSWORD })
  expect(answer).toMatchObject({ status: 303, location: PATH })
  expect(browser.cookies.has('sekisho')).toBe(false)
  expect((await enterCode(browser, app.code())).status).toBe(303)
})

test('switched off, nobody is asked for a second factor; proven with several, nobody is either', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage, { policy: { secondFactor: 'off' } })
  await giveApp(scene, await scene.person('ada'))
  expect((await enterPassword(scene.browser(), 'ada')).location).toBe('/account')
})
