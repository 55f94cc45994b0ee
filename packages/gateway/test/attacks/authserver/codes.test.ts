import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser } from '../../../../../scripts/lib/browser.ts'
import { openOutside, type Outside } from '../../e2e/journey/outside.ts'
import {
  authorization,
  challengeOf,
  codeFor,
  enter,
  knock,
  redeem,
  refresh,
  register,
  send,
  tokensOf,
  VERIFIER,
  withinASecond,
  toldTo,
} from '../ground.ts'

/** R1-11: what can be done with an authorization code that somebody else got hold of. */
let outside: Outside
let browser: Browser
let clientId: string
beforeAll(async () => {
  outside = await openOutside()
  browser = await enter(outside, 'ada')
  clientId = await register(outside)
})
afterAll(() => outside[Symbol.asyncDispose]())

const newCode = (params = {}) => codeFor(browser, authorization(outside, clientId, params))

/** RFC 6749 §4.1.2 and §10.5, RFC 9700 §4.5: a second use is refused, and takes back what the first was given. */
test('a code that is used again ends the tokens of its first use (RFC 6749 §4.1.2)', async () => {
  const code = await newCode()
  const { accessToken, refreshToken } = tokensOf(await redeem(outside, { client_id: clientId, code }))
  expect(await knock(`${outside.publicUrl}/mcp`, accessToken)).toBe(200)

  const replayed = await redeem(outside, { client_id: clientId, code })
  expect(replayed).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  const ended = async () => (await knock(`${outside.publicUrl}/mcp`, accessToken)) === 401
  expect(await withinASecond(ended)).toBe(true)
  expect(await refresh(outside, clientId, refreshToken)).toMatchObject({
    status: 400,
    body: { error: 'invalid_grant' },
  })
})

/** RFC 6749 §10.5: of two that present it at the same moment at most one is served. */
test('a code that many present at once is good for one of them at most', async () => {
  const code = await newCode()
  const answers = await Promise.all(Array.from({ length: 10 }, () => redeem(outside, { client_id: clientId, code })))
  expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1)
  const others = answers.filter(({ status }) => status !== 200)
  for (const { status, body } of others) expect([status, body['error']]).toEqual([400, 'invalid_grant'])
})

/** RFC 9700 §4.5 "Authorization Code Injection", RFC 6749 §4.1.3: a code is bound to its client and its address. */
test('a stolen code is worth nothing to another client, nor with another redirect_uri (RFC 9700 §4.5)', async () => {
  const thief = await register(outside)
  const code = await newCode()
  const wrongs = [
    { client_id: thief, code },
    { client_id: clientId, code, redirect_uri: 'http://127.0.0.1:6789/other' },
    { client_id: clientId, code, redirect_uri: 'https://evil.example/cb' },
    { client_id: clientId, code, redirect_uri: undefined },
  ]
  for (const wrong of wrongs) {
    const { status, body } = await redeem(outside, wrong)
    expect(status).toBe(400)
    expect(body['error']).toMatch(/^invalid_(?:grant|request)$/)
    expect(body).not.toHaveProperty('access_token')
  }
})

/** RFC 6749 §2.3 and §10.1: no client passes for another that has a secret, or for none there is. */
test('a client with a secret is not impersonated without it, nor is one made up', async () => {
  const json = { redirect_uris: ['https://client.example/cb'], token_endpoint_auth_method: 'client_secret_post' }
  const { body: registered } = await send(`${outside.publicUrl}/register`, { json })
  const id = String(registered['client_id'])
  const url = authorization(outside, id, { redirect_uri: json.redirect_uris[0] })
  const mine = { client_id: id, redirect_uri: json.redirect_uris[0], code: await codeFor(browser, url) }

  for (const secret of [undefined, 'guessed']) {
    const { status, body } = await redeem(outside, { ...mine, client_secret: secret })
    expect([status, body['error']]).toEqual([401, 'invalid_client'])
  }
  expect(await redeem(outside, { ...mine, client_id: 'made-up' })).toMatchObject({ body: { error: 'invalid_client' } })
  const right = await redeem(outside, { ...mine, client_secret: String(registered['client_secret']) })
  expect(right.status).toBe(200)
})

/** RFC 9700 §4.8.2 "PKCE Downgrade Attack", RFC 7636 §4.4.1, OAuth 2.1 §7.5.2; the answer names us by RFC 9207. */
test.for<[string, Record<string, string | undefined>]>([
  ['no challenge', { code_challenge: undefined, code_challenge_method: undefined }],
  ['a method without a challenge', { code_challenge: undefined }],
  ['plain', { code_challenge: VERIFIER, code_challenge_method: 'plain' }],
  ['no method, which means plain', { code_challenge_method: undefined }],
  ['a method in other letters', { code_challenge_method: 's256' }],
  ['an empty challenge', { code_challenge: '' }],
  ['a challenge that is too short', { code_challenge: 'short' }],
])('PKCE is not talked down: %s (RFC 9700 §4.8)', async ([, params]) => {
  const page = await browser.open(authorization(outside, clientId, params).href)
  const searchParams = toldTo(page)
  expect(searchParams.has('code')).toBe(false)
  expect(searchParams.get('error')).toBe('invalid_request')
  expect(searchParams.get('iss')).toBe(outside.publicUrl)
  expect(searchParams.get('state')).toBe('the-state')
})

/** RFC 7636 §4.6, RFC 9700 §2.1.1: whoever redeems has to have begun, and nothing stands in for that. */
test.for<[string, string | undefined]>([
  ['none', undefined],
  ['a wrong one', 'w'.repeat(64)],
  ['the challenge itself', challengeOf(VERIFIER)],
  ['one that is too short', 'v'.repeat(42)],
  ['one that is too long', 'v'.repeat(129)],
])('a code is not redeemed with another verifier: %s', async ([, verifier]) => {
  const { status, body } = await redeem(outside, {
    client_id: clientId,
    code: await newCode(),
    code_verifier: verifier,
  })
  expect(status).toBe(400)
  expect(body['error']).toMatch(/^invalid_(?:grant|request)$/)
})

/** RFC 9700 §4.5.3: a code that was planted into somebody’s own flow does not fit that flow’s verifier. */
test('a code is not redeemed with the verifier of another request', async () => {
  const [theirs, own] = ['t'.repeat(64), 'o'.repeat(64)]
  const stolen = await newCode({ code_challenge: challengeOf(theirs) })
  await newCode({ code_challenge: challengeOf(own) })
  const { body } = await redeem(outside, { client_id: clientId, code: stolen, code_verifier: own })
  expect(body).toMatchObject({ error: 'invalid_grant' })
})
