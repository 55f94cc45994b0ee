import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Browser } from '../../../../../scripts/lib/browser.ts'
import { PASSWORD } from '../../../../../scripts/lib/people.ts'
import { openOutside, type Outside } from '../../e2e/journey/outside.ts'
import { allow, authorization, csrfOf, enter, openBrowser, REDIRECT, register, send } from '../ground.ts'

/** R1-11: where the gate can be talked into sending a browser, and a code with it. */
let outside: Outside
let browser: Browser
let clientId: string
const WEB = 'https://client.example/cb'
beforeAll(async () => {
  outside = await openOutside()
  browser = await enter(outside, 'ada')
  clientId = await register(outside, { redirect_uris: [REDIRECT, WEB] })
  // Allowed once: an answer would come without another question.
  await allow(browser, authorization(outside, clientId))
  await allow(browser, authorization(outside, clientId, { redirect_uri: WEB }))
})
afterAll(() => outside[Symbol.asyncDispose]())

/** RFC 9700 §4.1.3: compared letter by letter; §4.11: an error goes to no address that is not registered either. */
test.for([
  `${WEB}/`,
  `${WEB}/more`,
  `${WEB}/../evil`,
  `${WEB}?next=https://evil.example`,
  `${WEB}#code`,
  `${WEB}%2f..`,
  'https://client.example/CB',
  'https://CLIENT.example/cb',
  'https://client.example:443/cb',
  'https://client.example:8443/cb',
  'https://client.example./cb',
  'https://ada@client.example/cb',
  'https://client.example@evil.example/cb',
  'https://client.example.evil.example/cb',
  'https://evil.example\\@client.example/cb',
  'http://client.example/cb',
  '//client.example/cb',
  '/cb',
  'https://evil.example/cb',
  'javascript:alert(1)//https://client.example/cb',
  'data:text/html,https://client.example/cb',
  // RFC 8252 §7.3 lets the port vary on loopback, and nothing else.
  'http://localhost:6789/callback',
  'http://[::1]:6789/callback',
  'http://127.0.0.2:6789/callback',
  'http://127.0.0.1:6789/callback/more',
  'http://127.0.0.1:6789/callback?more',
  'http://127.0.0.1:6789/',
  'https://127.0.0.1:6789/callback',
  'http://evil@127.0.0.1:6789/callback',
  'http://127.0.0.1.evil.example:6789/callback',
  'http://127.0.0.1:6789@evil.example/callback',
  'http://127.0.0.1:x/callback',
  'http://0.0.0.0:6789/callback',
])('an answer does not go to %s, nor does an error (RFC 9700 §4.1)', async (redirectUri) => {
  const cookie = await browser.cookies(outside.publicUrl)
  for (const params of [{}, { response_type: 'token' }, { prompt: 'none' }, { code_challenge: undefined }]) {
    const url = authorization(outside, clientId, { redirect_uri: redirectUri, ...params })
    const { status, location, text } = await send(url, { headers: { cookie } })
    expect([status, location]).toEqual([400, undefined])
    expect(text).not.toContain(redirectUri)
  }
})

/** RFC 8252 §7.3: a program on the user’s machine takes the port it is given. */
test('an answer does go to the registered address, on loopback at any port', async () => {
  for (const redirectUri of [REDIRECT, 'http://127.0.0.1:7001/callback', 'http://127.0.0.1/callback', WEB]) {
    const answer = await allow(browser, authorization(outside, clientId, { redirect_uri: redirectUri }))
    expect(answer.href.startsWith(`${redirectUri}?`)).toBe(true)
    expect(answer.searchParams.has('code')).toBe(true)
  }
})

/** RFC 6749 §3.1.2.3: without one there is no guess, though only one be registered. */
test('a request without redirect_uri, or with two, is answered with a page', async () => {
  const only = await register(outside)
  for (const redirectUri of [undefined, [REDIRECT, WEB]]) {
    for (const id of [only, clientId]) {
      const { status, location } = await send(authorization(outside, id, { redirect_uri: redirectUri }))
      expect([status, location]).toEqual([400, undefined])
    }
  }
})

/** RFC 9700 §4.1, RFC 8252 §8.4, MCP basic/authorization "Communication Security": https, or this machine. */
test.for([
  'javascript:alert(document.cookie)',
  'JavaScript:alert(1)',
  ' javascript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
  'file:///etc/passwd',
  'blob:https://client.example/x',
  'view-source:https://client.example',
  'https://client.example/cb#fragment',
  'https://client.example/cb#',
  'https://ada:pw@client.example/cb',
  'http://client.example/cb',
  'http://127.0.0.1.evil.example/cb',
  'http://localhost.evil.example/cb',
  'http://localhost@evil.example/cb',
  'http://10.0.0.1/cb',
  'http://169.254.169.254/cb',
  'http://0.0.0.0/cb',
  'http://[::]/cb',
  'http://[::ffff:7f00:1]/cb',
  '//evil.example/cb',
  '/cb',
  'evil.example',
  '',
])('no client registers the address %s', async (redirectUri) => {
  for (const uris of [[redirectUri], [WEB, redirectUri]]) {
    const { status, body } = await send(`${outside.publicUrl}/register`, { json: { redirect_uris: uris } })
    expect([status, body['error']]).toEqual([400, 'invalid_redirect_uri'])
  }
})

/** OWASP, "Unvalidated Redirects and Forwards Cheat Sheet". */
describe('a link to the gate is no link to elsewhere', () => {
  const lures = [
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    'https://evil.example/account',
    'https:evil.example',
    'javascript:alert(1)',
    '/.//evil.example',
    '/..//evil.example',
    '/x/..//evil.example',
    '/%2e%2e//evil.example',
    '@evil.example',
    '.evil.example',
    '/%5cevil.example\u0000',
  ]

  test.for(lures)('next=%j (RFC 9700 §4.11)', async (next) => {
    const { publicUrl } = outside
    const query = `?next=${encodeURIComponent(next)}`
    const signedIn = await send(`${publicUrl}/sign-in${query}`, {
      headers: { cookie: await browser.cookies(publicUrl) },
    })
    const stranger = openBrowser()
    const page = await stranger.open(`${publicUrl}/sign-in${query}`)
    const form = { csrf: csrfOf(page.html), way: 'password', name: 'ada', password: PASSWORD, next }
    const cookie = await stranger.cookies(publicUrl)
    const proven = await send(`${publicUrl}/sign-in`, { form, headers: { cookie, origin: publicUrl } })
    const left = await send(`${publicUrl}/sign-out`, { form: { next }, headers: { origin: publicUrl } })
    for (const { status, location } of [signedIn, proven, left]) {
      expect(status).toBe(303)
      expect(location?.origin).toBe(publicUrl)
    }
    expect(proven.location?.pathname).toBe('/account')
  })

  test('a path of the gate is where it leads', async () => {
    const { publicUrl } = outside
    const headers = { cookie: await browser.cookies(publicUrl) }
    const { location } = await send(`${publicUrl}/sign-in?next=%2Faccount%2Fkeys%3Fa%3D1`, { headers })
    expect(location?.href).toBe(`${publicUrl}/account/keys?a=1`)
  })
})
