import { z } from 'zod'
import { describe, expect, test } from 'vitest'
import { allow, authorizePath, desktop, read, redeem, redirectUri, refresh, signIn, startMal, web } from './support.ts'

const Tokens = z.object({
  token_type: z.literal('Bearer'),
  expires_in: z.literal(2_678_400),
  access_token: z
    .string()
    .regex(/^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+$/)
    .min(900),
  refresh_token: z
    .string()
    .regex(/^def502[\da-f]+$/)
    .min(900),
})

const hints = (hint: string, error: string = expect.any(String)) => ({ error, hint: expect.stringContaining(hint) })

describe('a person at the pages', () => {
  test('signs in, allows the application and arrives there with a code that becomes tokens', async () => {
    await using mal = await startMal()
    const asked = await mal.get(authorizePath())
    expect(asked.status).toBe(302)
    const login = asked.headers.get('location') ?? ''
    expect(login).toMatch(/^\/login\?from=/)
    const loginPage = await (await mal.get(login)).text()
    expect(loginPage).toContain('mika-password')
    expect(loginPage).toContain('<label for="user_name">')

    const from = new URL(login, mal.url).searchParams.get('from') ?? ''
    const signedIn = await mal.post('/login', { user_name: 'mika', password: 'mika-password', from })
    expect(signedIn.headers.get('location')).toBe(from)
    expect(signedIn.headers.get('set-cookie')).toMatch(/^mal_session=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/)
    const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? ''

    const consent = await mal.get(from, { cookie })
    expect(consent.headers.get('content-security-policy')).not.toContain('form-action')
    expect(await consent.text()).toContain('Web &#60;app&#62;')
    const allowed = await mal.post(from, { decision: 'allow' }, { cookie })
    const back = new URL(allowed.headers.get('location') ?? '')
    expect(`${back.origin}${back.pathname}`).toBe('http://localhost:7354/callback')
    expect(back.searchParams.get('provider')).toBe('mal')
    expect(back.searchParams.get('state')).toBe('the state')

    const reply = await redeem(mal, back.searchParams.get('code') ?? '')
    expect(reply.headers.get('cache-control')).toBe('no-store')
    const tokens = Tokens.parse(await reply.json())
    const me = await mal.get('/v2/users/@me', { authorization: `Bearer ${tokens.access_token}` })
    expect(await me.json()).toMatchObject({ name: 'mika', location: 'Köln / Rhein' })
  })

  test('who cancels, is sent back with access_denied; so is everybody when the settings say so', async () => {
    await using mal = await startMal()
    const cancelled = await mal.post(authorizePath(), { decision: 'cancel' }, await signIn(mal))
    expect(cancelled.headers.get('location')).toMatch(/[?&]error=access_denied&.*state=the\+state/)
    mal.settings.authorize = 'access_denied'
    expect((await mal.get(authorizePath())).headers.get('location')).toContain('error=access_denied')
  })

  test('a wrong password is refused in words, and no redirect leads elsewhere', async () => {
    await using mal = await startMal()
    const wrong = await mal.post('/login', { user_name: '<b>', password: 'x' })
    expect(wrong.status).toBe(401)
    expect(await wrong.text()).toMatch(/role="alert".*value="&#60;b&#62;"/s)
    for (const from of ['//evil.example', '/\\evil.example', 'https://evil.example', '/\n/evil.example']) {
      const reply = await mal.post('/login', { user_name: 'mika', password: 'mika-password', from })
      expect(reply.headers.get('location')).toBe('/profile/apps')
    }
  })

  test('a connected application is listed, and after Revoke its tokens are of no use', async () => {
    await using mal = await startMal()
    const tokens = mal.issueTokens('mika', web.id)
    const session = await signIn(mal)
    expect(await (await mal.get('/profile/apps', session)).text()).toContain('Revoke Web &#60;app&#62;')
    await mal.post('/profile/apps/revoke', { client_id: web.id }, session)
    expect(await (await mal.get('/profile/apps', session)).text()).toContain('No application is connected')
    expect((await mal.get('/v2/users/@me', { authorization: `Bearer ${tokens.accessToken}` })).status).toBe(401)
    expect(await read(refresh(mal, tokens.refreshToken))).toMatchObject({
      status: 401,
      body: { error: 'invalid_request', hint: 'Token has been revoked' },
    })
  })

  test('signing out ends the session', async () => {
    await using mal = await startMal()
    const session = await signIn(mal)
    await mal.post('/logout', {}, session)
    expect((await mal.get('/profile/apps', session)).headers.get('location')).toMatch(/^\/login/)
  })
})

describe('an authorization request is refused, without a redirect, for', () => {
  test.for([
    ['the method S256', { code_challenge_method: 'S256' }, 400, hints('Code challenge method must be one of `plain`')],
    ['no challenge', { code_challenge: undefined }, 400, hints('Check the `code_challenge` parameter')],
    ['a challenge of 42', { code_challenge: 'x'.repeat(42) }, 400, hints('Code challenge must follow')],
    ['a challenge of 129', { code_challenge: 'x'.repeat(129) }, 400, hints('Code challenge must follow')],
    ['no client', { client_id: undefined }, 400, hints('Check the `client_id` parameter')],
    ['a client nobody knows', { client_id: 'nobody' }, 401, { error: 'invalid_client' }],
    ['another redirect URI', { redirect_uri: `${redirectUri}/` }, 401, { error: 'invalid_client' }],
    [
      'another port of loopback',
      { redirect_uri: redirectUri.replace('7354', '7355') },
      401,
      { error: 'invalid_client' },
    ],
    ['another response type', { response_type: 'token' }, 400, hints('Check that all required parameters')],
  ] as const)('%s', async ([, changes, status, says]) => {
    await using mal = await startMal()
    const reply = await read(mal.get(authorizePath(changes)))
    expect(reply).toMatchObject({ status, body: says })
  })

  test('nothing at all when `plain` is named, and when the only redirect URI is left out', async () => {
    await using mal = await startMal()
    expect((await mal.get(authorizePath({ code_challenge_method: 'plain' }))).status).toBe(302)
    expect((await mal.get(authorizePath({ redirect_uri: undefined }))).status).toBe(302)
  })
})

describe('a code', () => {
  test('is used once', async () => {
    await using mal = await startMal()
    const code = await allow(mal)
    expect(code).toMatch(/^def502[\da-f]{600,}$/)
    expect((await redeem(mal, code)).status).toBe(200)
    expect(await read(redeem(mal, code))).toMatchObject({
      status: 400,
      body: { error: 'invalid_request', hint: 'Authorization code has been revoked' },
    })
  })

  test('dies after its seconds', async () => {
    await using mal = await startMal()
    const code = await allow(mal)
    mal.pass(600)
    expect(await read(redeem(mal, code))).toMatchObject({
      status: 400,
      body: { hint: 'Authorization code has expired' },
    })
  })

  test.for([
    [
      'another verifier',
      { code_verifier: 'w'.repeat(64) },
      400,
      hints('Failed to verify `code_verifier`.', 'invalid_grant'),
    ],
    ['a verifier of 42', { code_verifier: 'v'.repeat(42) }, 400, hints('Code Verifier must follow', 'invalid_request')],
    ['another redirect URI', { redirect_uri: 'http://x' }, 400, hints('Invalid redirect URI', 'invalid_request')],
    ['a made-up code', { code: 'def502' }, 400, hints('Cannot decrypt the authorization code', 'invalid_request')],
    ['another grant type', { grant_type: 'password' }, 400, hints('Check that all required', 'unsupported_grant_type')],
    ['a wrong secret', { client_secret: 'x' }, 401, { error: 'invalid_client' }],
    ['a client nobody knows', { client_id: 'x' }, 401, { error: 'invalid_client' }],
  ] as const)('is refused with %s', async ([, changes, status, says]) => {
    await using mal = await startMal()
    const reply = await read(redeem(mal, await allow(mal), changes))
    expect(reply).toMatchObject({ status, body: says })
  })

  test('of a public application is redeemed without a secret, and refused with an empty one', async () => {
    await using mal = await startMal()
    const form = async () => ({
      grant_type: 'authorization_code',
      client_id: desktop.id,
      code: await allow(mal, { client_id: desktop.id }),
      redirect_uri: redirectUri,
      code_verifier: 'v'.repeat(64),
    })
    expect((await mal.post('/v1/oauth2/token', await form())).status).toBe(200)
    expect(await read(mal.post('/v1/oauth2/token', { ...(await form()), client_secret: '' }))).toEqual({
      status: 401,
      body: { error: 'invalid_client', message: 'Client authentication failed' },
    })
  })

  test('is redeemed with Basic as well, and a wrong secret there is answered with a challenge', async () => {
    await using mal = await startMal()
    const form = {
      grant_type: 'authorization_code',
      code: await allow(mal),
      redirect_uri: redirectUri,
      code_verifier: 'v'.repeat(64),
    }
    const basic = (secret: string) => ({ authorization: `Basic ${btoa(`${web.id}:${secret}`)}` })
    const refused = await mal.post('/v1/oauth2/token', form, basic('x'))
    expect(refused.headers.get('www-authenticate')).toBe('Basic realm="OAuth"')
    expect((await mal.post('/v1/oauth2/token', form, basic(web.secret))).status).toBe(200)
  })
})

describe('a refresh token', () => {
  test('stays valid after its use, as at MyAnimeList', async () => {
    await using mal = await startMal()
    const { refreshToken } = mal.issueTokens('mika', web.id)
    const first = Tokens.parse(await (await refresh(mal, refreshToken)).json())
    const second = Tokens.parse(await (await refresh(mal, refreshToken)).json())
    expect(new Set([refreshToken, first.refresh_token, second.refresh_token]).size).toBe(3)
  })

  test('dies with its use under strict rotation, and its access token too', async () => {
    await using mal = await startMal()
    mal.settings.rotation = 'strict'
    const { accessToken, refreshToken } = mal.issueTokens('mika', web.id)
    expect((await refresh(mal, refreshToken)).status).toBe(200)
    expect(await read(refresh(mal, refreshToken))).toEqual({
      status: 401,
      body: {
        error: 'invalid_request',
        message: 'The refresh token is invalid.',
        hint: 'Token has been revoked',
      },
    })
    expect((await mal.get('/v2/users/@me', { authorization: `Bearer ${accessToken}` })).status).toBe(401)
  })

  test('belongs to its application, has to be one, and expires', async () => {
    await using mal = await startMal()
    const { refreshToken } = mal.issueTokens('mika', desktop.id)
    const hint = async (token: string) => (await read(refresh(mal, token))).body
    expect(await hint(refreshToken)).toMatchObject({ hint: 'Token is not linked to client' })
    expect(await hint('def502')).toMatchObject({ hint: 'Cannot decrypt the refresh token' })
    const own = mal.issueTokens('mika', web.id)
    mal.pass(2_678_400)
    expect(await hint(own.refreshToken)).toMatchObject({ hint: 'Token has expired' })
  })

  test('is answered with what the settings break', async () => {
    await using mal = await startMal()
    const { refreshToken } = mal.issueTokens('mika', web.id)
    mal.settings.refreshReply = 'html'
    const page = await refresh(mal, refreshToken)
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=UTF-8'])
    mal.settings.refreshReply = 'no_refresh_token'
    expect(await (await refresh(mal, refreshToken)).json()).not.toHaveProperty('refresh_token')
    mal.settings.refreshReply = 'error'
    expect((await refresh(mal, refreshToken)).status).toBe(500)
    mal.settings.refreshReply = 'hang'
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: web.id,
      client_secret: web.secret,
      refresh_token: refreshToken,
    })
    const hanging = fetch(`${mal.url}/v1/oauth2/token`, {
      method: 'POST',
      body: form,
      signal: AbortSignal.timeout(200),
    })
    await expect(hanging).rejects.toMatchObject({ name: 'TimeoutError' })
  })
})
