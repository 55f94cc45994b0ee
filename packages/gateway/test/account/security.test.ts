import { describe, expect, test } from 'vitest'
import { createDevice } from '../login/device.ts'
import { appWith, optionsIn, passkeyFields } from '../login/ways-in.ts'
import { hidden, type Page as Shown } from '../login/browser.ts'
import { connectThere, openScene, PASSWORD, readable, type Page } from './scene.ts'

const PATH = '/account/security'
const NAMED = { host: 'localhost' }
const MINUTE = 60_000

type Ada = Awaited<ReturnType<Awaited<ReturnType<typeof openScene>>['person']>>

async function addPasskey(ada: Ada, origin: string, name = 'laptop'): Promise<Page> {
  const page = (await ada.get(`${PATH}/passkeys`)) as unknown as Shown
  const answer = createDevice(origin).create(optionsIn(page))
  return ada.post(`${PATH}/passkeys`, { ...passkeyFields(page), name, answer })
}

const codesIn = ({ text }: Page) => text.match(/<li><code>[0-9a-z-]{19}<\/code><\/li>/g) ?? []

describe('the passkeys of a user', () => {
  test('are added with a name and listed; with the first come recovery codes, once', async () => {
    await using scene = await openScene(NAMED)
    const ada = await scene.person('ada')
    expect(readable(await ada.get(PATH))).toContain('You have no passkey yet.')
    expect(codesIn(await addPasskey(ada, scene.publicUrl))).toHaveLength(10)
    const second = await addPasskey(ada, scene.publicUrl, 'phone <b>')
    expect(second.location).toBe(`${PATH}?done=passkeyAdded`)
    const page = await ada.get(PATH)
    expect(readable(page)).toContain('laptop on one device 2026-01-01 00:00 UTC never')
    expect(page.text).toContain('phone &lt;b&gt;')
    expect(readable(page)).toContain('10 codes are left.')
    expect(await scene.audited()).toEqual(['passkey.added', 'recovery.made', 'passkey.added'])
  })

  test('are removed, with the recovery codes after the last; those of another user are as unknown as none', async () => {
    await using scene = await openScene(NAMED)
    const [ada, ben] = [await scene.person('ada'), await scene.person('ben')]
    for (const user of [ada, ben]) await addPasskey(user, scene.publicUrl)
    const [his] = await scene.factors.passkeys.list(ben.tenant, ben.userId)
    const [hers] = await scene.factors.passkeys.list(ada.tenant, ada.userId)
    const answers = [
      await ada.post(`${PATH}/passkeys/remove`, { passkey: his?.id ?? '' }),
      await ada.post(`${PATH}/passkeys/remove`, { passkey: 'nothing' }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([404, 404])
    expect(await scene.factors.passkeys.list(ben.tenant, ben.userId)).toHaveLength(1)
    const removed = await ada.post(`${PATH}/passkeys/remove`, { passkey: hers?.id ?? '' })
    expect(removed.location).toBe(`${PATH}?done=passkeyRemoved`)
    expect(await scene.factors.factors.standing(ada.tenant, ada.userId)).toMatchObject({ passkeys: [], codesLeft: 0 })
  })

  test('are not made with the question of another browser, and not with the same answer twice', async () => {
    await using scene = await openScene(NAMED)
    const ada = await scene.person('ada')
    const other = await ada.signIn()
    const page = (await other.get(`${PATH}/passkeys`)) as unknown as Shown
    const answer = createDevice(scene.publicUrl).create(optionsIn(page))
    const foreign = await ada.post(`${PATH}/passkeys`, { name: 'x', answer })
    expect([foreign.status, readable(foreign)]).toEqual([400, expect.stringContaining('did not let you in')])
    expect((await other.post(`${PATH}/passkeys`, { name: 'x', answer })).status).toBe(200)
    expect((await other.post(`${PATH}/passkeys`, { name: 'x', answer })).status).toBe(400)
    expect(await scene.factors.passkeys.list(ada.tenant, ada.userId)).toHaveLength(1)
  })

  test('belong to the gate’s own name: by another, the page leads there', async () => {
    await using scene = await openScene(NAMED)
    const ada = await scene.person('ada')
    const elsewhere = scene.publicUrl.replace('localhost', '127.0.0.1')
    const page = await fetch(elsewhere + PATH, { headers: { Cookie: ada.cookie } })
    const text = await page.text()
    expect(text).toContain(`href="${scene.publicUrl}${PATH}"`)
    expect(text).not.toContain(`href="${PATH}/passkeys"`)
  })
})

test('an authenticator app is set up with a picture, a secret and its first code, and removed', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  const page = await ada.get(`${PATH}/app`)
  expect(page.text).toMatch(/<svg role="img" aria-label="A QR code[^>]*>/)
  const secret = /<code class="code">([A-Z2-7 ]+)<\/code>/.exec(page.text)?.[1] ?? ''
  const form = hidden(page as unknown as Shown, `${PATH}/app`)
  const wrong = await ada.post(`${PATH}/app`, { ...form, code: '000000' })
  expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining(secret)])
  const given = { ...form, code: appWith(secret, scene.clock).code() }
  expect(codesIn(await ada.post(`${PATH}/app`, given))).toHaveLength(10)
  expect((await ada.post(`${PATH}/app`, given)).status).toBe(409)
  expect((await ada.get(`${PATH}/app`)).status).toBe(409)
  const made = await ada.post(`${PATH}/recovery`)
  expect(codesIn(made)).toHaveLength(10)
  expect((await ada.post(`${PATH}/app/remove`)).location).toBe(`${PATH}?done=appRemoved`)
  expect((await ada.post(`${PATH}/recovery`)).status).toBe(409)
  expect(await scene.audited()).toEqual([
    'authenticator.added',
    'recovery.made',
    'recovery.made',
    'authenticator.removed',
  ])
})

test('what the policy does not take is neither shown nor done', async () => {
  await using scene = await openScene({ ...NAMED, policy: { methods: ['password'], secondFactor: 'off' } })
  const ada = await scene.person('ada')
  const page = readable(await ada.get(PATH))
  expect(page).not.toMatch(/passkey|authenticator app/i)
  for (const path of ['passkeys', 'app']) expect((await ada.get(`${PATH}/${path}`)).status).toBe(403)
  for (const path of ['passkeys', 'app', 'recovery']) expect((await ada.post(`${PATH}/${path}`)).status).toBe(403)
})

describe('what is dangerous', () => {
  test('wants a proof of lately: after that it leads to signing in once more, and back', async () => {
    await using scene = await openScene(NAMED)
    const ada = await scene.person('ada')
    await addPasskey(ada, scene.publicUrl)
    scene.clock.turn(15 * MINUTE)
    expect((await ada.get(`${PATH}/app`)).status).toBe(200)
    scene.clock.turn(1)
    const again = (page: string) => ({ status: 303, location: `/sign-in/again?next=${encodeURIComponent(page)}` })
    const [{ id: passkey } = { id: '' }] = await scene.factors.passkeys.list(ada.tenant, ada.userId)
    const wanted = 'nine red foxes cross the frozen lake'
    for (const path of ['passkeys', 'app'])
      expect(await ada.get(`${PATH}/${path}`)).toMatchObject(again(`${PATH}/${path}`))
    for (const [path, form, page] of [
      [`${PATH}/passkeys`, {}, PATH],
      [`${PATH}/passkeys/remove`, { passkey }, PATH],
      [`${PATH}/app`, {}, PATH],
      [`${PATH}/app/remove`, {}, PATH],
      [`${PATH}/recovery`, {}, PATH],
      [`${PATH}/end-all`, {}, PATH],
      ['/account/keys', { name: 'x', scope: 'mcp', expiry: 'never' }, '/account/keys'],
      ['/account/password', { current: PASSWORD, wanted, again: wanted }, '/account/sessions'],
    ] as const)
      expect([path, await ada.post(path, form)]).toMatchObject([path, again(page)])
    expect(await scene.keys.list(ada.tenant, ada.userId)).toEqual([])
    expect(await scene.factors.passkeys.list(ada.tenant, ada.userId)).toHaveLength(1)
    expect((await ada.get('/account/keys')).text).toContain('href="/sign-in/again?next=%2Faccount%2Fkeys"')
    for (const path of [PATH, '/account', '/account/keys', '/account/sessions'])
      expect((await ada.get(path)).status).toBe(200)
  })

  test('signing out everywhere ends this browser too', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const other = await ada.signIn()
    const ended = await ada.post(`${PATH}/end-all`)
    expect(ended).toMatchObject({ status: 303, location: '/sign-in?done=signedOut' })
    expect(ended.headers.get('Set-Cookie')).toMatch(/^sekisho=; .*Max-Age=0/)
    for (const browser of [ada, other]) expect((await browser.get('/account')).status).toBe(303)
  })

  test('signing out everywhere ends browsers only, and the page says so and leads to the clients', async () => {
    await using scene = await openScene()
    const page = await (await scene.person('ada')).get(PATH)
    expect(readable(page)).toContain('This ends browsers. Clients you let in stay in until you revoke them')
    expect(page.text).toMatch(/until you revoke them: <a href="\/account\/clients">/)
  })
})

test('what was done with an account is shown to its user and nobody else, the latest first', async () => {
  await using scene = await openScene()
  const [ada, ben] = [await scene.person('ada'), await scene.person('ben')]
  await ada.post('/account/keys', { name: 'laptop', scope: 'mcp', expiry: 'never' })
  scene.clock.turn(MINUTE)
  const wanted = 'nine red foxes cross the frozen lake'
  await ada.post('/account/password', { current: PASSWORD, wanted, again: wanted })
  scene.note({ kind: 'login.failed', target: ada.userId, address: '192.0.2.7' })
  scene.note({ kind: 'factors.reset', userId: ben.userId, target: ada.userId, name: 'ada' })
  scene.note({ kind: 'tool.call', userId: ada.userId, tool: 'hidden' })
  await scene.audited()
  const hers = readable(await ada.get(PATH))
  const told = [
    'An administrator took the second factors away',
    'Somebody failed to sign in 192.0.2.7 2026-01-01 00:01 UTC',
    'Password set',
    'API key made laptop 127.0.0.1 2026-01-01 00:00 UTC',
  ]
  const places = told.map((text) => hers.indexOf(text))
  expect(places).toEqual(places.toSorted((a, b) => a - b))
  expect(places).not.toContain(-1)
  expect(hers).not.toContain('hidden')
  expect(readable(await ben.get(PATH))).not.toMatch(/failed to sign in|took the second/)
})

test('what was done a moment ago is there already, with what and where from', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  const shown = async () => readable(await ada.get(PATH))
  await ada.post('/account/servers/notes/token', { token: 'note_1234' })
  expect(await shown()).toContain('Token set notes 127.0.0.1 2026-01-01 00:00 UTC')
  await ada.post('/account/servers/notes/token', { token: 'note_5678' })
  expect((await shown()).match(/Token set notes 127\.0\.0\.1/g)).toHaveLength(2)
  await ada.post('/account/servers/notes/token/remove')
  expect(await shown()).toContain('Token removed notes 127.0.0.1')
  await connectThere(ada)
  expect(await shown()).toContain('Account connected tracker 127.0.0.1')
  await ada.post('/account/servers/issues/disconnect')
  expect(await shown()).toContain('Account disconnected tracker 127.0.0.1')
})

test('R0-56d: what is odd is told on top of the page for two weeks, in words, and stays in the list', async () => {
  await using scene = await openScene()
  const [ada, ben] = [await scene.person('ada'), await scene.person('ben')]
  const odd = { kind: 'account.odd', userId: ada.userId } as const
  scene.note({ ...odd, what: 'new_place', browser: 'Chrome on <b>Windows', address: '203.0.113.9' })
  scene.note({ ...odd, what: 'client_moved', clientName: 'A program', address: '198.51.100.1' })
  scene.note({ ...odd, what: 'many_refused', count: 30 })
  await scene.audited()
  const page = readable(await ada.get(PATH))
  const [notice = ''] = /Was this you\?.*?revoke the clients you do not trust/.exec(page) ?? []
  expect(notice).toContain('Many calls were refused within minutes ( 2026-01-01 00:00 UTC )')
  expect(notice).toContain('A client came back from another network after long quiet: A program, 198.51.100.1')
  expect((await ada.get(PATH)).text).toContain('Chrome on &lt;b&gt;Windows, 203.0.113.9')
  expect(readable(await ben.get(PATH))).not.toContain('Was this you?')
  scene.clock.turn(14 * 24 * 60 * MINUTE)
  const later = readable(await (await ada.signIn()).get(PATH))
  expect(later).not.toContain('Was this you?')
  expect(later).toContain('Signed in with a browser or from a network not seen before')
})
