import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser } from '../../../../../scripts/lib/browser.ts'
import { openOutside, type Outside } from '../../e2e/journey/outside.ts'
import { childServer } from '../../e2e/place.ts'
import {
  authorization,
  codeFor,
  enter,
  knock,
  letIn,
  openBrowser,
  ping,
  redeem,
  REDIRECT,
  refresh,
  register,
  send,
  tokensOf,
  toldTo,
} from '../ground.ts'

/** R1-13: MCP basic/authorization "Token Audience Binding and Validation", RFC 8707, RFC 9700 §2.3 and §4.10. */
let outside: Outside
let browser: Browser
let publicUrl: string
beforeAll(async () => {
  outside = await openOutside({ config: { mcpServers: { mal: { builtin: 'mal' }, own: childServer() } } })
  publicUrl = outside.publicUrl
  // An administrator: what a token does not open, it does not open to them either.
  browser = await enter(outside, 'ada', undefined)
  await outside.gate.admin('PATCH', '/admin/api/users/ada', { role: 'admin' })
})
afterAll(() => outside[Symbol.asyncDispose]())

/** RFC 8707 §2.2: what is for one resource is refused by every other. */
test('a token for one server opens that, and neither another nor all of them (RFC 8707, RFC 9700 §4.9, §4.10)', async () => {
  const { accessToken } = await letIn(outside, browser, { resource: `${publicUrl}/mcp/own` })
  expect(await knock(`${publicUrl}/mcp/own`, accessToken)).toBe(200)
  for (const path of ['/mcp', '/mcp/mal', '/mcp/', '/mcp/own/', '/mcp/OWN', '/mcp/%6fwn', '/mcp/nothing'])
    expect([path, await knock(publicUrl + path, accessToken)]).toEqual([path, 401])
})

/** MCP basic/authorization: an access token is good for MCP alone; the gate’s other doors take none. */
test('no access token opens the administration, the metrics or a page', async () => {
  const { accessToken } = await letIn(outside, browser, { resource: `${publicUrl}/mcp` })
  const headers = { authorization: `Bearer ${accessToken}` }
  expect(await knock(`${publicUrl}/mcp/own`, accessToken)).toBe(200)
  for (const path of ['/admin/api/users', '/admin/api/status', '/admin/api/openapi.json', '/metrics'])
    expect([path, (await send(publicUrl + path, { headers })).status]).toEqual([path, 401])
  for (const path of ['/account', '/account/keys', '/account/sessions', '/connect/mal']) {
    const { status, location } = await send(publicUrl + path, { headers })
    expect([path, status, location?.pathname]).toEqual([path, 303, '/sign-in'])
  }
})

/** RFC 6750 §2.3 and §5.3, OAuth 2.1 §5.1.2: in the header, and nowhere that is logged or sent by a browser itself. */
test('a token counts in the Authorization header only (RFC 9700 §4.3.2)', async () => {
  const { accessToken } = await letIn(outside, browser)
  const mcp = `${publicUrl}/mcp`
  expect((await ping(`${mcp}?access_token=${accessToken}`, {})).status).toBe(401)
  for (const name of ['sekisho', 'access_token', '_session'])
    expect((await ping(mcp, { cookie: `${name}=${accessToken}` })).status).toBe(401)
  for (const authorization of [
    `Basic ${btoa(`x:${accessToken}`)}`,
    accessToken,
    `Bearer ${accessToken} more`,
    'Bearer ',
  ])
    expect((await ping(mcp, { authorization })).status).toBe(401)
  const form = await send(mcp, { form: { access_token: accessToken }, headers: { accept: 'application/json' } })
  expect(form.status).toBe(401)
  const cookie = await browser.cookies(publicUrl)
  expect((await ping(mcp, { cookie })).status).toBe(401)
  expect((await ping(mcp, { authorization: `Bearer ${/=([\w-]{43})/.exec(cookie)?.[1]}` })).status).toBe(401)
})

/** RFC 8707 §2: a resource of somebody else’s, or one that only looks like ours, is no resource. */
test.for([
  'https://evil.example/mcp',
  'http://localhost.evil.example/mcp',
  'http://localhost@evil.example/mcp',
  '{origin}/mcp#x',
  '{origin}/mcp?x',
  '{origin}/mcp/nothing',
  '{origin}/mcp/own/../../admin/api',
  '{origin}/admin/api',
  '{origin}',
  '{origin}:1/mcp',
  '/mcp',
  'mcp',
])('no code is made for the resource %s', async (template) => {
  const resource = template.replace('{origin}', publicUrl)
  const clientId = await register(outside)
  const page = await browser.open(authorization(outside, clientId, { resource }).href)
  const searchParams = toldTo(page)
  expect(searchParams.get('error')).toBe('invalid_target')
  expect(searchParams.get('iss')).toBe(publicUrl)
  expect(searchParams.has('code')).toBe(false)
})

/** RFC 8707 §2.2: the token request may ask for less than was allowed, never for something else. */
test('neither code nor refresh token is turned into a token for a resource that was not allowed (RFC 8707 §2.2)', async () => {
  const clientId = await register(outside)
  const url = authorization(outside, clientId, { resource: `${publicUrl}/mcp/own` })
  for (const resource of [`${publicUrl}/mcp`, `${publicUrl}/mcp/mal`, 'https://evil.example/mcp']) {
    const code = await codeFor(browser, url)
    const { status, body } = await redeem(outside, { client_id: clientId, code, resource })
    expect([status, body['error']]).toEqual([400, 'invalid_target'])
  }
  const code = await codeFor(browser, url)
  const held = tokensOf(await redeem(outside, { client_id: clientId, code }))
  const form = { grant_type: 'refresh_token', client_id: clientId, refresh_token: held.refreshToken }
  const more = await send(`${publicUrl}/token`, { form: { ...form, resource: `${publicUrl}/mcp` } })
  expect([more.status, more.body['error']]).toEqual([400, 'invalid_target'])
  const scoped = await send(`${publicUrl}/token`, { form: { ...form, scope: 'mcp admin' } })
  expect(await knock(`${publicUrl}/mcp`, String(scoped.body['access_token']))).toBe(401)
})

/** RFC 6749 §10.3, OpenID Connect Core §16.1: what is not an access token of ours opens nothing. */
test('an id_token, a code, a client’s secret, or another’s word is no access token (RFC 9700 §4.9)', async () => {
  const clientId = await register(outside)
  const url = authorization(outside, clientId, { scope: 'openid mcp' })
  const code = await codeFor(browser, url)
  expect(await knock(`${publicUrl}/mcp`, code)).toBe(401)
  const { body } = await redeem(outside, { client_id: clientId, code })
  expect(await knock(`${publicUrl}/mcp`, String(body['access_token']))).toBe(200)
  const none = `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify({ iss: publicUrl, sub: 'ada', aud: `${publicUrl}/mcp` }))}.`
  for (const text of [
    typeof body['id_token'] === 'string' ? body['id_token'] : 'none',
    clientId,
    'null',
    'undefined',
    none,
    'x'.repeat(43),
    'x'.repeat(8000),
  ])
    expect(await knock(`${publicUrl}/mcp`, text)).toBe(401)
})

/** RFC 6749 §1.3, OAuth 2.1 §1.3: nothing but a code and a refresh token is a grant here. */
test('no grant goes around the user', async () => {
  const clientId = await register(outside)
  const unknown = 'unsupported_grant_type'
  // There is such a grant, and this client has not got it.
  const notYours = 'invalid_request'
  const grants: [string, { grant_type: string } & Record<string, string>][] = [
    [notYours, { grant_type: 'client_credentials', scope: 'mcp' }],
    [unknown, { grant_type: 'password', username: 'ada', password: 'a gate upon the old highway' }],
    [notYours, { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: 'x.y.z' }],
    [unknown, { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: 'x' }],
    [notYours, { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: 'x' }],
  ]
  for (const [error, form] of grants) {
    const { status, body } = await send(`${publicUrl}/token`, { form: { ...form, client_id: clientId } })
    expect([status, body['error'], body['access_token']]).toEqual([400, error, undefined])
  }
  for (const type of ['token', 'id_token', 'code token', 'code id_token', 'none']) {
    const page = await browser.open(authorization(outside, clientId, { response_type: type, nonce: 'n' }).href)
    expect(page.url).not.toMatch(/access_token|code=/)
  }
  expect((await refresh(outside, clientId, 'made-up')).body).toMatchObject({ error: 'invalid_grant' })
  expect((await openBrowser().open(authorization(outside, clientId).href)).url.startsWith(REDIRECT)).toBe(false)
})

/** OWASP CSRF: a cookie is sent by the browser itself, so it opens the pages and nothing that programs use. */
test('a browser’s session opens no endpoint of programs', async () => {
  const cookie = await browser.cookies(publicUrl)
  expect((await send(`${publicUrl}/account`, { headers: { cookie } })).status).toBe(200)
  for (const path of ['/admin/api/users', '/admin/api/keys', '/metrics'])
    expect([path, (await send(publicUrl + path, { headers: { cookie } })).status]).toEqual([path, 401])
  const made = await send(`${publicUrl}/admin/api/users`, { json: { name: 'eve', role: 'owner' }, headers: { cookie } })
  expect(made.status).toBe(401)
})
