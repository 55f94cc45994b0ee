import { expect, test } from 'vitest'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { eachDatabase } from '../stores/databases.ts'
import { hidden } from './browser.ts'
import { createDevice } from './device.ts'
import { openEmbedded, openScene, PASSWORD } from './scene.ts'
import { enterPasskey, givePasskey, optionsIn, passkeyFields } from './ways-in.ts'

const NAMED = { host: 'localhost' }
const MINUTE = 60_000
const REFUSED = 'This passkey did not let you in.'

eachDatabase((_name, openFresh) => {
  test('R3-32b: a passkey signs its user in without a name, a password or a second step', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage, NAMED)
    const ada = await scene.person('ada')
    const device = await givePasskey(scene, ada)
    const browser = scene.browser()
    expect(await enterPasskey(browser, device)).toMatchObject({ status: 303, location: '/account' })
    const session = await scene.sessions.find(`sekisho=${browser.cookies.get('sekisho')}`)
    expect(session).toMatchObject({ userId: ada.id, amr: ['hwk', 'user', 'mfa'] })
    expect(await scene.audited()).toContainEqual(
      expect.objectContaining({ kind: 'login.ok', user: ada.id, how: 'hwk user mfa' }),
    )
    expect(scene.proofs).toEqual(['passkey ok'])
    const [kept] = await scene.factors.passkeys.list(DEFAULT_TENANT, ada.id)
    expect(kept).toMatchObject({ name: 'laptop', usedAt: scene.clock.now() })
  })

  test('R3-32b: one has several, each kept by its device to be found without a name, and each is a way in by itself', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage, NAMED)
    const ada = await scene.person('ada')
    const [laptop, phone] = [await givePasskey(scene, ada, 'laptop'), await givePasskey(scene, ada, 'phone')]
    const { passkeys, factors } = scene.factors
    const offered = JSON.parse(await passkeys.offer(DEFAULT_TENANT, ada, 'add'))
    expect(offered.authenticatorSelection).toMatchObject({ residentKey: 'required', userVerification: 'required' })
    expect(offered.excludeCredentials, 'no device is asked twice').toHaveLength(2)
    for (const device of [laptop, phone]) expect((await enterPasskey(scene.browser(), device)).status).toBe(303)
    const lost = (await passkeys.list(DEFAULT_TENANT, ada.id)).find(({ name }) => name === 'laptop')
    await factors.removePasskey(DEFAULT_TENANT, ada.id, lost?.id ?? '')
    expect((await enterPasskey(scene.browser(), laptop)).status).toBe(400)
    expect((await enterPasskey(scene.browser(), phone)).status).toBe(303)
  })

  test('an answer is good for once: sent again, in the same browser too, it opens nothing', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage, NAMED)
    const device = await givePasskey(scene, await scene.person('ada'))
    const browser = scene.browser()
    const page = await browser.get('/sign-in')
    // As a passkey that several devices share does, it counts nothing: the challenge alone has to be good for once.
    const form = { ...passkeyFields(page), answer: device.get(optionsIn(page), { counter: 0 }) }
    const bound = browser.cookies.get('sekisho-form') ?? ''
    const answers = await Promise.all([browser.post('/sign-in', form), browser.post('/sign-in', form)])
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([303, 400])
    browser.cookies.set('sekisho-form', bound)
    const again = await browser.post('/sign-in', form)
    expect([again.status, again.text]).toEqual([400, expect.stringContaining(REFUSED)])
  })

  test('a challenge of another browser, or of another purpose, is refused', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage, NAMED)
    const ada = await scene.person('ada')
    const device = await givePasskey(scene, ada)
    const [mine, theirs] = [scene.browser(), scene.browser()]
    const answer = device.get(optionsIn(await theirs.get('/sign-in')))
    const stolen = await mine.post('/sign-in', { ...passkeyFields(await mine.get('/sign-in')), answer })
    expect([stolen.status, stolen.text]).toEqual([400, expect.stringContaining(REFUSED)])
    const forAdding = await scene.factors.passkeys.offer(DEFAULT_TENANT, ada, 'add')
    const { challenge } = JSON.parse(forAdding)
    const other = device.get(JSON.stringify({ challenge, rpId: 'localhost' }))
    const page = await mine.get('/sign-in')
    expect((await mine.post('/sign-in', { ...passkeyFields(page), answer: other })).status).toBe(400)
    expect(await scene.sessions.list(DEFAULT_TENANT, ada.id)).toEqual([])
  })

  test('a challenge ends', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage, NAMED)
    const device = await givePasskey(scene, await scene.person('ada'))
    const browser = scene.browser()
    const page = await browser.get('/sign-in')
    scene.clock.turn(10 * MINUTE)
    const late = await enterPasskey(browser, device, page)
    expect([late.status, late.text]).toEqual([400, expect.stringContaining('That took too long.')])
    expect((await enterPasskey(browser, device)).status).toBe(303)
  })

  test.for([
    ['made at another address', { origin: 'https://evil.example' }],
    ['made by a page that another framed', { origin: 'http://localhost', crossOrigin: true }],
    ['made for another name', { rpId: 'evil.example' }],
    ['made without unlocking', { verified: false }],
    ['that says it is somebody else’s', { userHandle: Buffer.from('usr_else').toString('base64url') }],
  ] as const)('an answer %s is refused', async ([, how]) => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage, NAMED)
    const device = await givePasskey(scene, await scene.person('ada'))
    const browser = scene.browser()
    const page = await browser.get('/sign-in')
    const refused = await browser.post('/sign-in', { ...passkeyFields(page), answer: device.get(optionsIn(page), how) })
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining(REFUSED)])
    expect(scene.proofs).toEqual(['passkey passkey.refused'])
  })

  test('a counter that goes back says there are two of the key, and neither gets in with it', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage, NAMED)
    const device = await givePasskey(scene, await scene.person('ada'))
    const attempt = async (counter: number) => {
      const browser = scene.browser()
      const page = await browser.get('/sign-in')
      const answer = device.get(optionsIn(page), { counter })
      return (await browser.post('/sign-in', { ...passkeyFields(page), answer })).status
    }
    expect([await attempt(7), await attempt(7), await attempt(3), await attempt(0), await attempt(8)]).toEqual([
      303, 400, 400, 400, 303,
    ])
  })

  test('one that was removed, and one of somebody who is gone, open nothing', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage, NAMED)
    const [ada, ben] = [await scene.person('ada'), await scene.person('ben')]
    const [removed, orphan] = [await givePasskey(scene, ada), await givePasskey(scene, ben)]
    const [{ id } = { id: '' }] = await scene.factors.passkeys.list(DEFAULT_TENANT, ada.id)
    expect(await scene.factors.factors.removePasskey(DEFAULT_TENANT, ben.id, id)).toBe(false)
    expect(await scene.factors.factors.removePasskey(DEFAULT_TENANT, ada.id, id)).toBe(true)
    await scene.users.remove(DEFAULT_TENANT, ben.id)
    for (const device of [removed, orphan]) expect((await enterPasskey(scene.browser(), device)).status).toBe(400)
  })

  test('a passkey is one user’s: it is not added a second time, nor by an answer that was used', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage, NAMED)
    const [ada, ben] = [await scene.person('ada'), await scene.person('ben')]
    const { passkeys } = scene.factors
    const device = createDevice(scene.origin)
    const answer = device.create(await passkeys.offer(DEFAULT_TENANT, ada, 'ada'))
    const made = { answer, name: 'laptop', use: 'ada' }
    await passkeys.add(DEFAULT_TENANT, ada.id, made)
    await expect(passkeys.add(DEFAULT_TENANT, ada.id, made)).rejects.toMatchObject({ code: 'passkey.refused' })
    const other = { ...made, use: 'ben' }
    await expect(passkeys.add(DEFAULT_TENANT, ben.id, other)).rejects.toMatchObject({ code: 'passkey.refused' })
    expect(await passkeys.list(DEFAULT_TENANT, ben.id)).toEqual([])
  })
})

test('the page tells nobody who has a passkey: it asks for any, whoever comes', async () => {
  await using fresh = await openEmbedded()
  await using scene = await openScene(fresh, NAMED)
  const words = async () =>
    (await scene.browser().get('/sign-in')).text.replace(/challenge&quot;:&quot;[^&]*|csrf" value="[^"]*/g, '')
  const before = await words()
  await givePasskey(scene, await scene.person('ada'))
  expect(await words()).toBe(before)
  expect(JSON.parse(optionsIn(await scene.browser().get('/sign-in')))).toMatchObject({ userVerification: 'required' })
  expect(before).not.toContain('allowCredentials')
})

test('there are passkeys at a name only: a gate at an address of numbers, or by http, offers none', async () => {
  for (const publicUrl of ['http://127.0.0.1:7354', 'http://[::1]:7354', 'http://gate.example']) {
    await using fresh = await openEmbedded()
    await using scene = await openScene(fresh, { publicUrl })
    expect((await scene.browser().get('/sign-in')).text).not.toMatch(/data-asks|<script/)
  }
  await using fresh = await openEmbedded()
  await using scene = await openScene(fresh, { publicUrl: 'https://gate.example' })
  const page = await scene.browser().get('/sign-in')
  expect(JSON.parse(optionsIn(page))).toMatchObject({ rpId: 'gate.example' })
  expect(page.headers.get('Content-Security-Policy')).toContain(`script-src 'self'; require-trusted-types-for 'script'`)
  expect(page.text.match(/<script[^>]*>/g)).toEqual([
    expect.stringMatching(/^<script src="\/assets\/[0-9a-f]{16}\.js" defer>$/),
  ])
})

test('where the policy names passkeys alone, a password opens nothing, and a link leads to making one', async () => {
  await using fresh = await openEmbedded()
  await using scene = await openScene(fresh, { ...NAMED, policy: { methods: ['passkey'] } })
  const ada = await scene.person('ada')
  const page = await scene.browser().get('/sign-in')
  expect(page.text).not.toContain('type="password"')
  const browser = scene.browser()
  const form = hidden(await browser.get('/sign-in'))
  expect((await browser.post('/sign-in', { ...form, way: 'password', name: 'ada', password: PASSWORD })).status).toBe(
    400,
  )
  const link = await scene.link(ada.id)
  const answer = await browser.post(link, { ...hidden(await browser.get(link)), password: PASSWORD, again: PASSWORD })
  expect(answer).toMatchObject({ status: 303, location: '/sign-in/set-up' })
})
