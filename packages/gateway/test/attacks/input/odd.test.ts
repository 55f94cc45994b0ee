import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser } from '../../../../../scripts/lib/browser.ts'
import { openOutside, type Outside } from '../../e2e/journey/outside.ts'
import { sendRaw } from '../../e2e/raw.ts'
import {
  authorization,
  csrfOf,
  enter,
  letIn,
  redeem,
  REDIRECT,
  refresh,
  register,
  send,
  type LetIn,
} from '../ground.ts'

/** R1-11, OWASP API8:2023: whatever comes, it is the sender's fault, said so, and nobody else's. RFC 6749 §3.1 and §3.2. */
let outside: Outside
let publicUrl: string
let browser: Browser
let clientId: string
let held: LetIn
beforeAll(async () => {
  outside = await openOutside()
  publicUrl = outside.publicUrl
  browser = await enter(outside, 'ada')
  held = await letIn(outside, browser)
  clientId = held.clientId
})
afterAll(() => outside[Symbol.asyncDispose]())

/** RFC 6749 §3.1: a parameter must not be there more than once; whose answer it would be, nobody knows. */
test.for([
  'client_id',
  'redirect_uri',
  'response_type',
  'state',
  'code_challenge',
  'code_challenge_method',
  'scope',
  'prompt',
])('%s twice is answered as an error, and never with a code (RFC 6749 §3.1)', async (name) => {
  const url = authorization(outside, clientId)
  const first = url.searchParams.get(name)
  for (const second of [first ?? 'x', 'other', '']) {
    const twice = new URL(url)
    if (first === null) twice.searchParams.append(name, 'none')
    twice.searchParams.append(name, second)
    const page = await browser.open(twice.href)
    expect(page.status).toBeLessThan(500)
    expect(new URL(page.url).searchParams.has('code')).toBe(false)
  }
})

const long = (length: number) => 'x'.repeat(length)

test.for<[string, Record<string, string | string[]>]>([
  ['an array', { 'client_id[]': 'x' }],
  ['an object', { 'client_id[$ne]': 'x' }],
  ['a prototype', { __proto__: 'x', constructor: 'x', 'constructor[prototype]': 'x', toString: 'x' }],
  ['nothing in everything', { client_id: '', redirect_uri: '', scope: '', state: '', resource: '' }],
  ['a null byte', { client_id: '\u0000', state: '\u0000', login_hint: '\u0000' }],
  ['half a character', { state: '\ud800', login_hint: '\ud800' }],
  ['a request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }],
  ['an address of a request object', { request_uri: 'http://127.0.0.1:1/request' }],
  ['a response mode', { response_mode: 'form_post' }],
  ['another response mode', { response_mode: 'fragment' }],
  ['claims that are none', { claims: '{', scope: 'openid' }],
  ['claims that are deep', { claims: '{"a":'.repeat(500), scope: 'openid' }],
  ['an age that is none', { max_age: '-1' }],
  ['an age beyond numbers', { max_age: '9'.repeat(400), scope: 'openid' }],
  ['a prompt that is none', { prompt: 'none login' }],
  ['a scope of thousands', { scope: Array.from({ length: 900 }, (_, index) => `s${index}`).join(' ') }],
  ['resources by the hundred', { resource: Array.from({ length: 100 }, (_, index) => `https://r${index}.example/`) }],
  ['a long state', { state: long(8_000) }],
  ['a long name to sign in with', { login_hint: long(8_000), prompt: 'login' }],
  ['a language', { ui_locales: '../../../etc/passwd', acr_values: 'x', id_token_hint: 'x.y.z' }],
])('an authorization request with %s is no fault of the gate’s', async ([, params]) => {
  const page = await browser.open(authorization(outside, clientId, params).href)
  expect(page.status).toBeLessThan(500)
  expect(new URL(page.url).searchParams.get('error')).not.toBe('server_error')
})

test.for([100_000, 60_000, 17_000])('a state of %i characters is too long, and said to be', async (length) => {
  const { status } = await send(authorization(outside, clientId, { state: long(length) }))
  expect(status).toBe(431)
})

test.for<[string, { type?: string; body: string }]>([
  ['nothing', { body: '' }],
  ['JSON', { type: 'application/json', body: '{"grant_type":"authorization_code"}' }],
  ['a form with files', { type: 'multipart/form-data; boundary=x', body: '--x--' }],
  ['bytes', { type: 'application/octet-stream', body: '\u0000\u0001' }],
  ['broken percents', { body: 'grant_type=%&code=%zz&client_id=%ff%fe' }],
  ['another charset', { type: 'application/x-www-form-urlencoded; charset=utf-16', body: 'grant_type=refresh_token' }],
  [
    'everything twice',
    { body: 'grant_type=refresh_token&grant_type=refresh_token&client_id=a&client_id=b&refresh_token=x' },
  ],
  ['arrays', { body: 'grant_type[]=refresh_token&client_id[a]=b&refresh_token[]=x' }],
  ['prototypes', { body: '__proto__=x&constructor=x&grant_type=__proto__' }],
  ['a null byte', { body: 'grant_type=refresh_token&client_id=%00&refresh_token=%00' }],
  ['half a character', { body: 'grant_type=refresh_token&client_id=%ed%a0%80&refresh_token=%ed%a0%80' }],
  ['a token of 60 kilobytes', { body: `grant_type=refresh_token&client_id=a&refresh_token=${long(60_000)}` }],
  ['a thousand names', { body: Array.from({ length: 5_000 }, (_, index) => `n${index}=1`).join('&') }],
  ['too much', { body: `grant_type=${long(100_000)}` }],
])('%s at /token, /revoke and /register is refused and breaks nothing (CWE-20)', async ([, sent]) => {
  const { type = 'application/x-www-form-urlencoded', body } = sent
  for (const path of ['/token', '/revoke', '/register']) {
    const { status, body: answer } = await send(publicUrl + path, {
      body,
      method: 'POST',
      headers: { 'content-type': type },
    })
    expect([path, status >= 400 && status < 500]).toEqual([path, true])
    expect(answer['error']).toMatch(/^[a-z_]+$/)
    expect(answer['error']).not.toBe('server_error')
  }
})

test.for([
  'Basic',
  'Basic ',
  'Basic !!!',
  `Basic ${btoa('nothing')}`,
  `Basic ${btoa('%ff:%ff')}`,
  `Basic ${btoa(`${long(5000)}:x`)}`,
  'Bearer x',
  'Digest x',
])('an Authorization header of %s at /token authenticates nobody', async (authorization) => {
  const form = { grant_type: 'refresh_token', refresh_token: held.refreshToken }
  const { status } = await send(`${publicUrl}/token`, { form, headers: { authorization } })
  expect([400, 401]).toContain(status)
})

test.for<[string, unknown]>([
  ['a list', []],
  ['null', null],
  ['a number', 1],
  ['a text', 'x'],
  ['no addresses', {}],
  ['addresses that are none', { redirect_uris: 'https://client.example/cb' }],
  ['addresses of other kinds', { redirect_uris: [1, null, {}] }],
  [
    'too many addresses',
    { redirect_uris: Array.from({ length: 500 }, (_, index) => `https://client.example/${index}`) },
  ],
  [
    'lists for texts',
    {
      redirect_uris: [REDIRECT],
      client_name: ['a'],
      scope: ['a'],
      client_uri: {},
      token_endpoint_auth_method: ['none'],
    },
  ],
  [
    'numbers for texts',
    { redirect_uris: [REDIRECT], client_name: 1, scope: 1, jwks: 1, grant_types: 'x', contacts: {} },
  ],
  [
    'a prototype',
    JSON.parse(
      `{"__proto__":{"redirect_uris":["https://evil.example"]},"constructor":1,"redirect_uris":["${REDIRECT}"]}`,
    ),
  ],
  [
    'keys that are none',
    { redirect_uris: [REDIRECT], jwks: { keys: 'x' }, token_endpoint_auth_method: 'private_key_jwt' },
  ],
  ['a client id of its own', { redirect_uris: [REDIRECT], client_id: 'chosen', client_secret: 'chosen' }],
])('a registration with %s is answered, and not as a fault of the gate’s', async ([, json]) => {
  const { status, body } = await send(`${publicUrl}/register`, { json })
  expect([201, 400]).toContain(status)
  expect(body['error']).not.toBe('server_error')
  expect(body['client_id']).not.toBe('chosen')
})

/** CWE-674: to read is not to recurse. */
test.for(['jwks', 'client_name', 'redirect_uris', 'unknown'])(
  'a registration whose %s is as deep as one may be large breaks nothing',
  async (name) => {
    const deep = '['.repeat(8_000) + ']'.repeat(8_000)
    const body = `{"redirect_uris":["${REDIRECT}"],"${name}":${deep}}`
    const answer = await send(`${publicUrl}/register`, { body, headers: { 'content-type': 'application/json' } })
    expect([201, 400]).toContain(answer.status)
  },
)

test.for(['params', 'params.arguments', 'id', 'unknown'])(
  'a call whose %s is 30,000 levels deep breaks nothing (CWE-674)',
  async (path) => {
    const deep = '['.repeat(30_000) + ']'.repeat(30_000)
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'mal__search', arguments: {} } }
    const [outer = '', inner] = path.split('.')
    const changed = inner === undefined ? { [outer]: '@' } : { params: { ...call.params, [inner]: '@' } }
    const body = JSON.stringify({ ...call, ...changed }).replace('"@"', deep)
    const headers = { authorization: `Bearer ${held.accessToken}`, 'content-type': 'application/json' }
    const accept = { accept: 'application/json, text/event-stream' }
    expect((await send(`${publicUrl}/mcp`, { body, headers: { ...headers, ...accept } })).status).toBeLessThan(500)
  },
)

test.for([
  ['GET', '/interaction/%00'],
  ['GET', '/interaction/%'],
  ['GET', `/interaction/${long(5000)}`],
  ['GET', '/authorize/%2e%2e%2fadmin'],
  ['GET', '/authorize/%'],
  ['POST', '/authorize'],
  ['GET', '/token'],
  ['PUT', '/register'],
  ['DELETE', '/register/x'],
  ['GET', '/welcome/%'],
  ['GET', '/welcome/%00'],
  ['GET', '/connect/%'],
  ['GET', '/connect/%00?t=%00'],
  ['GET', '/connect/mal?t=a&t=b'],
  ['GET', '/account/%'],
  ['GET', '/assets/%2e%2e/%2e%2e/package.json'],
  ['GET', '/assets/../package.json'],
  ['GET', '/.well-known/oauth-protected-resource/%'],
  ['GET', '/.well-known/oauth-authorization-server/%00'],
  ['GET', '/sign-in?next[]=x&next=/a&next=/b'],
  ['TRACE', '/account'],
  ['OPTIONS', '*'],
  ['GET', '//account'],
  ['GET', '/account/../admin/api/users'],
])('%s %s is answered below 500, and shows nothing', async ([method = '', target = '']) => {
  const cookie = await browser.cookies(publicUrl)
  const { status, body } = await sendRaw(publicUrl, { method, target, headers: [`Cookie: ${cookie}`] })
  expect(status).toBeLessThan(500)
  expect(body).not.toMatch(/"dependencies"|at \w+ \(|node:internal|\/src\//)
})

test('a form of 100 kilobytes, or one with everything twice, is answered below 500', async () => {
  const page = await send(`${publicUrl}/sign-in`)
  const cookie = page.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
  const csrf = csrfOf(page.text)
  const bodies = [
    `csrf=${csrf}&name=${long(100_000)}`,
    `csrf=${csrf}&csrf=x&name=a&name=b&password=c&password=d`,
    `csrf=${csrf}&name=%00&password=%00`,
    '%',
    '=&=&=',
  ]
  for (const body of bodies) {
    const headers = { cookie, 'content-type': 'application/x-www-form-urlencoded' }
    const { status, headers: answered } = await send(`${publicUrl}/sign-in`, { body, headers })
    expect(status >= 400 && status < 500).toBe(true)
    expect(answered.getSetCookie().join()).not.toMatch(/sekisho=[\w-]{43}/)
  }
})

/** After all of it, in whatever order: what is right is right. */
test('whoever comes as they should is served', async () => {
  const renewed = await refresh(outside, clientId, held.refreshToken)
  expect(renewed.status).toBe(200)
  const answer = new URL((await browser.open(authorization(outside, clientId).href)).url)
  const code = answer.searchParams.get('code') ?? ''
  expect((await redeem(outside, { client_id: clientId, code })).status).toBe(200)
  expect((await register(outside)).length).toBeGreaterThan(0)
  expect(outside.gate.log()).not.toMatch(/oauth\.fault|gate\.fault/)
})
