import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import type { UserId } from '../../src/base/ids.ts'
import type { TrustedIssuer } from '../../src/authserver/settings.ts'
import { eachDatabase, type FreshDatabase } from '../stores/databases.ts'
import { createIssuer, createKeys, exchange, ISSUER, registerConfidential, signJwt, type Otherwise } from './issuer.ts'
import { HOUR, MINUTE, openAlone, openScene, registerClient } from './scene.ts'

/** A gate that trusts one identity provider, with one client, for one user. */
async function openTrusting(database?: Pick<FreshDatabase, 'storage'>) {
  const issuer = createIssuer()
  const clients: string[] = []
  const trustedIssuers: TrustedIssuer[] = [{ issuer: ISSUER, clients, subjects: {} }]
  const subjects = new Map<string, UserId>()
  const options = {
    oauth: { trustedIssuers },
    fetchFromIssuers: issuer.fetch,
    userOf: (from: string, subject: string) => {
      const userId = subjects.get(`${from} ${subject}`)
      return Promise.resolve(userId && { tenant: DEFAULT_TENANT, userId })
    },
  }
  const scene = await (database === undefined ? openAlone(options) : openScene(database, options))
  const user = await scene.addUser()
  subjects.set(`${ISSUER} u-1`, user.id)
  const client = await registerConfidential(scene)
  clients.push(client.clientId)
  const present = (otherwise: Otherwise = {}, more: Record<string, string> = {}) =>
    exchange(scene, client, issuer.assert(scene, client.clientId, otherwise), more)
  return { scene, issuer, user, client, clients, present }
}

const invalid = { status: 400, body: { error: 'invalid_grant' } }

eachDatabase((_name, openFresh) => {
  test('ID-JAG §4.4: an assertion of a trusted issuer gives its user’s token, once, and none to refresh', async () => {
    await using database = await openFresh()
    const { scene, issuer, user, client } = await openTrusting(database)
    const assertion = issuer.assert(scene, client.clientId)
    const outcomes = await Promise.all([1, 2, 3].map(() => exchange(scene, client, assertion)))
    const given = outcomes.filter(({ status }) => status === 200)
    expect(given).toHaveLength(1)
    const body = given[0]?.body ?? {}
    expect(body).toMatchObject({ token_type: 'Bearer', scope: 'mcp' })
    expect(body).not.toHaveProperty('refresh_token')
    const token = String(body['access_token'])
    const { clientId } = client
    expect(await scene.server.verify(token)).toMatchObject({ userId: user.id, clientId, scopes: ['mcp'] })
    expect(scene.events.at(-1)).toMatchObject({ kind: 'client.asserted', client: clientId, issuer: ISSUER })
    expect(await exchange(scene, client, assertion)).toMatchObject(invalid)
    expect(await scene.server.consents.list(DEFAULT_TENANT, user.id)).toEqual([])
    scene.clock.turn(HOUR)
    expect(await scene.server.verify(token)).toBeUndefined()
    expect(scene.faults).toEqual([])
  })
})

test('RFC 8707 §2: a token is for no more than the assertion and the request both say', async () => {
  const { scene, present } = await openTrusting()
  const [all, github] = [`${scene.publicUrl}/mcp`, `${scene.publicUrl}/mcp/github`]
  const scopes = async (claims: object, more: Record<string, string> = {}) => {
    const { body } = await present({ claims }, more)
    return (await scene.server.verify(String(body['access_token'])))?.scopes ?? body['error']
  }
  expect(await scopes({ resource: github })).toEqual(['mcp:github'])
  expect(await scopes({ resource: all }, { resource: github })).toEqual(['mcp:github'])
  expect(await scopes({ resource: undefined })).toEqual(['mcp'])
  expect(await scopes({ resource: github }, { resource: all })).toBe('invalid_target')
  expect(await scopes({ resource: github }, { resource: `${scene.publicUrl}/mcp/notes` })).toBe('invalid_target')
  const elsewhere = 'https://elsewhere.test/mcp'
  expect(await scopes({ resource: elsewhere })).toBe('invalid_target')
  expect(await scopes({ resource: elsewhere }, { resource: github })).toBe('invalid_target')
  expect(await scopes({ resource: all }, { resource: elsewhere })).toBe('invalid_target')
  expect(await scopes({ scope: 'files:read' })).toBe('invalid_scope')
  expect(await scopes({ scope: 'files:read mcp' })).toEqual(['mcp'])
  expect(await scopes({ scope: undefined })).toEqual(['mcp'])
})

test('ID-JAG §4.4.1: what is not as it has to be is refused', async () => {
  const { scene, issuer, present } = await openTrusting()
  const now = Math.floor(scene.clock.now() / 1000)
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const wrong: [string, Otherwise][] = [
    ['another type of token', { header: { typ: 'JWT' } }],
    ['no type', { header: { typ: undefined } }],
    ['no signature', { header: { alg: 'none' } }],
    ['a key of its own in the header', { header: { jwk: issuer.publicKey.export({ format: 'jwk' }) }, key: stranger }],
    ['a key that is not its issuer’s', { key: stranger }],
    ['an algorithm that is not the key’s', { header: { alg: 'HS256' } }],
    ['another issuer', { claims: { iss: 'https://other.test' } }],
    ['for another server', { claims: { aud: 'https://elsewhere.test' } }],
    ['for several servers', { claims: { aud: [scene.publicUrl, 'https://elsewhere.test'] } }],
    ['for the token endpoint', { claims: { aud: `${scene.publicUrl}/token` } }],
    ['for another client', { claims: { client_id: 'somebody' } }],
    ['for no client', { claims: { client_id: undefined } }],
    ['about nobody here', { claims: { sub: 'u-2' } }],
    ['expired', { claims: { exp: now - 31, iat: now - 200 } }],
    ['without an end', { claims: { exp: undefined } }],
    ['without an age', { claims: { iat: undefined } }],
    ['too old, though it has not ended', { claims: { iat: now - 700, exp: now + 3_600 } }],
    ['of later', { claims: { nbf: now + 300 } }],
    ['without an id', { claims: { jti: undefined } }],
    ['an empty id', { claims: { jti: '' } }],
    ['an id that nobody wants to keep', { claims: { jti: 'x'.repeat(501) } }],
    ['about nobody at all', { claims: { sub: '' } }],
  ]
  for (const [what, otherwise] of wrong) expect(await present(otherwise), `with ${what}`).toMatchObject(invalid)
  expect((await present()).status).toBe(200)
  expect((await present({ claims: { aud: [scene.publicUrl], jti: 'x'.repeat(500) } })).status).toBe(200)
  scene.clock.turn(MINUTE)
  expect((await present()).status).toBe(200)
})

test('RFC 7523 §3: that it was used is known for as long as it would be believed, whatever is swept away meanwhile', async () => {
  const { scene, issuer, client } = await openTrusting()
  const [assertion, unused] = [issuer.assert(scene, client.clientId), issuer.assert(scene, client.clientId)]
  expect((await exchange(scene, client, assertion)).status).toBe(200)
  for (const seconds of [1, 299, 20]) {
    scene.clock.turn(seconds * 1_000)
    await scene.server.tend()
    expect(await exchange(scene, client, assertion)).toMatchObject(invalid)
  }
  expect((await exchange(scene, client, unused)).status).toBe(200)
})

test('RFC 7523 §2.1: a request without an assertion is told so', async () => {
  const { scene, client } = await openTrusting()
  const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
  const answer = await scene.post('/token', { grant_type }, client.headers)
  expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
})

test('nothing is fetched for an issuer or a client that the operator has not named', async () => {
  const { scene, issuer, client } = await openTrusting()
  const other = await registerConfidential(scene)
  expect(await exchange(scene, other, issuer.assert(scene, other.clientId))).toMatchObject(invalid)
  const unknown = createIssuer('https://unknown.test')
  expect(await exchange(scene, client, unknown.assert(scene, client.clientId))).toMatchObject(invalid)
  expect(await exchange(scene, client, 'no.jwt.atall')).toMatchObject(invalid)
  expect(issuer.asked).toEqual([])
  expect(unknown.asked).toEqual([])
})

test('a client that does not prove who it is presents nothing', async () => {
  const { scene, issuer, clients } = await openTrusting()
  const grant_types = ['authorization_code', 'urn:ietf:params:oauth:grant-type:jwt-bearer']
  const clientId = await registerClient(scene, { grant_types })
  clients.push(clientId)
  const answer = await exchange(scene, { headers: {} }, issuer.assert(scene, clientId), { client_id: clientId })
  expect(answer).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } })
})

test('a client of the configuration proves who it is by the keys it publishes, and presents nothing without', async () => {
  const issuer = createIssuer()
  const own = createKeys()
  const known = {
    clientId: 'ours',
    name: 'Ours',
    redirectUris: ['https://app.test/cb'],
    jwksUri: 'https://app.test/keys',
  }
  const trustedIssuers = [{ issuer: ISSUER, clients: ['ours'], subjects: {} }]
  const users: UserId[] = []
  const scene = await openAlone({
    oauth: { clients: [known], trustedIssuers },
    fetch: (url) => Promise.resolve(Response.json(url === known.jwksUri ? own.jwks : {})),
    fetchFromIssuers: issuer.fetch,
    userOf: () => Promise.resolve(users[0] && { tenant: DEFAULT_TENANT, userId: users[0] }),
  })
  users.push((await scene.addUser()).id)
  const now = Math.floor(scene.clock.now() / 1000)
  const claims = { iss: 'ours', sub: 'ours', aud: scene.publicUrl, iat: now, exp: now + 60 }
  const prove = ({ kid, privateKey }: Pick<typeof own, 'kid' | 'privateKey'>) => ({
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: signJwt({ alg: 'ES256', kid }, { ...claims, jti: randomUUID() }, privateKey),
  })
  const present = (proof: Record<string, string>) =>
    exchange(scene, { headers: {} }, issuer.assert(scene, 'ours'), { client_id: 'ours', ...proof })
  expect((await present({})).status).toBe(401)
  expect((await present(prove(createKeys()))).status).toBe(401)
  expect((await present(prove(own))).status).toBe(200)
})

test('an issuer whose metadata is another’s is our fault to find out, and opens nothing', async () => {
  const { scene, issuer, present } = await openTrusting()
  issuer.claim({ issuer: 'https://other.test', jwks_uri: `${ISSUER}/keys` })
  expect((await present()).status).toBe(500)
  expect(scene.faults).not.toEqual([])
  issuer.claim({ issuer: ISSUER, jwks_uri: `${ISSUER}/keys` })
  expect((await present()).status, 'what failed is not remembered').toBe(200)
})

test('metadata says of these grants where the operator trusts somebody', async () => {
  const { scene } = await openTrusting()
  const profiles = ['urn:ietf:params:oauth:grant-profile:id-jag']
  const path = '/.well-known/oauth-authorization-server'
  expect((await scene.get(path)).body).toMatchObject({ authorization_grant_profiles_supported: profiles })
  const alone = await openAlone()
  expect((await alone.get(path)).body).not.toHaveProperty('authorization_grant_profiles_supported')
})
