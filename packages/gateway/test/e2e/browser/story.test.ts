import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { users } from '@sekisho/playground/mal/users'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { PASSWORD } from '../../../../../scripts/lib/people.ts'
import { openOutside, type Outside } from '../journey/outside.ts'
import { openChromium, withoutChromium, type Person } from './chromium.ts'

/** What people see and press, in a real browser: R3-32a, c, d, R1-24, R0-10, R0-32. */
const TIMEOUT = 120_000
const REDIRECT = 'http://127.0.0.1:6790/callback'

test.skipIf(withoutChromium)(
  'an administrator invites, a member connects, each in a browser',
  { timeout: TIMEOUT },
  async () => {
    await using outside = await openOutside({ config: { oauth: { clients: [CLIENT] } } })
    await using chromium = await openChromium()
    const admin = await chromium.newPerson()

    await step('the first start’s link sets a password, once', async () => {
      const link = firstLink(outside)
      await admin.page.goto(link)
      await admin.look('01-welcome')
      await setPassword(admin.page)
      expect(await admin.page.title()).toMatch(/accounts/i)
      await admin.look('02-account')
      await admin.page.goto(link)
      expect(await admin.page.textContent('main')).toMatch(/not valid/)
      await admin.look('03-link-used')
    })

    const ada = await chromium.newPerson()
    await step('an invitation lets a member in', async () => {
      await ada.page.goto(await outside.gate.inviteUser('ada'))
      await setPassword(ada.page)
      await ada.page.getByRole('button', { name: /sign out/i }).click()
      await ada.look('04-signed-out')
      await ada.page.goto(`${outside.publicUrl}/account`)
      await signInWith(ada.page, 'ada', 'not the password')
      await ada.look('05-sign-in-failed')
      await signInWith(ada.page, 'ada', PASSWORD)
      expect(new URL(ada.page.url()).pathname).toBe('/account')
      await ada.look('06-account-of-a-member')
    })

    await step('a client is refused, then allowed', async () => {
      await using client = await openClient()
      await ada.page.goto(authorizationUrl(outside))
      await ada.look('07-consent')
      await ada.page.getByRole('button', { name: 'Refuse' }).click()
      expect((await client.answer()).searchParams.get('error')).toBe('access_denied')
      await ada.page.goto(authorizationUrl(outside))
      await ada.page.getByRole('button', { name: 'Allow' }).click()
      expect((await client.answer()).searchParams.get('code')).toBeTruthy()
      await ada.page.goto(`${outside.publicUrl}/account/clients`)
      expect(await ada.page.textContent('main')).toContain(CLIENT.name)
      await ada.look('08-clients')
    })

    await step('MyAnimeList: refused at the provider, then connected, tested and disconnected', () =>
      connectAndBack(outside, ada),
    )

    await step('keys and sessions', async () => {
      await ada.page.goto(`${outside.publicUrl}/account/keys`)
      await ada.look('15-keys')
      await ada.page.goto(`${outside.publicUrl}/account/sessions`)
      await ada.look('16-sessions')
    })

    await step('a connect link of somebody else connects nothing', async () => {
      const { key } = await outside.gate.addUser('ben')
      const link = await linkFor(outside, key)
      await ada.page.goto(link)
      expect(await ada.page.textContent('main')).toMatch(/somebody else/)
      await ada.look('17-somebody-elses-link')
    })

    await step('signing out ends it', async () => {
      await ada.page.goto(`${outside.publicUrl}/account`)
      await ada.page.getByRole('button', { name: /sign out/i }).click()
      await ada.page.goto(`${outside.publicUrl}/account`)
      expect(new URL(ada.page.url()).pathname).toBe('/sign-in')
      await ada.page.goto(authorizationUrl(outside))
      expect(await ada.page.getByLabel('Password').count()).toBe(1)
    })
  },
)

test.skipIf(withoutChromium)('an invitation that was not followed in time says so', { timeout: TIMEOUT }, async () => {
  await using outside = await openOutside({ config: { signIn: { invitationHours: 0.000_05 } } })
  await using chromium = await openChromium()
  const { page, look } = await chromium.newPerson()
  const link = await outside.gate.inviteUser('ada')
  await sleep(300)
  await page.goto(link)
  expect(await page.textContent('main')).toMatch(/not valid/)
  await look('18-expired-link')
})

test.skipIf(withoutChromium)(
  'everything can be done with the keyboard alone, and without scripts',
  { timeout: TIMEOUT },
  async () => {
    await using outside = await openOutside()
    await using chromium = await openChromium()
    const { page, look } = await chromium.newPerson({ javaScript: false })
    await page.goto(await outside.gate.inviteUser('ada'))
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press('Tab')
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/account/)
    for (let presses = 0; presses < 40; presses++) {
      await page.keyboard.press('Tab')
      if ((await page.locator(':focus').textContent()) === 'Connect MyAnimeList') break
    }
    await look('19-focus')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/connect\/mal/)
    expect(await page.textContent('h1')).toBe('Connect MyAnimeList')
  },
)

/** Says in a failure where in the story it was. */
async function step(name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (cause) {
    throw new Error(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

async function connectAndBack({ publicUrl, mal }: Outside, { page, look }: Person): Promise<void> {
  const mika = users.find(({ name }) => name === 'mika')
  if (!mika) throw new Error('the playground has no mika')
  await page.goto(`${publicUrl}/account`)
  await page.getByText('Connect MyAnimeList').first().click()
  await look('09-connect')
  await page.getByRole('button', { name: 'Continue to MyAnimeList' }).click()
  await look('10-provider-sign-in')
  await page.getByLabel('User name').fill(mika.name)
  await page.getByLabel('Password').fill(mika.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await look('11-provider-consent')
  await page.getByRole('button', { name: 'Cancel' }).click()
  expect(await page.textContent('main')).toMatch(/did not connect your account/)
  await look('12-refused-at-the-provider')

  await page.goto(`${publicUrl}/connect/mal`)
  await page.getByRole('button', { name: 'Continue to MyAnimeList' }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  expect(await page.textContent('main')).toMatch(/Connected/)
  await look('13-connected')
  await page.reload()
  expect(await page.textContent('main')).toMatch(/Connected/)

  await page.goto(`${publicUrl}/account`)
  expect(await page.textContent('main')).toContain('mika')
  await page.getByRole('button', { name: /^Test/ }).click()
  expect(await page.textContent('main')).toContain('The connection works.')
  await look('14-account-connected')
  await page
    .getByText(/^Disconnect/)
    .first()
    .click()
  await page.getByRole('button', { name: 'Disconnect' }).click()
  expect(await page.textContent('main')).toMatch(/disconnected/)
  expect(mal.requests.length).toBeGreaterThan(0)
}

const CLIENT = { clientId: 'story-client', name: 'Story client', redirectUris: [REDIRECT] }

function authorizationUrl({ publicUrl }: Outside): string {
  const url = new URL(`${publicUrl}/authorize`)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: CLIENT.clientId,
    redirect_uri: REDIRECT,
    scope: 'mcp',
    state: 'story',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    resource: `${publicUrl}/mcp`,
  }).toString()
  return url.href
}

/** The client's own side: takes what the gate sends it, and says where the last answer went. */
async function openClient(): Promise<AsyncDisposable & { answer(): Promise<URL> }> {
  const answers: URL[] = []
  const server = createServer(({ url = '/' }, response) => {
    if (url.startsWith('/callback')) answers.push(new URL(url, REDIRECT))
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>client</title>')
  })
  server.listen(Number(new URL(REDIRECT).port), '127.0.0.1')
  await once(server, 'listening')
  return {
    async answer() {
      await expect.poll(() => answers.length, { timeout: 5_000 }).toBeGreaterThan(0)
      const last = answers.pop()
      answers.length = 0
      if (!last) throw new Error('nothing came')
      return last
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function firstLink({ gate }: Outside): string {
  const [link] = /http:\/\/\S+\/welcome\/\S+/.exec(gate.log()) ?? []
  if (link === undefined) throw new Error(`no link for the first administrator in: ${gate.log()}`)
  return link
}

async function linkFor({ publicUrl }: Outside, key: string): Promise<string> {
  const answer = await fetch(`${publicUrl}/mcp`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'mal__get_user_stats', arguments: {} },
    }),
  })
  const [link] = /http:\/\/[^\s"\\]+\/connect\/mal\?t=[\w.-]+/.exec(await answer.text()) ?? []
  if (link === undefined) throw new Error('no link')
  return link
}

async function setPassword(page: Page): Promise<void> {
  await page.getByLabel('New password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('New password, once more').fill(PASSWORD)
  await page.getByRole('button', { name: /Set the password/ }).click()
}

async function signInWith(page: Page, name: string, password: string): Promise<void> {
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: /^Sign in/ }).click()
}
