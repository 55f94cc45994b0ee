import { expect, test } from 'vitest'
import type { User } from '../../../src/identity/users.ts'
import { createBrowser } from '../../authserver/browser.ts'
import {
  authorize,
  authorizeUrl,
  createPkce,
  letIn,
  openAlone,
  redeem,
  REDIRECT,
  refresh,
  registerClient,
  type Ask,
  type Scene,
} from '../../authserver/scene.ts'

/** What a request for authorization, or its answer, is turned into by whoever sits between. */

const invalid = { status: 400, body: { error: 'invalid_grant' } }

async function codeFor(scene: Scene, user: User, ask: Ask): Promise<string> {
  const browser = createBrowser({ id: user.id })
  const { answer } = await authorize(scene, browser, user, authorizeUrl(scene, ask))
  return answer.searchParams.get('code') ?? ''
}

test('mix-up: every answer says who gives it, refusals and errors too (RFC 9207 §2, RFC 9700 §4.4)', async () => {
  const scene = await openAlone()
  const user = await scene.addUser()
  const clientId = await registerClient(scene)
  const browser = createBrowser({ id: user.id })
  const allowed = await authorize(scene, browser, user, authorizeUrl(scene, { clientId }))
  const failed = await browser.open(authorizeUrl(scene, { clientId, more: { response_type: 'id_token' } }))
  const silent = await createBrowser().open(authorizeUrl(scene, { clientId: 'known', more: { prompt: 'none' } }))
  for (const answer of [allowed.answer, failed.location, silent.location]) {
    const said = new URLSearchParams(answer?.search || answer?.hash.slice(1))
    expect(said.get('iss'), `with ${answer?.href}`).toBe(scene.publicUrl)
    expect(said.get('state')).toBe('xyz')
  }
})

test('PKCE downgrade: no verifier where there was a challenge, and no plain one (RFC 9700 §2.1.1, §4.8)', async () => {
  const scene = await openAlone()
  const user = await scene.addUser()
  const clientId = await registerClient(scene)
  const { verifier, challenge } = createPkce()
  const code = await codeFor(scene, user, { clientId, challenge })
  const form = { grant_type: 'authorization_code', client_id: clientId, redirect_uri: REDIRECT, code }
  expect(await scene.post('/token', form)).toMatchObject(invalid)
  expect(await redeem(scene, { clientId, code, verifier: challenge })).toMatchObject(invalid)
  expect(await redeem(scene, { clientId, code, verifier: '' })).toMatchObject(invalid)
  expect((await redeem(scene, { clientId, code, verifier })).status).toBe(200)
  for (const more of [{ code_challenge: undefined }, { code_challenge_method: 'plain' }, { code_challenge: 'short' }]) {
    const { location } = await createBrowser({ id: user.id }).open(authorizeUrl(scene, { clientId, more }))
    expect(location?.searchParams.get('error'), `with ${JSON.stringify(more)}`).toBe('invalid_request')
  }
})

test('code injection: a code put into another client’s answer is worth nothing there (RFC 9700 §4.5)', async () => {
  const scene = await openAlone()
  const user = await scene.addUser()
  const [victim, attacker] = [await registerClient(scene), await registerClient(scene)]
  const mine = createPkce()
  const theirs = createPkce()
  const stolen = await codeFor(scene, user, { clientId: victim, challenge: theirs.challenge })
  expect(await redeem(scene, { clientId: attacker, code: stolen, verifier: mine.verifier })).toMatchObject(invalid)
  expect(await redeem(scene, { clientId: victim, code: stolen, verifier: mine.verifier })).toMatchObject(invalid)
})

test('parameter injection: no request object, no other place or way of answering (RFC 9101 §10, RFC 9700 §4.1, §4.17)', async () => {
  const scene = await openAlone()
  const user = await scene.addUser()
  const clientId = await registerClient(scene)
  await letIn(scene, user, { clientId })
  const evil = 'https://evil.test/cb'
  const object = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(
    JSON.stringify({ client_id: clientId, redirect_uri: evil, response_type: 'code' }),
  ).toString('base64url')}.`
  const injected: Record<string, string | readonly string[]>[] = [
    { request: object },
    { request_uri: 'https://evil.test/request.jwt' },
    { request_uri: 'urn:ietf:params:oauth:request_uri:made-up' },
    { response_mode: 'form_post' },
    { response_mode: 'fragment' },
    { response_mode: 'web_message' },
    { response_type: 'code token' },
    { response_type: 'code id_token' },
    { response_mode: ['query', 'form_post'] },
    { redirect_uri: [REDIRECT, evil] },
    { client_id: [clientId, 'known'] },
    { registration: '{"redirect_uris":["https://evil.test/cb"]}' },
    { claims: '{"id_token":{"sub":{"value":"ten_default/usr_other"}}}', scope: 'openid mcp' },
    { id_token_hint: object, scope: 'openid mcp' },
  ]
  for (const more of injected) {
    const { location, text, status } = await createBrowser({ id: user.id }).open(
      authorizeUrl(scene, { clientId, more }),
    )
    const what = JSON.stringify(more)
    expect(location?.searchParams.get('code') ?? null, `with ${what}`).toBeNull()
    expect(location?.host ?? '', `with ${what}`).not.toContain('evil')
    expect(text, `with ${what}`).not.toContain('evil.test')
    expect(status, `with ${what}`).toBeLessThan(500)
  }
  expect(scene.faults).toEqual([])
})

test('307: no redirect of the gate has a browser send its form again (RFC 9700 §4.12)', async () => {
  const scene = await openAlone()
  const user = await scene.addUser()
  const clientId = await registerClient(scene)
  const browser = createBrowser({ id: user.id })
  const { status, location } = await browser.open(authorizeUrl(scene, { clientId }))
  expect([status, location?.pathname.startsWith('/interaction/')]).toEqual([303, true])
  const uid = location?.pathname.split('/').at(-1) ?? ''
  const who = { tenant: 'ten_default' as never, userId: user.id, createdAt: scene.clock.now() }
  const next = await scene.server.interactions.consent(uid, who)
  const answered = await browser.open(new URL(next, scene.publicUrl))
  expect([answered.status, answered.location?.origin]).toEqual([303, new URL(REDIRECT).origin])
})

test('referrer leakage and caching: no answer with a code or a token is kept, framed or told of (RFC 9700 §4.2)', async () => {
  const scene = await openAlone()
  const user = await scene.addUser()
  const clientId = await registerClient(scene)
  const { verifier, challenge } = createPkce()
  const page = await createBrowser().open(authorizeUrl(scene, { clientId: 'nobody' }))
  expect(page.headers.get('referrer-policy')).toBe('same-origin')
  expect(page.headers.get('x-frame-options')).toBe('DENY')
  expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  const code = await codeFor(scene, user, { clientId, challenge })
  const { headers, status } = await redeem(scene, { clientId, code, verifier })
  expect([status, headers.get('cache-control')]).toEqual([200, 'no-store'])
  const { headers: before } = await createBrowser({ id: user.id }).open(authorizeUrl(scene, { clientId }))
  expect(before.get('cache-control')).toContain('no-store')
})

test('silent sign-in: prompt=none tells a client that was never let in nothing of who is there (OIDC Core §3.1.2.6)', async () => {
  const scene = await openAlone()
  const [ada, ben] = [await scene.addUser('ada'), await scene.addUser('ben')]
  const clientId = await registerClient(scene)
  await letIn(scene, ben, { clientId })
  const asked = authorizeUrl(scene, { clientId, more: { prompt: 'none' } })
  const shown = async (user?: User) => {
    const { status, location, text } = await createBrowser(user && { id: user.id }).open(asked)
    return { status, code: location?.searchParams.get('code') ?? undefined, sent: location?.origin, text }
  }
  for (const { status, code, sent } of [await shown(), await shown(ada)]) {
    expect({ status, code, sent }).toEqual({ status: 400, code: undefined, sent: undefined })
  }
  expect((await shown(ben)).code, 'who let it in is recognised').toBeDefined()
})

test('resource confusion: a refresh for another server, or another host’s, is refused (RFC 8707 §2.2)', async () => {
  const scene = await openAlone()
  const user = await scene.addUser()
  const clientId = await registerClient(scene)
  const resource = `${scene.publicUrl}/mcp/github`
  const { refreshToken } = await letIn(scene, user, { clientId, more: { resource } })
  for (const other of ['/mcp/notes', '/mcp', '/mcp/github/../notes', '/mcp/github%2f..%2fnotes', '//evil.test/mcp']) {
    const form = { grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken }
    const { status, body } = await scene.post('/token', { ...form, resource: `${scene.publicUrl}${other}` })
    expect({ status, error: body['error'] }, `with ${other}`).toMatchObject({ status: 400, error: 'invalid_target' })
  }
  const { body } = await refresh(scene, clientId, refreshToken)
  expect(await scene.server.verify(String(body['access_token']))).toMatchObject({ scopes: ['mcp:github'] })
})

test('enumeration: an interaction that never was looks like one that is over (CWE-204)', async () => {
  const scene = await openAlone()
  const user = await scene.addUser()
  const clientId = await registerClient(scene)
  const { location } = await createBrowser({ id: user.id }).open(authorizeUrl(scene, { clientId }))
  const uid = location?.pathname.split('/').at(-1) ?? ''
  const resume = async (id: string) => {
    const { status, text } = await createBrowser().open(`${scene.publicUrl}/authorize/${id}`)
    return { status, text: text.replace(/Request [^.]+\./, '') }
  }
  const [there, never] = [await resume(uid), await resume('never-was')]
  expect(there).toEqual(never)
  expect(there.status).toBe(400)
})

test('enumeration: the name that a client supposes is not looked up before somebody signs in (CWE-204)', async () => {
  const scene = await openAlone()
  await scene.addUser('ada')
  const clientId = await registerClient(scene)
  const shown = async (hint: string) => {
    const { status, location } = await createBrowser().open(
      authorizeUrl(scene, { clientId, more: { login_hint: hint } }),
    )
    const { prompt, account } = (await scene.server.interactions.find(location?.pathname.split('/').at(-1) ?? '')) ?? {}
    return { status, prompt, account }
  }
  expect(await shown('ada')).toEqual(await shown('nobody'))
  expect(await shown('ada')).toEqual({ status: 303, prompt: 'login', account: undefined })
})
