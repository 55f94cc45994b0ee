import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Browser } from '../../../../../scripts/lib/browser.ts'
import { answerTo } from '../../providers/scene.ts'
import { startScripted, type Scripted } from '../../providers/scripted-server.ts'
import { openOutside, type Outside } from '../../e2e/journey/outside.ts'
import { sendRaw } from '../../e2e/raw.ts'
import { publishAuthorization } from '../authorization.ts'
import { authorization, enter, openBrowser, REDIRECT, register, send, signIn } from '../ground.ts'

/** R1-24: OWASP Cross Site Scripting Prevention Cheat Sheet, CWE-79, CWE-113, CWE-644; RFC 9700 §4.11. */
const SCRIPT = `"><script>alert(1)</script><img src=x onerror=alert(1)>'`
let outside: Outside
let publicUrl: string
let browser: Browser
let upstream: Scripted
beforeAll(async () => {
  upstream = await startScripted()
  const found = { url: `${upstream.origin}/mcp`, oauth: true, description: `described ${SCRIPT}` }
  outside = await openOutside({ config: { mcpServers: { mal: { builtin: 'mal' }, found } } })
  publicUrl = outside.publicUrl
  browser = await enter(outside, 'ada')
})
afterAll(async () => {
  await outside[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})

/** The one script there is, is a file of ours. */
const UNESCAPED = /<script(?! src="\/assets\/[0-9a-f]{16}\.js" defer><\/script>)|<img src=x|onerror=alert\(1\)>/

/** RFC 7591 §5: what a client says of itself is a stranger's word, shown as text and as nothing else. */
test('what a client calls itself is text, on the question and in the list (CWE-79)', async () => {
  const reversed = '\u202Egnp.moc.elgoog\u202C\u0000\u200B'
  for (const name of [SCRIPT, `Sekisho${reversed}`, 'x'.repeat(5000), '<b>Sekisho itself</b>', '{{7*7}}${7*7}']) {
    const clientId = await register(outside, { client_name: name, logo_uri: 'https://evil.example/logo.png' })
    const page = await browser.open(authorization(outside, clientId).href)
    expect(page.has(/^Allow/)).toBe(true)
    expect(page.html).not.toMatch(UNESCAPED)
    expect(page.html).not.toMatch(/[\p{Cf}\0]/u)
    expect(page.html).not.toContain('<b>Sekisho')
    expect(page.html).not.toContain('evil.example')
    expect(page.html.length).toBeLessThan(20_000)
    await page.press(/^Allow/)
  }
  const list = await browser.open(`${publicUrl}/account/clients`)
  expect(list.html).not.toMatch(UNESCAPED)
  expect(list.html).toContain('&lt;script&gt;')
})

test('what an operator, a client or an attacker writes into an address is text (CWE-79)', async () => {
  expect((await browser.open(`${publicUrl}/account`)).html).toContain('described &quot;&gt;&lt;script')
  const uris = [`https://client.example/cb?${SCRIPT}`, `https://client.example/cb?a='b"`]
  for (const redirectUri of uris) {
    const clientId = await register(outside, { redirect_uris: [redirectUri] })
    const page = await browser.open(
      authorization(outside, clientId, { redirect_uri: redirectUri, login_hint: SCRIPT }).href,
    )
    expect(page.html).not.toMatch(UNESCAPED)
  }
  const paths = [
    `/connect/${encodeURIComponent(SCRIPT)}`,
    `/account/${encodeURIComponent(SCRIPT)}`,
    `/interaction/${encodeURIComponent(SCRIPT)}`,
    `/welcome/${encodeURIComponent(SCRIPT)}`,
    `/authorize/${encodeURIComponent(SCRIPT)}`,
    `/authorize?client_id=${encodeURIComponent(SCRIPT)}`,
    `/sign-in?next=${encodeURIComponent(`/${SCRIPT}`)}&again=`,
    `/account?done=${encodeURIComponent(SCRIPT)}`,
    `/callback?state=x&error=${encodeURIComponent(SCRIPT)}&error_description=${encodeURIComponent(SCRIPT)}`,
    `/callback?state=${encodeURIComponent(SCRIPT)}`,
  ]
  for (const path of paths) {
    for (const visitor of [browser, openBrowser()]) {
      const { html, status } = await visitor.open(publicUrl + path)
      expect([path, UNESCAPED.test(html), status < 500]).toEqual([path, false, true])
    }
  }
})

test('the name that somebody signs in with is text, in its field and in the hint of a client', async () => {
  const stranger = openBrowser()
  const page = await signIn(await stranger.open(`${publicUrl}/sign-in`), SCRIPT, 'wrong')
  expect(page.html).not.toMatch(UNESCAPED)
  const clientId = await register(outside)
  const hinted = await openBrowser().open(authorization(outside, clientId, { login_hint: SCRIPT }).href)
  expect(hinted.html).not.toMatch(UNESCAPED)
  const added = await outside.gate.admin('POST', '/admin/api/users', { name: SCRIPT, role: 'member' })
  expect(added.status).toBe(400)
  const browserName = await send(`${publicUrl}/sign-in`, { headers: { 'user-agent': SCRIPT } })
  expect(browserName.text).not.toMatch(UNESCAPED)
})

/** MCP security best practices; RFC 6749 §4.1.2.1: a provider's words are not ours, and may be an attacker's. */
test('what a provider writes reaches no page (CWE-79)', async () => {
  publishAuthorization(upstream, {
    challenge: `, error_description="${SCRIPT.replaceAll('"', '')}"`,
    resource: { resource_name: SCRIPT },
    client: { client_id: SCRIPT },
  })
  upstream.on('/token', () => ({
    status: 400,
    body: { error: SCRIPT, error_description: SCRIPT, error_uri: 'javascript:alert(1)' },
  }))
  const answers: Record<string, string>[] = [
    { code: 'c' },
    { error: SCRIPT, error_description: SCRIPT },
    { error: 'access_denied', error_uri: 'javascript:alert(1)' },
  ]
  for (const answer of answers) {
    const page = await (await browser.open(`${publicUrl}/connect/found`)).press(/^Continue/)
    const { html, status } = await browser.open(answerTo(new URL(page.url), answer).href)
    expect(status).toBeGreaterThanOrEqual(400)
    expect(html).not.toMatch(/script>|onerror|javascript:/)
    expect((await browser.open(`${publicUrl}/account`)).html).not.toMatch(UNESCAPED)
  }
})

/** CWE-113 "HTTP Response Splitting". */
describe('nothing that is sent becomes a header of the answer', () => {
  test.for(['\r\nSet-Cookie: sekisho=x', '\nX-Evil: 1', '%0d%0aX-Evil: 1', '\u560d\u560aX-Evil: 1', '\u0000'])(
    'in state, next, a name or a redirect_uri: %j (CWE-113)',
    async (text) => {
      const clientId = await register(outside, { client_name: `A${text}` })
      const url = authorization(outside, clientId, { state: text, prompt: 'none' })
      const cookie = await browser.cookies(publicUrl)
      const answers = [
        await send(url, { headers: { cookie } }),
        await send(`${publicUrl}/sign-in?next=${encodeURIComponent(`/account${text}`)}`, { headers: { cookie } }),
        await send(`${publicUrl}/account/keys${encodeURIComponent(text)}`),
        await send(authorization(outside, clientId, { redirect_uri: REDIRECT + text }), { headers: { cookie } }),
      ]
      for (const { status, headers } of answers) {
        expect(status).toBeLessThan(500)
        expect(headers.get('x-evil')).toBeNull()
        expect(headers.getSetCookie().join()).not.toMatch(/sekisho=x/)
      }
    },
  )
})

/** CWE-644, OWASP "Host Header Injection": where the gate is, its configuration says and no request. */
describe('what a request says of where the gate is changes', () => {
  const documents = [
    '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration',
    '/.well-known/oauth-protected-resource/mcp',
  ]

  test('nothing, where it is another Host: that is refused (CWE-644)', async () => {
    for (const target of [...documents, '/sign-in', '/authorize', '/mcp', '/account', '/token']) {
      for (const host of [
        'evil.example',
        `evil.example:${new URL(publicUrl).port}`,
        'localhost',
        `localhost:${new URL(publicUrl).port}@evil.example`,
        'localhost:1',
      ])
        expect([target, host, (await sendRaw(publicUrl, { method: 'GET', target, host })).status]).toEqual([
          target,
          host,
          403,
        ])
    }
  })

  test('nothing, where a proxy that nobody trusts says so (RFC 9700 §4.13, CWE-348)', async () => {
    const headers = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '666',
      'x-original-host': 'evil.example',
      'x-original-url': '/admin/api/users',
      'x-rewrite-url': '/admin/api/users',
      forwarded: 'host=evil.example;proto=https',
    }
    for (const path of documents) {
      const { text } = await send(publicUrl + path, { headers })
      expect(text).toContain(publicUrl)
      expect(text).not.toMatch(/evil|666|https:/)
    }
    const challenged = await send(`${publicUrl}/mcp`, { json: {}, headers })
    expect(challenged.headers.get('www-authenticate')).toContain(`"${publicUrl}/.well-known/`)
    const clientId = await register(outside)
    const { location } = await send(authorization(outside, clientId), { headers })
    expect(location?.origin).toBe(publicUrl)
    const { text, headers: answered } = await send(`${publicUrl}/sign-in`, { headers })
    expect(text + [...answered].join()).not.toContain('evil')
  })

  /** The spelling of an alias goes into the resource alone, which clients compare; issuer and links stay. */
  test('the spelling of a loopback name only', async () => {
    const { port } = new URL(publicUrl)
    for (const alias of [`127.0.0.1:${port}`, `LOCALHOST:${port}`]) {
      const answer = await sendRaw(publicUrl, { method: 'GET', target: documents[2] ?? '', host: alias })
      const document = JSON.parse(answer.body) as { resource: string; authorization_servers: string[] }
      expect(document.authorization_servers).toEqual([publicUrl])
      expect(document.resource).toBe(`http://${alias.toLowerCase()}/mcp`)
    }
  })

  test('nothing, in the request’s own line', async () => {
    const { port } = new URL(publicUrl)
    for (const target of [
      'http://evil.example/sign-in',
      '//evil.example/sign-in',
      `http://evil.example:${port}/.well-known/openid-configuration`,
    ]) {
      const { body, headers, status } = await sendRaw(publicUrl, { method: 'GET', target })
      expect(status).toBeLessThan(500)
      expect(body + [...headers].join()).not.toContain('evil.example')
    }
  })
})
