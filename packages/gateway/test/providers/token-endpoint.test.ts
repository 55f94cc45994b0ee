import { describe, expect, test } from 'vitest'
import type { ProviderConfig } from '../../src/config/config.ts'
import { createGuardedFetch } from '../../src/http/guarded-fetch.ts'
import { partyOf } from '../../src/providers/party.ts'
import { askForTokens, type TokenAnswer } from '../../src/providers/token-endpoint.ts'
import { dueAt } from '../../src/providers/tokens.ts'
import { createTestClock } from '../stores/databases.ts'
import { CLIENT_SECRET, providerAt } from './scene.ts'
import { startScripted, type Answer } from './scripted-server.ts'

const clock = createTestClock()
const grant = { grant_type: 'refresh_token', refresh_token: 'r' }

async function ask(odd: Partial<ProviderConfig>, reply: Answer) {
  await using server = await startScripted()
  server.on('/token', () => reply)
  const { fetch, close } = createGuardedFetch({ allowedHosts: [server.host] })
  const answer = await askForTokens({ fetch, clock }, partyOf(providerAt(server, odd)), grant)
  await close()
  return { answer, sent: server.seen[0] }
}

function shown(answer: TokenAnswer) {
  if (!answer.ok) return { kind: answer.failure.kind, error: answer.failure.error }
  const { accessToken, refreshToken, scopes, expiresAt } = answer.tokens
  const seconds = expiresAt === undefined ? undefined : (expiresAt - clock.now()) / 1000
  return { access: accessToken.reveal(), refresh: refreshToken?.reveal(), scopes, seconds }
}

const reply = (more: Partial<ProviderConfig['tokenReply']>): Partial<ProviderConfig> => ({
  tokenReply: {
    format: 'json',
    errorsWithStatus200: false,
    path: undefined,
    grantErrors: [],
    clientErrors: [],
    ...more,
  },
})
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const A = { access_token: 'a' }

describe('a token endpoint may answer oddly, where its definition says how', () => {
  test.for<[string, Partial<ProviderConfig>, Answer, object]>([
    [
      'JSON with everything',
      {},
      { body: { ...A, refresh_token: 'n', expires_in: 60, scope: 'x y' } },
      { access: 'a', refresh: 'n', scopes: ['x', 'y'], seconds: 60 },
    ],
    ['nothing but a token', {}, { body: A }, { access: 'a' }],
    ['expires_in as a text', {}, { body: { ...A, expires_in: '60' } }, { access: 'a', seconds: 60 }],
    ['expires_in missing', { refresh: { rotates: 'never', expiresIn: 90 } }, { body: A }, { access: 'a', seconds: 90 }],
    ['expires_in that is none', {}, { body: { ...A, expires_in: 'soon' } }, { access: 'a' }],
    [
      'nulls in place of nothing',
      {},
      { body: { ...A, refresh_token: null, expires_in: null, scope: null } },
      { access: 'a' },
    ],
    ['JSON that is called HTML', {}, { headers: { 'content-type': 'text/html' }, body: A }, { access: 'a' }],
    ['status 201', {}, { status: 201, body: A }, { access: 'a' }],
    [
      'a form',
      reply({ format: 'form' }),
      { headers: form, body: 'access_token=a&scope=repo%2Cgist' },
      { access: 'a', scopes: ['repo', 'gist'] },
    ],
    ['a form, found out', reply({ format: 'auto' }), { headers: form, body: 'access_token=a' }, { access: 'a' }],
    ['JSON, found out', reply({ format: 'auto' }), { body: A }, { access: 'a' }],
    ['tokens nested', reply({ path: 'authed_user' }), { body: { ok: true, authed_user: A } }, { access: 'a' }],
    [
      'an error with status 200',
      reply({ errorsWithStatus200: true, grantErrors: ['bad_refresh_token'] }),
      { body: { error: 'bad_refresh_token' } },
      { kind: 'grant', error: 'bad_refresh_token' },
    ],
    [
      'an error in a form',
      reply({ format: 'auto', errorsWithStatus200: true, clientErrors: ['wrong_app'] }),
      { headers: form, body: 'error=wrong_app' },
      { kind: 'client', error: 'wrong_app' },
    ],
    [
      'a grant refused in its own words',
      reply({ grantErrors: ['invalid_request'] }),
      { status: 401, body: { error: 'invalid_request' } },
      { kind: 'grant', error: 'invalid_request' },
    ],
  ])('%s', async ([, odd, said, expected]) => {
    expect(shown((await ask(odd, said)).answer)).toEqual(expect.objectContaining(expected))
  })
})

describe('what is no grant of tokens is told apart, and never as tokens', () => {
  test.for<[string, Answer, object]>([
    ['invalid_grant', { status: 400, body: { error: 'invalid_grant' } }, { kind: 'grant', error: 'invalid_grant' }],
    ['invalid_client', { status: 401, body: { error: 'invalid_client' } }, { kind: 'client', error: 'invalid_client' }],
    [
      'invalid_grant with status 500',
      { status: 500, body: { error: 'invalid_grant' } },
      { kind: 'temporary', error: 'status_500' },
    ],
    ['too many requests', { status: 429, body: 'slow' }, { kind: 'temporary', error: 'status_429' }],
    ['a page of maintenance', { status: 503, body: '<html>' }, { kind: 'temporary', error: 'status_503' }],
    ['a page with status 200', { body: '<html>' }, { kind: 'malformed', error: 'not_json' }],
    [
      'an unknown error, which is not repeated',
      { status: 400, body: { error: 'eyJ.secret' } },
      { kind: 'malformed', error: 'status_400' },
    ],
    ['no access token', { body: { refresh_token: 'n' } }, { kind: 'malformed', error: 'no_access_token' }],
    [
      'a token that would break out of a header',
      { body: { access_token: 'a\r\nX: y' } },
      { kind: 'malformed', error: 'no_access_token' },
    ],
    [
      'a token that wants a proof',
      { body: { ...A, token_type: 'DPoP' } },
      { kind: 'malformed', error: 'no_bearer_token' },
    ],
    [
      'a redirect, which is not followed',
      { status: 302, headers: { location: '/elsewhere' } },
      { kind: 'malformed', error: 'status_302' },
    ],
    [
      'more than a reply can be',
      { body: { ...A, more: 'x'.repeat(100_000) } },
      { kind: 'malformed', error: 'outbound.too_large' },
    ],
  ])('%s', async ([, said, expected]) => {
    const { answer } = await ask({}, said)
    expect(shown(answer)).toEqual(expected)
  })

  test('nobody there', async () => {
    const party = partyOf(providerAt({ origin: 'http://127.0.0.1:1' }))
    const { fetch, close } = createGuardedFetch({ allowedHosts: ['127.0.0.1:1'] })
    const answer = await askForTokens({ fetch, clock }, party, grant)
    await close()
    expect(shown(answer)).toEqual({ kind: 'temporary', error: 'outbound.failed' })
  })
})

describe('the client secret goes where the definition says', () => {
  test.for<[ProviderConfig['clientAuthentication'], Partial<ProviderConfig>, string | undefined, object]>([
    ['body', {}, undefined, { client_id: 'client-1', client_secret: CLIENT_SECRET }],
    ['none', {}, undefined, { client_id: 'client-1' }],
    ['body', { clientSecret: undefined }, undefined, { client_id: 'client-1' }],
    ['basic', { clientId: 'a:b c' }, `Basic ${Buffer.from(`a%3Ab+c:${CLIENT_SECRET}`).toString('base64')}`, {}],
    ['basic', { clientSecret: undefined }, undefined, { client_id: 'client-1' }],
  ])('%s', async ([clientAuthentication, odd, authorization, named]) => {
    const { sent } = await ask({ clientAuthentication, ...odd }, { body: A })
    expect(sent?.headers['accept']).toBe('application/json')
    expect(sent?.headers['authorization']).toBe(authorization)
    expect(sent?.form).toEqual({ ...grant, ...named })
  })
})

test.for([
  [60, 30],
  [300, 240],
  [3_600, 3_240],
  [28_800, 25_920],
  [2_678_400, 2_674_800],
])('an access token of %i s is renewed after %i s', ([life = 0, after = 0]) => {
  expect(dueAt({ obtainedAt: 0, expiresAt: life * 1000 })).toBe(after * 1000)
})
