import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { PASSWORD } from '../../../../../scripts/lib/people.ts'
import { GENEROUS, openOutside, type Outside } from '../../e2e/journey/outside.ts'
import { openLine, rawRequest, sendRaw, type RawAnswer } from '../../e2e/raw.ts'
import { authorization, csrfOf, enter, openBrowser, register, send, signIn } from '../ground.ts'

/** R1-24: OWASP Session Management, Clickjacking Defense and HTTP Headers Cheat Sheets. */
let outside: Outside
let publicUrl: string
beforeAll(async () => {
  outside = await openOutside()
  publicUrl = outside.publicUrl
})
afterAll(() => outside[Symbol.asyncDispose]())

/** OWASP, "Session Fixation": what was planted before is worth nothing afterwards. */
test('a cookie that an attacker planted is not adopted, whether it was the attacker’s own or made up (CWE-384)', async () => {
  await enter(outside, 'ada')
  const eve = await enter(outside, 'eve')
  const planted = [`sekisho=${'p'.repeat(43)}`, await eve.cookies(publicUrl)]
  for (const cookie of planted) {
    const page = await send(`${publicUrl}/sign-in?again=`, { headers: { cookie } })
    const [formCookie = ''] = page.headers.getSetCookie().map((each) => each.split(';', 1)[0] ?? '')
    const answer = await send(`${publicUrl}/sign-in`, {
      form: { csrf: csrfOf(page.text), way: 'password', name: 'ada', password: PASSWORD },
      headers: { cookie: `${cookie}; ${formCookie}` },
    })
    expect(answer.status).toBe(303)
    const given = /sekisho=([\w-]{43})/.exec(answer.headers.getSetCookie().join())?.[1]
    expect(given).toBeDefined()
    expect(cookie).not.toContain(given)
    // The planted one is neither Ada's nor Eve's any more.
    const after = await send(`${publicUrl}/account`, { headers: { cookie } })
    expect(after.location?.pathname).toBe('/sign-in')
    const own = await send(`${publicUrl}/account`, { headers: { cookie: `sekisho=${given}` } })
    expect([own.status, /\bada\b/.test(own.text)]).toEqual([200, true])
  }
})

test('each sign-in is under a new value, and the one before opens nothing (OWASP ASVS 7.2.4)', async () => {
  const browser = await enter(outside, 'bob')
  const before = await browser.cookies(publicUrl)
  await signIn(await browser.open(`${publicUrl}/sign-in?again=`), 'bob')
  const after = await browser.cookies(publicUrl)
  expect(after).not.toBe(before)
  expect((await send(`${publicUrl}/account`, { headers: { cookie: before } })).status).toBe(303)
  expect((await send(`${publicUrl}/account`, { headers: { cookie: after } })).status).toBe(200)
})

test.for(['', 'x', "' or 1=1 --", '%00', '../../x', 'é', 'x'.repeat(43), 'x'.repeat(5000)])(
  'a session value that is none opens nothing and breaks nothing: %j',
  async (value) => {
    const encoded = Buffer.from(value, 'utf8').toString('latin1')
    const { status, location } = await send(`${publicUrl}/account`, { headers: { cookie: `sekisho=${encoded}` } })
    expect([status, location?.pathname]).toEqual([303, '/sign-in'])
  },
)

/** RFC 9700 §4.16 "Clickjacking", MCP security best practices: `frame-ancestors 'none'` and `X-Frame-Options`. */
describe('every page', () => {
  const POLICY = `default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'`

  test('can be framed by nobody, runs nothing, is kept nowhere and says nothing to where it leads (RFC 9700 §4.16)', async () => {
    const browser = await enter(outside, 'carol')
    const question = (await browser.open(authorization(outside, await register(outside)).href)).url
    const invitation = await outside.gate.inviteUser('dora')
    const paths = ['/account', '/account/clients', '/account/keys', '/account/sessions', '/connect/mal']
    const failing = [
      '/callback',
      '/interaction/none',
      '/authorize',
      '/authorize/none',
      '/welcome/none',
      '/account/none',
      '/connect/none',
    ]
    const mine = await Promise.all([...paths, ...failing].map((path) => browser.open(publicUrl + path)))
    const strangers = await Promise.all(
      [`${publicUrl}/sign-in`, `${publicUrl}/callback`, invitation].map((url) => openBrowser().open(url)),
    )
    for (const { url, html, headers } of [...mine, ...strangers, await browser.open(question)]) {
      expect([url, headers.get('x-frame-options')]).toEqual([url, 'DENY'])
      expect(headers.get('content-security-policy')).toMatch(POLICY)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('same-origin')
      expect(headers.get('cache-control')).toContain('no-store')
      expect(headers.get('access-control-allow-origin')).toBeNull()
      // The one script there is, is a file of ours, and no page but that which asks for a passkey has it.
      expect(html).not.toMatch(
        /<script(?! src="\/assets\/[0-9a-f]{16}\.js" defer><\/script>)|<style|<iframe|\son\w+=|\sstyle=|javascript:/i,
      )
      expect([url, html.includes('<script')]).toEqual([url, html.includes('data-passkey')])
    }
  })

  /** RFC 9700 §4.16: a window that opened ours must not steer it, but where it waits for us to come back. */
  test('stays with itself: its forms, unless they end elsewhere, and its window', async () => {
    const browser = await enter(outside, 'erin')
    for (const path of ['/account', '/account/keys', '/account/sessions']) {
      const { headers } = await browser.open(publicUrl + path)
      expect(headers.get('content-security-policy')).toContain(`form-action 'self'`)
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
    }
  })

  /** The Fetch standard: a page elsewhere reads neither a person's page nor their answer. */
  test('is read by no page elsewhere (CWE-942)', async () => {
    const browser = await enter(outside, 'frank')
    const cookie = await browser.cookies(publicUrl)
    for (const path of ['/account', '/authorize', '/admin/api/users', '/callback', '/sign-in', '/metrics']) {
      for (const origin of ['https://evil.example', 'null', 'http://localhost:1']) {
        const { headers } = await send(publicUrl + path, { headers: { cookie, origin } })
        expect(headers.get('access-control-allow-origin')).toBeNull()
        expect(headers.get('access-control-allow-credentials')).toBeNull()
      }
    }
  })
})

/** RFC 6265bis §4.1.2.5–7 and §4.1.3.2: what a browser holds for us goes nowhere else and comes from nowhere else. */
describe('under an https publicUrl', () => {
  const host = 'gate.example'
  let gate: Gate
  beforeAll(async () => {
    const config = { publicUrl: `https://${host}`, mcpServers: {}, limits: { perMinute: GENEROUS } }
    gate = await startGate({ config })
  })
  afterAll(() => gate[Symbol.asyncDispose]())

  const ask = (target: string, cookie = ''): Promise<RawAnswer> =>
    sendRaw(gate.url, { method: 'GET', target, host, headers: cookie === '' ? [] : [`Cookie: ${cookie}`] })
  const post = (target: string, form: Record<string, string>, headers: readonly string[]): Promise<RawAnswer> => {
    const type = 'Content-Type: application/x-www-form-urlencoded'
    return sendRaw(gate.url, { target, host, body: new URLSearchParams(form).toString(), headers: [type, ...headers] })
  }

  test('cookies are bound to this host and to https, unread by scripts and unsent by other sites (CWE-614, CWE-1275)', async () => {
    const link = new URL(await gate.inviteUser('ada'))
    expect(link.origin).toBe(`https://${host}`)
    const page = await ask(link.pathname)
    const form = page.headers.get('set-cookie') ?? ''
    expect(form).toMatch(/^__Host-sekisho-form=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure/)
    const fields = { csrf: csrfOf(page.body), password: PASSWORD, again: PASSWORD }
    const mine = `Cookie: ${form.split(';', 1)[0]}`
    expect((await post(link.pathname, fields, [mine, `Origin: http://${host}`])).status).toBe(403)

    const answer = await sendAll(link.pathname, fields, [mine, `Origin: https://${host}`])
    expect(answer).toMatch(
      /^Set-Cookie: __Host-sekisho=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=\d+\r$/im,
    )
    expect(answer).not.toMatch(/^Set-Cookie:[^\r]*Domain=/im)
    for (const line of answer.match(/^Set-Cookie:.*$/gim) ?? []) expect(line).toMatch(/Secure/)

    const value = /__Host-sekisho=([\w-]{43})/.exec(answer)?.[1]
    expect((await ask('/account', `__Host-sekisho=${value}`)).status).toBe(200)
    // Without its prefix a neighbouring host, or plain http, could have set it.
    expect((await ask('/account', `sekisho=${value}`)).status).toBe(303)
  })

  test('the authorization’s own cookies are no weaker', async () => {
    const { body } = await post('/register', {}, [])
    expect(body).toContain('error')
    const json = JSON.stringify({ redirect_uris: ['https://client.example/cb'] })
    const made = await sendRaw(gate.url, {
      target: '/register',
      host,
      body: json,
      headers: ['Content-Type: application/json'],
    })
    const { client_id: clientId } = JSON.parse(made.body) as { client_id: string }
    const url = authorization({ publicUrl: `https://${host}` }, clientId, { redirect_uri: 'https://client.example/cb' })
    const answer = await sendAll(`${url.pathname}${url.search}`, undefined, [])
    const cookies = answer.match(/^Set-Cookie:.*$/gim) ?? []
    expect(cookies.length).toBeGreaterThan(0)
    for (const cookie of cookies) {
      expect(cookie).toMatch(/; ?httponly/i)
      expect(cookie).toMatch(/; ?secure/i)
      expect(cookie).toMatch(/; ?samesite=(?:lax|strict)/i)
    }
  })

  /** The whole answer, in which a header may stand more than once. */
  async function sendAll(target: string, form: Record<string, string> | undefined, headers: readonly string[]) {
    const line = openLine(gate.url)
    const type = form === undefined ? [] : ['Content-Type: application/x-www-form-urlencoded']
    const body = form === undefined ? '' : new URLSearchParams(form).toString()
    const method = form === undefined ? 'GET' : 'POST'
    line.socket.write(
      rawRequest(gate.url, { method, target, host, body, headers: ['Connection: close', ...type, ...headers] }),
    )
    return line.closed
  }
})
