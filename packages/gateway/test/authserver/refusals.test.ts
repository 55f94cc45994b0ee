import { expect, test } from 'vitest'
import type { User } from '../../src/identity/users.ts'
import { eachDatabase } from '../stores/databases.ts'
import { createBrowser } from './browser.ts'
import {
  authorize,
  authorizeUrl,
  createPkce,
  letIn,
  openAlone,
  openScene,
  redeem,
  REDIRECT,
  refresh,
  registerClient,
  type Ask,
  type Scene,
} from './scene.ts'

/** Where the browser is sent at once, without anybody being asked. */
async function errorOf(scene: Scene, ask: Ask): Promise<Record<string, string>> {
  const { location, text } = await createBrowser().open(authorizeUrl(scene, ask))
  if (location === undefined) throw new Error(text)
  // An answer to a response type that is not known goes into the fragment.
  return Object.fromEntries(new URLSearchParams(location.search || location.hash.slice(1)))
}

eachDatabase((_name, openFresh) => {
  test('a code is good for one client, one address, one verifier and one use; a second use ends what came of it', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const [clientId, other] = [await registerClient(scene), await registerClient(scene)]
    const { verifier, challenge } = createPkce()
    const ask = { clientId, challenge }
    const { answer } = await authorize(scene, createBrowser(), user, authorizeUrl(scene, ask))
    const code = answer.searchParams.get('code') ?? ''
    const invalid = { status: 400, body: { error: 'invalid_grant' } }
    expect(await redeem(scene, { clientId: other, code, verifier })).toMatchObject(invalid)
    expect(await redeem(scene, { clientId, code, verifier: createPkce().verifier })).toMatchObject(invalid)
    expect(await redeem(scene, { clientId, code, verifier, redirectUri: 'http://127.0.0.1:1/cb' })).toMatchObject(
      invalid,
    )

    const { body } = await redeem(scene, { clientId, code, verifier })
    const token = String(body['access_token'])
    expect(await scene.server.verify(token)).toBeDefined()
    expect(await redeem(scene, { clientId, code, verifier })).toMatchObject(invalid)
    expect(await scene.server.verify(token)).toBeUndefined()
    expect(await refresh(scene, clientId, String(body['refresh_token']))).toMatchObject(invalid)
    expect(scene.events.at(-1)).toMatchObject({ kind: 'client.cut_off', client: clientId })
  })

  test('a code that two present at once is good for one of them', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    const { verifier, challenge } = createPkce()
    const { answer } = await authorize(scene, createBrowser(), user, authorizeUrl(scene, { clientId, challenge }))
    const code = answer.searchParams.get('code') ?? ''
    const outcomes = await Promise.all([1, 2, 3].map(() => redeem(scene, { clientId, code, verifier })))
    expect(outcomes.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1)
  })
})

test('what is wrong with a request goes back to its client, with iss and state (RFC 9207 §2)', async () => {
  const scene = await openAlone()
  const clientId = 'known'
  const about = { state: 'xyz', iss: scene.publicUrl }
  const cases: [string, Ask['more']][] = [
    ['invalid_request', { code_challenge: undefined, code_challenge_method: undefined }],
    ['invalid_request', { code_challenge_method: 'plain' }],
    ['invalid_request', { code_challenge_method: undefined }],
    ['invalid_target', { resource: 'https://elsewhere.test/mcp' }],
    ['invalid_target', { resource: `${scene.publicUrl}/mcp/nothing` }],
    ['invalid_target', { resource: `${scene.publicUrl}/mcp#part` }],
    ['invalid_target', { resource: [`${scene.publicUrl}/mcp`, `${scene.publicUrl}/mcp/github`] }],
    ['unsupported_response_type', { response_type: 'token' }],
    ['unsupported_response_mode', { response_mode: 'form_post' }],
    ['unsupported_response_mode', { response_mode: 'fragment' }],
    ['invalid_request', { state: 'xyz', prompt: 'unheard_of' }],
    ['request_not_supported', { request: 'eyJhbGciOiJub25lIn0.e30.' }],
    ['login_required', { prompt: 'none' }],
  ]
  for (const [error, more] of cases) {
    expect(await errorOf(scene, { clientId, more: more ?? {} }), `with ${JSON.stringify(more)}`).toMatchObject({
      error,
      ...about,
    })
  }
})

test('RFC 9700 §4.11.2: an error leads nobody to a client that they have not let in; a page says where it would go', async () => {
  const scene = await openAlone()
  const [ada, ben] = [await scene.addUser('ada'), await scene.addUser('ben')]
  const clientId = await registerClient(scene)
  const wrong = authorizeUrl(scene, { clientId, more: { resource: 'https://elsewhere.test/mcp' } })
  const atOnce = (user?: User) => createBrowser(user).open(wrong)
  for (const user of [undefined, ada, ben]) {
    const { status, location, text } = await atOnce(user)
    expect([status, location]).toEqual([400, undefined])
    expect(text).toContain('Go back to 127.0.0.1')
    expect(text).toContain('error=invalid_target')
  }
  await authorize(scene, createBrowser(), ada, authorizeUrl(scene, { clientId }))
  expect((await atOnce(ada)).location?.searchParams.get('error')).toBe('invalid_target')
  expect((await atOnce(ben)).location).toBeUndefined()
  expect((await atOnce()).location).toBeUndefined()
})

test('RFC 6749 §4.1.2.1: where the address of the client is in doubt, a person sees a page and nothing goes out', async () => {
  const scene = await openAlone()
  const clientId = await registerClient(scene, { redirect_uris: [REDIRECT, 'https://app.test/cb'] })
  const asks: Ask[] = [
    { clientId: 'nobody' },
    { clientId, redirectUri: 'https://evil.test/<script>' },
    { clientId, redirectUri: 'https://app.test:8443/cb' },
    { clientId, redirectUri: 'https://app.test/cb/' },
    { clientId, redirectUri: 'http://127.0.0.1:5555/other' },
    { clientId, more: { redirect_uri: undefined } },
  ]
  for (const ask of asks) {
    const { status, location, text, headers } = await createBrowser().open(authorizeUrl(scene, ask))
    expect([status, location], `with ${JSON.stringify(ask)}`).toEqual([400, undefined])
    expect(headers.get('content-type')).toContain('text/html')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(text).not.toContain('evil.test')
    expect(text).not.toContain('<script')
    expect(text).not.toMatch(/\bat .*\.js/)
  }
})

test('RFC 8252 §7.3: a program on the user’s machine may answer on any port of loopback', async () => {
  const scene = await openAlone()
  const user = await scene.addUser()
  const redirects = ['http://127.0.0.1/cb', 'http://localhost:1/cb', 'http://[::1]/cb']
  const clientId = await registerClient(scene, { redirect_uris: redirects })
  for (const redirectUri of ['http://127.0.0.1:61234/cb', 'http://localhost:61234/cb', 'http://[::1]:61234/cb']) {
    const browser = createBrowser({ id: user.id })
    const { answer } = await authorize(scene, browser, user, authorizeUrl(scene, { clientId, redirectUri }))
    expect(answer.href.startsWith(`${redirectUri}?code=`), `with ${redirectUri}`).toBe(true)
  }
})

test('RFC 6749 §5.2: an unknown client is told so with 401, for which clients register anew', async () => {
  const scene = await openAlone()
  for (const path of ['/token', '/revoke']) {
    const form = { client_id: 'nobody', grant_type: 'refresh_token', refresh_token: 'x', token: 'x' }
    const { status, body, headers } = await scene.post(path, form, { accept: 'text/html' })
    expect({ status, body }, `with ${path}`).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    expect(headers.get('content-type')).toContain('application/json')
  }
})

test('what is no form, or too much of one, is refused as OAuth has it', async () => {
  const scene = await openAlone()
  const post = async (path: string, body: string, type: string) => {
    const answer = await fetch(`${scene.publicUrl}${path}`, {
      method: 'POST',
      body,
      headers: { 'content-type': type },
    })
    return { status: answer.status, body: await answer.json() }
  }
  const form = 'application/x-www-form-urlencoded'
  const refused = { body: { error: 'invalid_request' } }
  expect(await post('/token', '{}', 'application/json')).toMatchObject({ status: 400, ...refused })
  expect(await post('/token', `a=${'x'.repeat(70_000)}`, form)).toMatchObject({ status: 413, ...refused })
  expect(await post('/register', '[]', 'application/json')).toMatchObject({ status: 400, ...refused })
  expect(await post('/register', 'no json', 'application/json')).toMatchObject({ status: 400, ...refused })
  expect(scene.faults).toEqual([])
})

test('R1-11: who asks too often is told how long to wait', async () => {
  const scene = await openAlone({ perMinute: 2 })
  const posts = ['/token', '/register', '/revoke']
  for (const path of posts) {
    for (let count = 0; count < 2; count++) await scene.post(path, {})
    const { status, headers, body } = await scene.post(path, {})
    expect({ status, body }, `with ${path}`).toMatchObject({
      status: 429,
      body: { error: 'temporarily_unavailable' },
    })
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(scene.operations.at(-1)).toBe(`${path.slice(1)} limited`)
  }
  const browser = createBrowser()
  for (let count = 0; count < 2; count++) await browser.open(`${scene.publicUrl}/authorize`)
  const { status, headers } = await browser.open(`${scene.publicUrl}/authorize`)
  expect([status, headers.get('retry-after')]).toEqual([429, '30'])
  scene.clock.turn(30_000)
  expect((await scene.post('/token', {})).status).toBe(400)
})

test('where the gate is comes from its configuration, not from what a client claims', async () => {
  const scene = await openAlone()
  const user = await scene.addUser()
  const clientId = await registerClient(scene)
  const forged = { 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'https', forwarded: 'host=evil.test' }
  const { location, headers } = await createBrowser({ id: user.id }).open(authorizeUrl(scene, { clientId }), forged)
  expect(location?.origin).toBe(scene.publicUrl)
  expect(headers.getSetCookie().join()).not.toContain('secure')
  const alias = authorizeUrl(scene, { clientId })
  alias.hostname = '127.0.0.1'
  const { location: home } = await createBrowser({ id: user.id }).open(alias)
  expect(home?.href).toBe(
    authorizeUrl(scene, { clientId, challenge: alias.searchParams.get('code_challenge') ?? '' }).href,
  )
  expect(await letIn(scene, user, { clientId })).toBeDefined()
})

test('R1-11e: a fault of ours is no fault of the client’s, and is counted as what it is', async () => {
  const scene = await openAlone()
  const clientId = await registerClient(scene)
  await scene.storage.system.schema.dropTable('oauth_records').execute()
  scene.operations.length = 0
  const form = { client_id: clientId, token: 'any', grant_type: 'refresh_token', refresh_token: 'any' }
  for (const path of ['/token', '/revoke']) {
    expect(await scene.post(path, form)).toMatchObject({ status: 500, body: { error: 'server_error' } })
  }
  await createBrowser().open(authorizeUrl(scene, { clientId }))
  expect(scene.operations).toEqual(['token server_error', 'revoke server_error', 'authorize server_error'])
  expect(scene.faults).not.toEqual([])
})
