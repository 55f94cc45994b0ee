import { createIdentityEmulator } from '@sekisho/playground/identity'
import { expect, test } from 'vitest'
import { freePort } from '../../../../../scripts/lib/free-port.ts'
import { startGate } from '../../../../../scripts/lib/gate.ts'
import { PASSWORD } from '../../../../../scripts/lib/people.ts'
import { openChromium, SHOTS, withoutChromium, type Person } from './chromium.ts'

/** Signing in with an identity provider, as people see and press it: R3-32. */
const TIMEOUT = 120_000
const SECRET = 'secret-of-the-gate-at-the-provider'

test.skipIf(withoutChromium)(
  'somebody signs in with an identity provider, links it, and is signed out by it',
  { timeout: TIMEOUT },
  async () => {
    await using outside = await openOutside()
    await using chromium = await openChromium()

    const ben = await chromium.newPerson()
    const secrets = [SECRET]
    ben.page.on('request', (request) => {
      for (const [, value = ''] of request.url().matchAll(/[?&](?:code|state|nonce)=([\w-]+)/g)) secrets.push(value)
    })
    await ben.page.goto(`${outside.url}/sign-in?next=/account/keys`)
    await ben.look('40-sign-in-with')
    await comeAs(ben, 'Ben Marlow')
    expect(ben.page.url()).toBe(`${outside.url}/account/keys`)
    expect(await ben.page.textContent('.who')).toBe('ben')

    const cleo = await chromium.newPerson()
    await cleo.page.goto(`${outside.url}/sign-in`)
    await comeAs(cleo, 'Cleo Stray')
    expect(await cleo.page.textContent('main')).toMatch(/domain that is not let in/)
    await cleo.look('41-not-let-in')
    await cleo.page.getByRole('link', { name: 'Back to signing in' }).click()
    expect(new URL(cleo.page.url()).pathname).toBe('/sign-in')

    const grace = await chromium.newPerson()
    await grace.page.goto(await outside.gate.inviteUser('grace'))
    await grace.page.getByLabel('New password', { exact: true }).fill(PASSWORD)
    await grace.page.getByLabel('New password, once more').fill(PASSWORD)
    await grace.page.getByRole('button', { name: /Set the password/ }).click()
    await grace.page.goto(`${outside.url}/account/sessions`)
    await grace.look('42-sessions-with-a-provider')
    await grace.page.getByRole('link', { name: 'Accounts elsewhere that you sign in with' }).click()
    await grace.look('43-nothing-linked')
    await grace.page.getByRole('button', { name: 'Link Corp' }).click()
    await grace.page.getByRole('button', { name: 'Sign in as Ada Okonkwo' }).click()
    expect(await grace.page.textContent('.notice')).toMatch(/is linked/)
    await grace.look('44-linked')

    expect(await outside.identity.signOut('ben')).toBe(1)
    await ben.page.reload()
    expect(new URL(ben.page.url()).pathname).toBe('/sign-in')
    await ben.look('45-signed-out-there')

    expect(secrets.length).toBeGreaterThan(3)
    expect(secrets.filter((secret) => outside.gate.log().includes(secret))).toEqual([])
  },
)

test.skipIf(withoutChromium)(
  'a client of somebody who signs in elsewhere is let in, in the dark and without scripts too',
  { timeout: TIMEOUT },
  async () => {
    await using outside = await openOutside()
    await using chromium = await openChromium()
    const ben = await chromium.newPerson({ javaScript: false })
    await ben.page.emulateMedia({ colorScheme: 'dark' })
    await ben.page.goto(authorizationUrl(outside.url))
    await ben.look('46-sign-in-with-for-a-client')
    outside.identity.settings.reach = 'down'
    await ben.page.getByRole('button', { name: 'Continue with Corp' }).click()
    expect(await ben.page.textContent('main')).toMatch(/Corp cannot be reached/)
    await ben.look('48-provider-down')
    outside.identity.settings.reach = 'up'
    await ben.page.getByRole('link', { name: 'Back to signing in' }).click()
    await comeAs(ben, 'Ben Marlow')
    expect(await ben.page.textContent('h1')).toMatch(/Let Story client in\?/)

    const dark = await chromium.newPerson()
    await dark.page.emulateMedia({ colorScheme: 'dark' })
    await dark.page.goto(`${outside.url}/sign-in`)
    await dark.look('47-sign-in-with-dark')
  },
)

test.skipIf(withoutChromium)(
  'where providers alone let people in, a link lets its user in once; what is odd about an account is told on top',
  { timeout: TIMEOUT },
  async () => {
    await using outside = await openOutside({ methods: [] })
    await using chromium = await openChromium()
    const ada = await chromium.newPerson()
    const { page } = ada
    await page.goto(await outside.gate.inviteUser('ada'))
    await ada.look('50-link-without-password')
    await page.getByRole('button', { name: 'Come in' }).click()
    await page.getByRole('button', { name: 'Link Corp' }).click()
    await page.getByRole('button', { name: 'Sign in as Ada Okonkwo' }).click()
    expect(await page.textContent('main')).toMatch(/ada@corp\.example/)
    const elsewhere = await chromium.newPerson({ userAgent: 'Mozilla/5.0 (Windows NT 10.0) Firefox/141.0' })
    await elsewhere.page.goto(`${outside.url}/sign-in`)
    await elsewhere.look('51-providers-only')
    await comeAs(elsewhere, 'Ada Okonkwo')
    // What was done is written in groups, a moment later.
    await expect
      .poll(async () => {
        await elsewhere.page.goto(`${outside.url}/account/security`)
        return elsewhere.page.textContent('main')
      })
      .toMatch(/Was this you\?.*Firefox on Windows/s)
    await elsewhere.look('52-odd')
    await elsewhere.page.emulateMedia({ colorScheme: 'dark' })
    await elsewhere.page.screenshot({ path: `${SHOTS}/53-odd-dark.png`, fullPage: true })
  },
)

async function comeAs({ page }: Person, name: string): Promise<void> {
  await page.getByRole('button', { name: 'Continue with Corp' }).click()
  await page.getByRole('button', { name: `Sign in as ${name}` }).click()
}

/** A gate and a provider that know each other. */
async function openOutside(signIn: object = {}) {
  await using open = new AsyncDisposableStack()
  const port = await freePort()
  const url = `http://localhost:${port}`
  const client = {
    id: 'gate',
    secret: SECRET,
    name: 'Sekisho',
    redirectUris: [`${url}/sign-in/from/corp`],
    backchannelLogoutUri: `${url}/sign-in/logout/corp`,
  }
  const identity = open.use(await createIdentityEmulator({ clients: [client] }))
  const { url: issuer } = await identity.listen()
  const known = { clientId: 'gate', clientSecret: { $env: 'CORP_SECRET' } }
  const corp = { label: 'Corp', issuer, ...known, createUsers: true, emailDomains: ['corp.example'] }
  const config = {
    log: { level: 'debug', format: 'json' },
    limits: { perMinute: { signIn: 1_000, callback: 1_000 } },
    signIn: { with: { corp }, ...signIn },
    oauth: { clients: [{ clientId: 'story-client', name: 'Story client', redirectUris: [REDIRECT] }] },
  }
  const gate = open.use(await startGate({ port, config, env: { CORP_SECRET: SECRET } }))
  const opened = open.move()
  return { url, identity, gate, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

const REDIRECT = 'http://127.0.0.1:6791/callback'

function authorizationUrl(gate: string): string {
  const url = new URL(`${gate}/authorize`)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: 'story-client',
    redirect_uri: REDIRECT,
    scope: 'mcp',
    state: 'story',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    resource: `${gate}/mcp`,
  }).toString()
  return url.href
}
