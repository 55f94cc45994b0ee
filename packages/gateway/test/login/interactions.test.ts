import { expect, test } from 'vitest'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { hidden, type Browser } from './browser.ts'
import { openEmbedded, openScene, PASSWORD, type Scene } from './scene.ts'

async function signedIn(scene: Scene, name: string): Promise<Browser> {
  const browser = scene.browser()
  const page = await browser.get('/sign-in')
  await browser.post('/sign-in', { ...hidden(page), name, password: PASSWORD })
  return browser
}

test('who is not signed in signs in first, told for which client, and comes back to the question', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  const ada = await scene.person('ada')
  const { uid } = scene.asked.put({ prompt: 'login', clientName: '<i>Cursor</i>', loginHint: 'ada' })
  const browser = scene.browser()
  const first = await browser.get(`/interaction/${uid}`)
  expect(first).toMatchObject({ status: 303, location: `/sign-in?next=%2Finteraction%2F${uid}` })
  const page = await browser.get(first.location ?? '')
  expect(page.text).toContain('&lt;i&gt;Cursor&lt;/i&gt; asks to use this gate')
  expect(page.text).toContain('value="ada"')
  expect(page.headers.get('Content-Security-Policy')).not.toContain('form-action')
  const back = await browser.post('/sign-in', { ...hidden(page), name: 'ada', password: PASSWORD })
  expect(back.location).toBe(`/interaction/${uid}`)
  expect(await browser.get(`/interaction/${uid}`)).toMatchObject({ status: 303, location: `/authorize/${uid}` })
  expect(scene.asked.answers).toEqual([`${ada.id} signed in`])
})

test('a client that wants a fresh sign-in has its user sign in again', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  await scene.person('ada')
  const browser = await signedIn(scene, 'ada')
  scene.clock.turn(60_000)
  const { uid } = scene.asked.put({ prompt: 'login', signInAfter: scene.clock.now() })
  const first = await browser.get(`/interaction/${uid}`)
  const page = await browser.get(first.location ?? '')
  expect(page.status).toBe(200)
  await browser.post('/sign-in', { ...hidden(page, '/sign-in'), name: 'ada', password: PASSWORD })
  expect((await browser.get(`/interaction/${uid}`)).location).toBe(`/authorize/${uid}`)
})

test('the question names the client as it calls itself, where its access goes, and what it may do', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  await scene.person('ada')
  const browser = await signedIn(scene, 'ada')
  const ask = async (question: Parameters<Scene['asked']['put']>[0]) =>
    (await browser.get(`/interaction/${scene.asked.put(question).uid}`)).text
  const all = await ask({})
  expect(all).toContain('app.example')
  expect(all).toContain('is not verified')
  expect(all).toContain('You are signed in as ada.')
  expect(all).toMatch(/github[^]*notes/)
  expect(all).toContain('&lt;b&gt;Notes&lt;/b&gt;')
  expect(all).not.toContain('An application on this computer')
  const one = await ask({ resources: ['http://localhost:7354/mcp/github'], isLocalRedirect: true })
  expect(one).toContain('github')
  expect(one).not.toContain('notes')
  expect(one).toContain('An application on this computer')
  expect(await ask({ clientId: 'https://cli.example/meta.json', isMetadataClient: true })).toContain(
    'cli.example vouches for this client',
  )
  expect(await ask({ clientId: 'known' })).toContain('The operator of this gate has set this client up.')
})

test('who uses another account is asked anew, and what was not allowed is not recorded as if it were', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  const ada = await scene.person('ada')
  await scene.person('grace')
  const { uid } = scene.asked.put({ account: { tenant: DEFAULT_TENANT, userId: ada.id } })
  const browser = await signedIn(scene, 'ada')
  const other = await signedIn(scene, 'grace')
  const allow = async (who: Browser) => {
    const form = hidden(await who.get(`/interaction/${uid}`), `/interaction/${uid}`)
    return (await who.post(`/interaction/${uid}`, { ...form, decision: 'allow' })).location
  }
  expect((await other.get(`/interaction/${uid}`)).location).toBe(`/authorize?of=${uid}`)
  const asked = hidden(await browser.get(`/interaction/${uid}`), `/interaction/${uid}`)
  expect((await other.post(`/interaction/${uid}`, { ...asked, decision: 'allow' })).status).toBe(403)
  expect(scene.asked.answers).toEqual([])
  expect(await scene.audited()).not.toContainEqual(expect.objectContaining({ kind: 'consent.given' }))
  expect(await allow(browser)).toBe(`/authorize/${uid}`)
})

test('what a client calls itself is text: no markup, no control characters, no turned writing, no end', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  await scene.person('ada')
  const browser = await signedIn(scene, 'ada')
  const clientName = `<a href="https://evil.example">\u202eevil\u0007</a>\n${'x'.repeat(500)}`
  const { uid } = scene.asked.put({ clientName, redirectHost: '"><img src=x>', redirectUri: 'x:"><script>' })
  const { text } = await browser.get(`/interaction/${uid}`)
  expect(text).not.toMatch(/<a href="https:|<script|<img src=x|\u202e|x{60}/)
  expect(text).not.toContain('\u0007')
  expect((await browser.get(`/interaction/${scene.asked.put({ clientName: '\u200b ' }).uid}`)).text).toContain(
    'A client without a name',
  )
})

test('only the form of this question in this browser answers it', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  const [ada] = [await scene.person('ada'), await scene.person('bob')]
  const [browser, others] = [await signedIn(scene, 'ada'), await signedIn(scene, 'bob')]
  const [one, two] = [scene.asked.put(), scene.asked.put()]
  const path = `/interaction/${one.uid}`
  const fields = hidden(await browser.get(path), path)
  const allow = { ...fields, decision: 'allow' }
  const refused = [
    await browser.post(path, { decision: 'allow' }),
    await browser.post(`/interaction/${two.uid}`, allow),
    await others.post(path, allow),
    await browser.post(path, allow, { Origin: 'https://evil.example' }),
  ]
  expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 403])
  expect(await scene.browser().post(path, allow)).toMatchObject({ status: 303, location: path })
  expect(scene.asked.answers).toEqual([])
  expect(await browser.post(path, allow)).toMatchObject({ status: 303, location: `/authorize/${one.uid}` })
  expect(scene.asked.answers).toEqual([`${ada.id} allowed`])
  expect((await scene.audited()).at(-1)).toMatchObject({
    kind: 'consent.given',
    user: ada.id,
    client: 'client-1',
    clientName: 'Inspector',
    redirectHost: 'app.example',
    address: '127.0.0.1',
  })
})

test('whatever is not “allow” refuses', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  await scene.person('ada')
  const browser = await signedIn(scene, 'ada')
  for (const decision of ['refuse', '', 'ALLOW']) {
    const path = `/interaction/${scene.asked.put().uid}`
    const fields = hidden(await browser.get(path), path)
    expect((await browser.post(path, { ...fields, decision })).status).toBe(303)
  }
  expect(scene.asked.answers).toEqual(['refused', 'refused', 'refused'])
  expect((await scene.audited()).at(-1)).toMatchObject({ kind: 'consent.refused' })
})

test('to switch, one signs out and comes back to the question', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  await scene.person('ada')
  const browser = await signedIn(scene, 'ada')
  const { uid } = scene.asked.put()
  const fields = hidden(await browser.get(`/interaction/${uid}`), '/sign-out')
  const answer = await browser.post('/sign-out', fields)
  expect(answer.location).toBe(`/sign-in?next=%2Finteraction%2F${uid}`)
})

test('a question that is over is a page that says so', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  for (const uid of ['gone', 'x'.repeat(80), '%00', '..%2F']) {
    const page = await scene.browser().get(`/interaction/${uid}`)
    expect(page.status).toBe(404)
    expect(page.text).toContain('Go back to the client')
  }
})
