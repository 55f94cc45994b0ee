import { jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { createIssuers } from '../../src/authserver/issuers.ts'
import type { FetchInit } from '../../src/http/guarded-fetch.ts'
import { createTestClock } from '../stores/databases.ts'
import { createKeys, signJwt } from './issuer.ts'

const HOUR = 3_600_000
const [OPENID, OAUTH] = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']

/** An issuer on a web that has nothing but these documents. */
function open(documents: Readonly<Record<string, string | object>>) {
  const asked: string[] = []
  const sent: (FetchInit | undefined)[] = []
  const clock = createTestClock()
  const fetch = (input: string | URL | Request, init?: FetchInit) => {
    const url = input instanceof Request ? input.url : String(input)
    asked.push(url)
    sent.push(init)
    const found = documents[url]
    // It looks as it should, and is none all the same.
    if (found === undefined) return Promise.resolve(Response.json(described('https://idp.test'), { status: 404 }))
    return Promise.resolve(new Response(typeof found === 'string' ? found : JSON.stringify(found)))
  }
  return { asked, sent, clock, keysOf: createIssuers({ fetch, clock }).keysOf }
}

const described = (issuer: string) => ({ issuer, jwks_uri: 'https://idp.test/keys' })

test.for([
  ['https://idp.test', `https://idp.test${OPENID}`],
  ['https://idp.test', `https://idp.test${OAUTH}`],
  ['https://idp.test/', `https://idp.test${OPENID}`],
  ['https://idp.test/corp', `https://idp.test/corp${OPENID}`],
  ['https://idp.test/corp', `https://idp.test${OAUTH}/corp`],
  ['https://idp.test/corp/', `https://idp.test${OAUTH}/corp`],
] as const)('OpenID Connect Discovery §4, RFC 8414 §3: the keys of %s are found by %s', async ([issuer, place]) => {
  const keys = createKeys()
  const { keysOf } = open({ [place]: described(issuer), 'https://idp.test/keys': keys.jwks })
  const token = signJwt({ alg: 'ES256', kid: keys.kid }, { sub: 'u-1' }, keys.privateKey)
  expect((await jwtVerify(token, await keysOf(issuer))).payload).toEqual({ sub: 'u-1' })
})

test.for<[string, Readonly<Record<string, string | object>>]>([
  ['nothing', {}],
  ['what is no JSON', { [`https://idp.test${OPENID}`]: '<html>' }],
  ['metadata of another', { [`https://idp.test${OPENID}`]: described('https://other.test') }],
  ['metadata without keys', { [`https://idp.test${OPENID}`]: { issuer: 'https://idp.test' } }],
])('an issuer of whom is found %s is refused, and asked again the next time', async ([, documents]) => {
  const { keysOf, asked } = open(documents)
  const failure = { code: 'oauth.issuer', details: { issuer: 'https://idp.test' } }
  for (const times of [1, 2]) {
    await expect(keysOf('https://idp.test')).rejects.toMatchObject(failure)
    expect(asked).toHaveLength(times * 2)
  }
})

test('neither its metadata nor its keys lead anywhere else', async () => {
  const keys = createKeys()
  const place = `https://idp.test${OPENID}`
  const { keysOf, sent } = open({ [place]: described('https://idp.test'), 'https://idp.test/keys': keys.jwks })
  const token = signJwt({ alg: 'ES256', kid: keys.kid }, { sub: 'u-1' }, keys.privateKey)
  await jwtVerify(token, await keysOf('https://idp.test'))
  expect(sent).toMatchObject([
    { headers: { accept: 'application/json' }, redirect: 'error' },
    { method: 'GET', redirect: 'manual', signal: expect.any(AbortSignal) },
  ])
})

test('what was found is good for an hour, for each issuer', async () => {
  const documents = {
    [`https://idp.test${OPENID}`]: described('https://idp.test'),
    [`https://idp.test/corp${OPENID}`]: described('https://idp.test/corp'),
  }
  const { keysOf, asked, clock } = open(documents)
  const first = await keysOf('https://idp.test')
  clock.turn(HOUR - 1)
  expect(await keysOf('https://idp.test')).toBe(first)
  expect(await keysOf('https://idp.test/corp')).not.toBe(first)
  expect(asked).toEqual(Object.keys(documents))
  clock.turn(1)
  await keysOf('https://idp.test')
  expect(asked).toHaveLength(3)
})
