import { expect, onTestFinished, test } from 'vitest'
import { createIdentityFetches } from '../../../src/login/federated/fetches.ts'
import { createMetadata } from '../../../src/login/federated/metadata.ts'
import { startScripted, type Answer } from '../../providers/scripted-server.ts'
import { createTestClock } from '../../stores/databases.ts'
import { corp } from './provider.ts'

/** What a provider says of itself, on a real socket: OpenID Connect Discovery §4. */
const DISCOVERY = '/.well-known/openid-configuration'

async function openProvider(answer: (issuer: string) => Answer | Promise<Answer>) {
  const server = await startScripted()
  const issuer = server.origin
  server.on(DISCOVERY, () => answer(issuer))
  const provider = { ...corp, issuer }
  const fetches = createIdentityFetches([provider], [])
  onTestFinished(async () => {
    await fetches.close()
    await server[Symbol.asyncDispose]()
  })
  const clock = createTestClock()
  const metadataOf = createMetadata({ fetchFor: fetches.fetchFor, clock })
  return { clock, server, asked: () => server.seenAt(DISCOVERY).length, find: () => metadataOf(provider) }
}

const endpointsAt = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}/auth`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/keys`,
})

test('is asked for once an hour, whoever needs it', async () => {
  const { find, asked, clock } = await openProvider((issuer) => ({ body: endpointsAt(issuer) }))
  const all = await Promise.all([find(), find(), find()])
  expect([new Set(all).size, asked()]).toEqual([1, 1])
  clock.turn(3_599_999)
  await find()
  expect(asked()).toBe(1)
  clock.turn(1)
  await find()
  expect(asked()).toBe(2)
})

test('what failed is asked for again the next time, and what came meanwhile is kept', async () => {
  let isUp = false
  const [reached, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const { find, asked, clock } = await openProvider(async (issuer) => {
    if (isUp) return { body: endpointsAt(issuer) }
    reached.resolve()
    await held.promise
    return { status: 503 }
  })
  const failed = find().catch((error: unknown) => error)
  await reached.promise
  // An hour later the first is still waiting for its answer.
  clock.turn(3_600_000)
  isUp = true
  await find()
  held.resolve()
  expect(await failed).toMatchObject({ code: 'federated.bad_answer' })
  await find()
  expect(asked()).toBe(2)
})

test.each(['authorization_endpoint', 'token_endpoint', 'jwks_uri'])('without %s nobody can sign in', async (left) => {
  const { find } = await openProvider((issuer) => ({ body: { ...endpointsAt(issuer), [left]: undefined } }))
  const lacks = { code: 'federated.bad_answer', details: { reason: 'its metadata lacks an endpoint' } }
  await expect(find()).rejects.toMatchObject(lacks)
})

const PLACES = ['authorization_endpoint', 'token_endpoint', 'jwks_uri', 'userinfo_endpoint', 'end_session_endpoint']
test.each(PLACES)('a %s in the clear, or that is no address, is believed nothing', async (which) => {
  for (const endpoint of ['http://sso.example.com/here', 'here', 'javascript:alert(1)']) {
    const { find } = await openProvider((issuer) => ({ body: { ...endpointsAt(issuer), [which]: endpoint } }))
    const unsafe = { code: 'federated.bad_answer', details: { reason: 'its endpoints are not https' } }
    await expect(find()).rejects.toMatchObject(unsafe)
  }
  const { find } = await openProvider((issuer) => ({
    body: { ...endpointsAt(issuer), [which]: 'https://a.example/b' },
  }))
  expect(await find()).toMatchObject({ [which]: 'https://a.example/b' })
})
