import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAdminClient, textAt } from '../../../../../scripts/lib/admin.ts'
import { acceptInvitation } from '../../../../../scripts/lib/people.ts'
import { freePort } from '../../../../../scripts/lib/free-port.ts'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { sekisho } from '../../cli/gate.ts'
import { hidden, openBrowser, type Browser, type Page } from '../../login/browser.ts'
import { createDevice } from '../../login/device.ts'
import { PASSWORD } from '../../login/scene.ts'
import { appWith, enterPassword, enterPasskey, optionsIn, passkeyFields, send } from '../../login/ways-in.ts'
import { GENEROUS } from '../journey/outside.ts'
import { isRedirect, letIn } from './client.ts'
import { knock } from '../../attacks/ground.ts'

/** Tenants on one gate, each with a policy of its own: R3-17b, R3-32b, R3-32c. */
const SECONDS = 12
const config = {
  limits: { perMinute: GENEROUS },
  signIn: { secondFactor: 'optional', idleHours: 24, maxHours: 48 },
  tenants: {
    strict: { signIn: { secondFactor: 'required', idleHours: 1, maxHours: 2 } },
    keys: { signIn: { methods: ['passkey'] } },
    brief: { signIn: { maxHours: SECONDS / 3_600 } },
    plain: {},
  },
}

let gate: Gate
let url: string
beforeAll(async () => {
  const port = await freePort()
  url = `http://localhost:${port}`
  gate = await startGate({ port, config })
})
afterAll(() => gate[Symbol.asyncDispose]())

/** Invites somebody of a tenant, who sets a password in a browser of their own; answers with that, and what followed. */
async function invite(tenant: string, name: string): Promise<{ readonly browser: Browser; readonly after: Page }> {
  const link = new URL(await createAdminClient(gate.dataDir, tenant).inviteUser(name))
  const browser = openBrowser(url)
  const page = await browser.get(link.pathname)
  const after = await browser.post(link.pathname, { ...hidden(page), password: PASSWORD, again: PASSWORD })
  return { browser, after }
}

/** Whom the pages of their account are shown to. */
async function whoIs(browser: Browser): Promise<string | undefined> {
  return /class="who">([^<]*)</.exec((await browser.get('/account')).text)?.[1]
}

const isSignedIn = ({ setCookies }: Page) => setCookies.some((cookie) => /^sekisho=[^;]/.test(cookie))

test('the people of one tenant need a second factor, those of another do not, though they are called the same', async () => {
  const [here, there] = [await invite('default', 'ada'), await invite('strict', 'ada')]
  expect([here.after.location, isSignedIn(here.after)]).toEqual(['/account', true])
  expect([there.after.location, isSignedIn(there.after)]).toEqual(['/sign-in/set-up', false])
  const shown = await there.browser.get('/sign-in/set-up')
  const app = appWith(/<code class="code">([A-Z2-7 ]+)<\/code>/.exec(shown.text)?.[1] ?? '', { now: Date.now })
  const set = await send(there.browser, '/sign-in/set-up', {
    page: shown,
    form: { code: app.code() },
    action: '/sign-in/set-up/app',
  })
  expect([set.status, await whoIs(there.browser)]).toEqual([200, 'ada'])

  const comesBack = [await enterPassword(openBrowser(url), 'ada'), await enterPassword(openBrowser(url), 'strict/ada')]
  expect(comesBack.map(({ location }) => location)).toEqual(['/account', '/sign-in/second'])
  expect(comesBack.map(isSignedIn)).toEqual([true, false])
  const byItsName = await enterPassword(openBrowser(url), 'default/ada')
  expect(byItsName.location).toBe('/account')
})

test('where passwords are forbidden the right one opens nothing, and is answered as every wrong one; a passkey opens', async () => {
  const { browser, after } = await invite('keys', 'eve')
  expect([after.location, isSignedIn(after)]).toEqual(['/sign-in/set-up', false])
  const page = await browser.get('/sign-in/set-up')
  const device = createDevice(url)
  const answer = device.create(optionsIn(page))
  const made = await browser.post('/sign-in/set-up/passkey', { ...passkeyFields(page), name: 'phone', answer })
  expect([made.status, await whoIs(browser)]).toEqual([200, 'eve'])

  const told = await Promise.all(
    [
      ['keys/eve', PASSWORD],
      ['keys/eve', 'not her password at all'],
      ['keys/nobody', PASSWORD],
      ['nowhere/eve', PASSWORD],
      ['eve', PASSWORD],
    ].map(async ([name = '', password = '']) => {
      const refused = await enterPassword(openBrowser(url), name, { password })
      return [refused.status, /class="notice error"[^]*?<\/div>/.exec(refused.text)?.[0], isSignedIn(refused)]
    }),
  )
  expect(new Set(told.map((each) => JSON.stringify(each))).size).toBe(1)
  expect(told[0]).toEqual([400, expect.stringContaining('The name or the password is not right.'), false])

  const back = openBrowser(url)
  expect((await enterPasskey(back, device)).location).toBe('/account')
  expect(await whoIs(back)).toBe('eve')
  // Asked once more, they are shown what their own tenant has, and nothing else.
  const again = await back.get('/sign-in/again')
  expect([again.text.includes('data-passkey'), again.text.includes('type="password"')]).toEqual([true, false])
})

test('each tenant’s browsers stay signed in as long as it says, and no longer', async () => {
  const [long, short] = [await invite('default', 'bob'), await invite('brief', 'bob')]
  const ages = [long, short].map(({ after }) => Number(/Max-Age=(\d+)/.exec(after.setCookies.join())?.[1]))
  expect(ages).toEqual([48 * 3_600, SECONDS])
  expect([await whoIs(long.browser), await whoIs(short.browser)]).toEqual(['bob', 'bob'])
  await sleep(SECONDS * 1_000 + 100)
  expect([await whoIs(long.browser), await whoIs(short.browser)]).toEqual(['bob', undefined])
})

test('a client is let in by somebody of any tenant, for them and their tenant', async () => {
  for (const tenant of ['default', 'plain']) {
    const link = await createAdminClient(gate.dataDir, tenant).inviteUser('dora', 'admin')
    const browser = await acceptInvitation(link, { stopAt: isRedirect })
    const { accessToken } = await letIn(url, browser)
    expect(await knock(`${url}/mcp`, accessToken)).toBe(200)
    const clients = await browser.open(`${url}/account/clients`)
    expect([clients.status, clients.text.includes('Test')]).toEqual([200, true])
    const security = await browser.open(`${url}/account/security`)
    expect(security.text).toMatch(/Signed in/)
  }
})

test('the operator names a tenant on the command line; one that the configuration does not know is refused', async () => {
  const run = (...words: string[]) => sekisho(words, { environment: { SEKISHO_DATA: gate.dataDir } })
  await createAdminClient(gate.dataDir, 'strict').addUser('grace')
  const names = async (...words: string[]) => (await run('user', 'list', '--json', ...words)).output
  expect([await names('--tenant', 'strict'), await names()].map((text) => text.includes('"grace"'))).toEqual([
    true,
    false,
  ])
  const unknown = await run('user', 'list', '--tenant', 'strickt')
  expect([unknown.code, unknown.errors]).toEqual([1, expect.stringContaining('There is no tenant called strickt.')])
  const both = await run('user', 'list', '--tenant', 'strict', '--url', url)
  expect([both.code, both.errors]).toEqual([1, expect.stringContaining('--tenant and --url do not go together')])
})

test('nobody on the network chooses a tenant: a key’s own counts, whatever a header says', async () => {
  const { key } = await createAdminClient(gate.dataDir, 'strict').addUser('root', {
    role: 'admin',
    scopes: ['mcp', 'admin'],
  })
  const headers = { Authorization: `Bearer ${key}`, 'Sekisho-Tenant': 'default' }
  const answer = await fetch(`${gate.url}/admin/api/users`, { headers })
  const { users } = (await answer.json()) as { readonly users: readonly object[] }
  const names = users.map((user) => textAt(user, 'name'))
  expect([names.includes('root'), names.includes('bob')]).toEqual([true, false])
})
