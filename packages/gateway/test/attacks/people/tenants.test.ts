import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAdminClient } from '../../../../../scripts/lib/admin.ts'
import { freePort } from '../../../../../scripts/lib/free-port.ts'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { GENEROUS } from '../../e2e/journey/outside.ts'
import { freshDataDir } from '../../e2e/stopped.ts'
import { hidden, openBrowser, type Browser, type Page } from '../../login/browser.ts'
import { createDevice, type Device } from '../../login/device.ts'
import { PASSWORD } from '../../login/scene.ts'
import { enterPasskey, enterPassword, optionsIn, passkeyFields } from '../../login/ways-in.ts'

/** The lax tenant of a gate as a way into its strict one. */
const LAX = { methods: ['password', 'passkey'], secondFactor: 'off' }
const configWith = (words: object) => ({
  limits: { perMinute: GENEROUS },
  tenants: {
    strict: { signIn: { methods: ['passkey'], secondFactor: 'required' } },
    lax: { signIn: LAX },
    words: { signIn: words },
  },
})

let place: ReturnType<typeof freshDataDir>
let port: number
let gate: Gate
let url: string
const start = (words: object) => startGate({ port, dataDir: place.dataDir, config: configWith(words) })
beforeAll(async () => {
  place = freshDataDir()
  port = await freePort()
  url = `http://localhost:${port}`
  gate = await start(LAX)
})
afterAll(async () => {
  await gate.stop()
  place[Symbol.dispose]()
})

/** Somebody of a tenant, in a browser of their own, with the password that all have here. */
async function invite(tenant: string, name: string): Promise<Browser> {
  const link = new URL(await createAdminClient(gate.dataDir, tenant).inviteUser(name))
  const browser = openBrowser(url)
  const page = await browser.get(link.pathname)
  await browser.post(link.pathname, { ...hidden(page), password: PASSWORD, again: PASSWORD })
  return browser
}

/** Makes a passkey at the page that asks for one. */
async function makePasskey(browser: Browser, path: string, device: Device, how = {}): Promise<Page> {
  const page = await browser.get(path)
  const answer = device.create(optionsIn(page), how)
  return browser.post(actionIn(page), { ...passkeyFields(page), name: 'phone', answer })
}

const actionIn = ({ text }: Page) => /action="([^"]*)"[^>]*data-asks/.exec(text)?.[1] ?? ''
const whoIs = async (browser: Browser) => /class="who">([^<]*)</.exec((await browser.get('/account')).text)?.[1]
const isSignedIn = ({ setCookies }: Page) => setCookies.some((cookie) => /^sekisho=[^;]/.test(cookie))

test('a passkey that is planted in one tenant under the id of another’s takes nobody’s place (CWE-639)', async () => {
  const id = Buffer.alloc(16, 7)
  const [device, planted] = [createDevice(url), createDevice(url)]
  const ada = await invite('strict', 'ada')
  expect((await makePasskey(ada, '/sign-in/set-up', device, { id })).status).toBe(200)
  const eve = await invite('lax', 'eve')
  expect((await makePasskey(eve, '/account/security/passkeys', planted, { id })).status).toBeLessThan(400)

  const [adas, eves] = [openBrowser(url), openBrowser(url)]
  expect((await enterPasskey(adas, device)).location).toBe('/account')
  expect((await enterPasskey(eves, planted)).location).toBe('/account')
  expect([await whoIs(adas), await whoIs(eves)]).toEqual(['ada', 'eve'])
  // With ada's id in place of eve's own, it is ada's key that it is held against.
  const page = await openBrowser(url).get('/sign-in')
  const lies = JSON.parse(planted.get(optionsIn(page)))
  const [, handle] = /"userHandle":"([^"]+)"/.exec(device.get(optionsIn(page))) ?? []
  lies.response.userHandle = handle
  const refused = await openBrowser(url).post('/sign-in', { ...passkeyFields(page), answer: JSON.stringify(lies) })
  expect([refused.status >= 400, isSignedIn(refused)]).toEqual([true, false])
})

test('a passkey of before opens nothing where its tenant knows none any more (CWE-863)', async () => {
  const device = createDevice(url)
  const wanda = await invite('words', 'wanda')
  expect((await makePasskey(wanda, '/account/security/passkeys', device)).status).toBeLessThan(400)
  expect((await enterPasskey(openBrowser(url), device)).location).toBe('/account')
  await gate.stop()
  gate = await start({ methods: ['password'], secondFactor: 'off' })
  const refused = await enterPasskey(openBrowser(url), device)
  expect([refused.status >= 400, isSignedIn(refused)]).toEqual([true, false])
  expect((await enterPassword(openBrowser(url), 'words/wanda')).location).toBe('/account')
})

const SPELLINGS = [
  'strict/bob',
  'strict//bob',
  'lax/../strict/bob',
  'Strict/bob',
  'strict/ bob',
  'strict%2Fbob',
  'strict／bob',
]

test('a tenant that knows no passwords is entered by none, however its name is written (CWE-863)', async () => {
  // Each has this password: the link of an invitation sets one, whatever comes after.
  for (const tenant of ['strict', 'lax']) await invite(tenant, 'bob')
  expect((await enterPassword(openBrowser(url), 'lax/bob')).location).toBe('/account')
  for (const name of SPELLINGS) {
    const entered = await enterPassword(openBrowser(url), name)
    expect([name, entered.status, isSignedIn(entered)]).toEqual([name, 400, false])
    expect(entered.text).toContain('The name or the password is not right.')
  }
})

test('who signs in to another tenant in the same browser leaves the one before (CWE-384)', async () => {
  await invite('words', 'carol')
  const browser = await invite('lax', 'carol')
  const before = browser.cookies.get('sekisho') ?? ''
  const page = await browser.get('/sign-in?again=')
  const entered = await browser.post('/sign-in', { ...hidden(page), name: 'words/carol', password: PASSWORD })
  expect([entered.location, browser.cookies.get('sekisho') === before]).toEqual(['/account', false])
  const thief = openBrowser(url)
  thief.cookies.set('sekisho', before)
  expect((await thief.get('/account')).location).toMatch(/^\/sign-in/)
})
