import { readFileSync } from 'node:fs'
import { users } from '@sekisho/playground/mal/users'
import { expect, test } from 'vitest'
import { textAt } from '../../../../../scripts/lib/admin.ts'
import { createBrowser, type Browser } from '../../../../../scripts/lib/browser.ts'
import { allowClient, connectMal, PASSWORD } from '../../../../../scripts/lib/people.ts'
import { treeOf } from '../../../../../scripts/lib/process-tree.ts'
import { GENEROUS, openOutside, type Outside } from '../../e2e/journey/outside.ts'
import { childServer, doorOf, filesOf } from '../../e2e/place.ts'
import { appWith } from '../../login/ways-in.ts'
import { createSecrets, type Secrets } from '../planted.ts'
import { changeDatabase } from '../../e2e/stopped.ts'
import { call, said, textFrom } from '../../e2e/wire.ts'
import {
  ask,
  exchange,
  heldBy,
  letIn,
  openBrowserOf,
  post,
  REDIRECT,
  refresh,
  register,
  type Held,
} from '../../e2e/sign-in/client.ts'
import { openWiretap, type Wiretap } from '../../e2e/sign-in/wiretap.ts'

/** What signs people in, lets clients in and opens their accounts is seen by nobody else: R3-05, R4-09, R2-15. */
const LIST = 'mal__get_my_anime_list'
const CONFIG = {
  mcpServers: { mal: { builtin: 'mal' }, child: childServer() },
  limits: { perMinute: GENEROUS },
  log: { level: 'debug', format: 'json' },
}

interface Scene {
  readonly outside: Outside
  readonly secrets: Secrets
  readonly mal: Wiretap
  /** What those were told whom something was refused. */
  readonly told: string[]
}

test('no session, token, code, password, link, state or verifier is where it does not belong (CWE-532)', async () => {
  await using open = new AsyncDisposableStack()
  let tapped: Wiretap | undefined
  const before = async (malUrl: string) => (tapped = open.use(await openWiretap(malUrl))).url
  const outside = await openOutside({ config: CONFIG, before })
  open.use(outside)
  if (tapped === undefined) throw new Error('nothing stands before MyAnimeList')
  const scene: Scene = { outside, secrets: createSecrets(), mal: tapped, told: [] }

  const { browser, used } = await letPeopleIn(scene)
  const held = await letClientsIn(scene, browser)
  await useAccount(scene, browser, held)
  await beRefused(scene, { browser, held, used })
  expect(scene.told).not.toContain('')
  await expectKeptNowhere(scene)
})

/** 1. People come in: with links, passwords, cookies and forms. */
async function letPeopleIn({ outside, secrets }: Scene): Promise<{ browser: Browser; used: string }> {
  const { gate, publicUrl } = outside
  const browser = await openBrowserOf(gate, 'ada')
  secrets.add('the password', PASSWORD)
  const cookie = /sekisho=([\w-]{43})/.exec(await browser.cookies(publicUrl))?.[1]
  secrets.add('the session', required(cookie))
  secrets.add('the csrf token', csrfOf((await browser.open(`${publicUrl}/account`)).html))

  await gate.addUser('ben')
  const link = async () => textAt((await gate.admin('POST', '/admin/api/users/ben/invitation', {})).body, 'url')
  const used = await link()
  const other = createBrowser()
  await (await other.open(used)).press(/^Set the password/, { password: PASSWORD, again: PASSWORD })
  secrets.add('a link that was used', required(used.split('/').at(-1)))
  secrets.add('a link that waits', required((await link()).split('/').at(-1)))
  secrets.add('another session', required(/sekisho=([\w-]{43})/.exec(await other.cookies(publicUrl))?.[1]))
  await useSecondFactor({ outside, secrets }, other)
  secrets.add('the first link', required(/\/welcome\/([\w-]+)$/m.exec(gate.log())?.[1]))
  return { browser, used }
}

/** Somebody sets up an app, and comes in again with a recovery code: what was shown once is nowhere afterwards. */
async function useSecondFactor({ outside: { publicUrl }, secrets }: Pick<Scene, 'outside' | 'secrets'>, ben: Browser) {
  const page = await ben.open(`${publicUrl}/account/security/app`)
  const shared = required(/<code class="code">([A-Z2-7 ]+)<\/code>/.exec(page.html)?.[1])
  secrets.add('the secret of an app', shared.replaceAll(' ', ''))
  secrets.add('an offer of an app', required(/name="offer" value="([\w-]+)"/.exec(page.html)?.[1]))
  const shown = await page.press(/^Use this app/, { code: appWith(shared, { now: () => Date.now() }).code() })
  const codes = Array.from(shown.html.matchAll(/<code>([0-9a-z-]{19})<\/code>/g), ([, code = '']) => code)
  codes.forEach((code, index) => secrets.add(`recovery code ${index}`, code))
  secrets.add('a recovery code as it is hashed', required(codes[0]).replaceAll('-', ''))
  const again = await (
    await ben.open(`${publicUrl}/sign-in?again=`)
  ).press(/^Sign in/, { name: 'ben', password: PASSWORD })
  secrets.add('half a sign-in', required(/sekisho-half=([\w-]+)/.exec(await ben.cookies(publicUrl))?.[1]))
  const account = await again.press(/^Go on/, { code: required(codes[0]) })
  expect(new URL(account.url).pathname).toBe('/account')
}

/** 2. Clients come in: one that is public, and one with a secret. */
async function letClientsIn({ outside, secrets }: Scene, browser: Browser): Promise<Held> {
  const { publicUrl } = outside
  const first = await letIn(publicUrl, browser)
  const held = heldBy(first.clientId, await refresh(publicUrl, first))
  keep(secrets, 'first', first)
  keep(secrets, 'later', held)

  const { body } = await register(publicUrl, { token_endpoint_auth_method: 'client_secret_basic' })
  const [clientId, clientSecret] = [textAt(body, 'client_id'), textAt(body, 'client_secret')]
  secrets.add('the client secret', clientSecret)
  const asking = ask(publicUrl, clientId)
  const code = required((await allowClient(browser, asking.url, '')).searchParams.get('code'))
  secrets.add('a code', code)
  secrets.add('the state of a client that was asked about', asking.state)
  secrets.add('a code verifier', asking.codeVerifier)
  const form = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT, code_verifier: asking.codeVerifier }
  const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
  const granted = await post(publicUrl, '/token', form, { Authorization: basic })
  expect(granted.status).toBe(200)
  keep(secrets, 'confidential', heldBy(clientId, granted))
  return held
}

/** 3. An account is connected, used, renewed, and ended by the provider. */
async function useAccount({ outside, secrets, mal }: Scene, browser: Browser, held: Held): Promise<void> {
  const { publicUrl } = outside
  const door = doorOf(outside.gate, { key: held.accessToken })
  const link = required(/http\S+\/connect\/mal\?t=[\w.-]+/.exec(said(await call(door, LIST)))?.[0])
  await connectMal(browser, link, {
    name: 'mika',
    password: required(users.find((one) => one.name === 'mika')?.password),
  })
  await textFrom(door, LIST)
  outside.mal.expireTokens('mika')
  // Each asks for something else: what was asked a moment ago is kept, and needs no token.
  await textFrom(door, LIST, { limit: 50 })
  outside.mal.revoke('mika')
  expect(said(await call(door, LIST, { limit: 60 }))).toMatch(/does not accept/)
  await textFrom(doorOf(outside.gate, { key: held.accessToken }, 'modern', 'child'), 'whoami')

  // No gate token reached the provider; what it gave is a secret of the gate's from here on.
  expect(secrets.foundIn(mal.sent())).toEqual([])
  const given = [...mal.answered().matchAll(/"(access_token|refresh_token)":\s*"([^"]+)"/g)]
  expect(given.length).toBeGreaterThanOrEqual(4)
  given.forEach(([, kind, value], index) => secrets.add(`${kind} ${index} of the provider`, required(value)))
  const away = required(browser.visited.find((url) => url.includes('/v1/oauth2/authorize?')))
  secrets.add('the state for the provider', required(new URL(away).searchParams.get('state')))
  secrets.add('the verifier for the provider', required(new URL(away).searchParams.get('code_challenge')))
  const back = required(browser.visited.find((url) => url.startsWith(`${publicUrl}/callback?`)))
  secrets.add('the code of the provider', required(new URL(back).searchParams.get('code')))
  secrets.add('the ticket of the connect link', required(link.split('?t=')[1]))
}

interface Left {
  readonly browser: Browser
  readonly held: Held
  readonly used: string
}

/** 4. Everything is shown once more where it opens nothing. */
async function beRefused({ outside, secrets, told }: Scene, { browser, held, used }: Left): Promise<void> {
  const { gate, publicUrl } = outside
  const asking = ask(publicUrl, held.clientId)
  secrets.add('the state of a client', asking.state)
  const callback = await allowClient(browser, asking.url, '')
  secrets.add('a code that was stolen', required(callback.searchParams.get('code')))
  secrets.add('the verifier of a code that was stolen', asking.codeVerifier)
  const wrongVerifier = { ...asking, codeVerifier: secrets.make('a wrong verifier').padEnd(43, '0') }
  for (const each of [wrongVerifier, asking, asking]) {
    told.push(JSON.stringify((await exchange(publicUrl, each, callback)).body))
  }
  const token = { ...held, refreshToken: `${held.refreshToken.slice(0, -1)}_` }
  told.push(JSON.stringify((await refresh(publicUrl, token)).body))
  told.push(JSON.stringify((await post(publicUrl, '/revoke', { token: held.accessToken, client_id: 'nobody' })).body))
  const wrong = `Basic ${Buffer.from(`${held.clientId}:${secrets.make('a wrong client secret')}`).toString('base64')}`
  told.push(
    JSON.stringify((await post(publicUrl, '/token', { grant_type: 'refresh_token' }, { Authorization: wrong })).body),
  )

  const noClient = new URL(asking.url)
  noClient.searchParams.set('client_id', 'nobody')
  const other = createBrowser()
  const back = required(browser.visited.find((url) => url.startsWith(`${publicUrl}/callback?`)))
  for (const url of [noClient.href, back, used]) told.push((await other.open(url)).text, (await browser.open(url)).text)
  const password = secrets.make('a mistyped password')
  const form = await other.open(`${publicUrl}/sign-in`)
  told.push((await form.press(/^Sign in/, { name: 'ada', password })).html.replace(/<input type="hidden"[^>]*>/g, ''))
  told.push((await form.press(/^Sign in/, { name: 'ada', password, csrf: secrets.make('a wrong csrf token') })).text)
  const query = `?access_token=${held.accessToken}`
  for (const path of [`/mcp${query}`, `/mcp/${held.accessToken}`, `/account/${held.accessToken}`, `/metrics${query}`]) {
    const headers = { Authorization: `Bearer ${held.accessToken}_`, 'Content-Type': 'application/json' }
    const answer = await fetch(gate.url + path, { method: 'POST', headers, body: '{}' })
    told.push(`${[...answer.headers].join('\n')}\n${await answer.text()}`)
  }
}

/** 5. All that was told, written, and can be seen by other processes. */
async function expectKeptNowhere({ outside: { gate }, secrets, told }: Scene): Promise<void> {
  expect(told.flatMap((text) => secrets.foundIn(text).map((what) => `${what} in ${text}`))).toEqual([])
  expect(secrets.foundIn(String((await gate.admin('GET', '/metrics')).body))).toEqual([])
  const processes = treeOf(gate.pid)
  expect(processes.length).toBeGreaterThan(1)
  for (const { pid } of processes) {
    expect(secrets.foundIn(readFileSync(`/proc/${pid}/cmdline`))).toEqual([])
    expect(secrets.foundIn(readFileSync(`/proc/${pid}/environ`))).toEqual([])
  }
  const running = filesOf(gate.dataDir)
  await gate.kill('SIGTERM')
  for (const [path, bytes] of [...running, ...filesOf(gate.dataDir)]) {
    expect([path, secrets.foundIn(bytes)]).toEqual([path, []])
  }
  const logged = gate
    .log()
    .split('\n')
    .filter((line) => line.startsWith('{'))
  expect(logged.filter((line) => line.includes('"level":"debug"'))).not.toEqual([])
  expect(logged.flatMap((line) => secrets.foundIn(line).map((what) => `${what} in ${line}`))).toEqual([])
  const entries = await changeDatabase(gate.dataDir, ({ system }) => system.selectFrom('audit').selectAll().execute())
  const kinds = [
    'login.ok',
    'password.set',
    'consent.given',
    'connection.made',
    'connection.refreshed',
    'login.failed',
    'recovery.used',
  ]
  expect(entries.map(({ kind }) => kind)).toEqual(expect.arrayContaining(kinds))
  expect(secrets.foundIn(JSON.stringify(entries))).toEqual([])
}

function keep(secrets: Secrets, which: string, { accessToken, refreshToken }: Held): void {
  secrets.add(`the ${which} access token`, accessToken)
  secrets.add(`the ${which} refresh token`, refreshToken)
}

function csrfOf(html: string): string {
  return required(/name="csrf" value="([^"]+)"/.exec(html)?.[1])
}

/** What is not there was not looked for: a failure of the test. */
function required(text: string | null | undefined): string {
  if (text) return text
  throw new Error('what should be a secret is not there')
}
