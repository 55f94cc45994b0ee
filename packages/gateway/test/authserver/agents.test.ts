import { generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto'
import { sql } from 'kysely'
import { expect, test, vi } from 'vitest'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import type { Secret } from '../../src/base/secret.ts'
import { PublicKeys } from '../../src/authserver/agents.ts'
import { eachDatabase } from '../stores/databases.ts'
import { HOUR, openAlone, openScene, type Scene } from './scene.ts'

function basic(clientId: string, clientSecret: Secret | string | undefined): Record<string, string> {
  const text = typeof clientSecret === 'string' ? clientSecret : (clientSecret?.reveal() ?? '')
  return { authorization: `Basic ${Buffer.from(`${clientId}:${text}`).toString('base64')}` }
}

function ask(scene: Scene, headers: Record<string, string>, more: Record<string, string> = {}) {
  return scene.post('/token', { grant_type: 'client_credentials', ...more }, headers)
}

/** What a client signs to prove that it is itself. @see RFC 7523 §3 */
function assertion(scene: Scene, clientId: string, key: KeyObject, claims: object = {}): string {
  const now = Math.floor(scene.clock.now() / 1000)
  const all = {
    iss: clientId,
    sub: clientId,
    aud: scene.publicUrl,
    jti: randomUUID(),
    iat: now,
    exp: now + 60,
    ...claims,
  }
  const text = [{ alg: 'ES256' }, all].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
  return `${text}.${signature.toString('base64url')}`
}

function askSigned(scene: Scene, clientId: string, signed: string) {
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  return ask(scene, {}, { client_id: clientId, client_assertion_type: type, client_assertion: signed })
}

const refused = { status: 401, body: { error: 'invalid_client' } }

eachDatabase((name, openFresh) => {
  test('RFC 6749 §4.4: an agent is given a token in its own name, for one resource, and none to refresh', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const { agent, clientSecret } = await scene.server.agents.add(DEFAULT_TENANT, { name: 'nightly' })
    const headers = basic(agent.clientId, clientSecret)
    const { status, body } = await ask(scene, headers, { resource: `${scene.publicUrl}/mcp/github` })
    expect({ status, body }).toMatchObject({ status: 200, body: { token_type: 'Bearer', scope: 'mcp' } })
    expect(body).not.toHaveProperty('refresh_token')
    expect(await scene.server.verify(String(body['access_token']))).toMatchObject({
      tenant: DEFAULT_TENANT,
      userId: agent.userId,
      userName: 'nightly',
      role: 'member',
      clientId: agent.clientId,
      scopes: ['mcp:github'],
    })
    const whole = await ask(scene, headers)
    expect(await scene.server.verify(String(whole.body['access_token']))).toMatchObject({ scopes: ['mcp'] })
    const elsewhere = await ask(scene, headers, { resource: 'https://elsewhere.test/mcp' })
    expect(elsewhere).toMatchObject({ status: 400, body: { error: 'invalid_target' } })
    scene.clock.turn(HOUR)
    expect(await scene.server.verify(String(whole.body['access_token']))).toBeUndefined()
    expect(scene.faults).toEqual([])
  })

  // Embedded, one statement after the other is answered: nothing comes between a request's own.
  test.skipIf(name === 'sqlite')('what is asked for while the secret is replaced opens nothing (CWE-362)', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const { agents } = scene.server
    const { agent, clientSecret } = await agents.add(DEFAULT_TENANT, { name: 'nightly' })
    expect((await ask(scene, basic(agent.clientId, clientSecret))).status).toBe(200)
    const { system } = await database.again()
    // Whoever writes what hangs on the user waits for this, as behind a slow database.
    const held = await system.transaction().execute(async (db) => {
      await sql`select 1 from users where id = ${agent.userId} for update`.execute(db)
      const asked = ask(scene, basic(agent.clientId, clientSecret))
      await vi.waitFor(async () => {
        const { rows } =
          await sql`select 1 from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))`.execute(db)
        expect(rows).toHaveLength(1)
      })
      scene.clock.turn(1_000)
      return { asked, renewed: await agents.renew(DEFAULT_TENANT, 'nightly') }
    })
    expect((await held.asked).body).toMatchObject({ error: 'invalid_client' })
    const records = await database.storage.system.selectFrom('oauth_records').select('model').execute()
    expect(records.filter(({ model }) => model === 'ClientCredentials')).toEqual([])
    expect((await ask(scene, basic(agent.clientId, held.renewed.clientSecret))).status).toBe(200)
  })

  test('a removed agent, and one that was given a new secret, open nothing from that moment on', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const { agents } = scene.server
    const [old, gone] = [
      await agents.add(DEFAULT_TENANT, { name: 'renewed' }),
      await agents.add(DEFAULT_TENANT, { name: 'removed' }),
    ]
    const tokens = await Promise.all(
      [old, gone].map(async ({ agent, clientSecret }) => {
        const { body } = await ask(scene, basic(agent.clientId, clientSecret))
        return String(body['access_token'])
      }),
    )
    for (const token of tokens) expect(await scene.server.verify(token)).toBeDefined()
    const renewed = await agents.renew(DEFAULT_TENANT, 'renewed')
    await scene.users.remove(DEFAULT_TENANT, gone.agent.userId)
    scene.server.dropUser(DEFAULT_TENANT, gone.agent.userId)
    for (const token of tokens) expect(await scene.server.verify(token)).toBeUndefined()
    for (const { agent, clientSecret } of [old, gone])
      expect(await ask(scene, basic(agent.clientId, clientSecret))).toMatchObject(refused)
    expect((await ask(scene, basic(renewed.agent.clientId, renewed.clientSecret))).status).toBe(200)
  })

  test('an agent’s secret and tokens are kept by their hash alone', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const { agent, clientSecret } = await scene.server.agents.add(DEFAULT_TENANT, { name: 'nightly' })
    const { body } = await ask(scene, basic(agent.clientId, clientSecret))
    const { system } = scene.storage
    const rows = JSON.stringify([
      await system.selectFrom('oauth_records').selectAll().execute(),
      await system.selectFrom('agent_clients').selectAll().execute(),
    ])
    for (const secret of [clientSecret?.reveal() ?? '', String(body['access_token'])])
      expect(rows).not.toContain(secret)
    const [row] = await system.selectFrom('agent_clients').select('secret_hash').execute()
    expect(await ask(scene, basic(agent.clientId, row?.secret_hash ?? ''))).toMatchObject(refused)
  })

  test('RFC 7523 §3: an agent with keys proves itself by an assertion, each good for once', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwks = { keys: [publicKey.export({ format: 'jwk' }) as Record<string, string>] }
    const { agent, clientSecret } = await scene.server.agents.add(DEFAULT_TENANT, { name: 'signer', jwks })
    expect(clientSecret).toBeUndefined()
    const { clientId } = agent
    const signed = assertion(scene, clientId, privateKey)
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => askSigned(scene, clientId, signed)))
    expect(outcomes.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(await askSigned(scene, clientId, signed)).toMatchObject(refused)
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const now = Math.floor(scene.clock.now() / 1000)
    for (const bad of [
      assertion(scene, clientId, stranger),
      assertion(scene, clientId, privateKey, { aud: 'https://elsewhere.test' }),
      assertion(scene, clientId, privateKey, { sub: 'agt_other' }),
      assertion(scene, clientId, privateKey, { exp: now - 60 }),
    ]) {
      const { status, body } = await askSigned(scene, clientId, bad)
      expect([400, 401]).toContain(status)
      expect(body).not.toHaveProperty('access_token')
    }
  })
})

test('an agent has no other grant, and no other client has its own', async () => {
  const scene = await openAlone()
  const { agent, clientSecret } = await scene.server.agents.add(DEFAULT_TENANT, { name: 'nightly' })
  const headers = basic(agent.clientId, clientSecret)
  for (const grant of ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'])
    expect((await scene.post('/token', { grant_type: grant, code: 'x' }, headers)).status).toBe(400)
  expect((await scene.post('/device_authorization', {}, headers)).status).toBe(400)
  const { body } = await scene.register({
    redirect_uris: ['https://app.test/cb'],
    grant_types: ['client_credentials'],
    token_endpoint_auth_method: 'client_secret_basic',
  })
  const registered = basic(String(body['client_id']), String(body['client_secret']))
  expect(await ask(scene, registered)).toMatchObject({ status: 400 })
  expect(await ask(scene, {}, { client_id: 'known' })).toMatchObject({ status: 400 })
})

test('an agent gives its token back, and it ends at once (RFC 7009 §2)', async () => {
  const scene = await openAlone()
  const { agent, clientSecret } = await scene.server.agents.add(DEFAULT_TENANT, { name: 'nightly' })
  const headers = basic(agent.clientId, clientSecret)
  const token = String((await ask(scene, headers)).body['access_token'])
  expect(await scene.server.verify(token)).toBeDefined()
  expect((await scene.post('/revoke', { token }, headers)).status).toBe(200)
  expect(await scene.server.verify(token)).toBeUndefined()
})

test('agents are listed by name, beside the people who are none, and found by name or id', async () => {
  const scene = await openAlone()
  const { agents } = scene.server
  const ada = await scene.addUser()
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwks = PublicKeys.parse({ keys: [publicKey.export({ format: 'jwk' })] })
  const { agent: weekly } = await agents.add(DEFAULT_TENANT, { name: 'weekly', jwks })
  const { agent: nightly } = await agents.add(DEFAULT_TENANT, { name: 'nightly' })
  expect(await agents.list(DEFAULT_TENANT)).toEqual([nightly, weekly])
  expect([nightly.method, weekly.method]).toEqual(['client_secret_basic', 'private_key_jwt'])
  for (const name of ['weekly', weekly.userId]) expect(await agents.require(DEFAULT_TENANT, name)).toEqual(weekly)
  const none = { code: 'agent.unknown', details: { agent: 'ada' } }
  await expect(agents.require(DEFAULT_TENANT, ada.name)).rejects.toMatchObject(none)
  await expect(agents.renew(DEFAULT_TENANT, ada.name)).rejects.toMatchObject(none)
})

test('RFC 7517 §9.3: of an agent’s keys only public ones are taken, a few of them, and of kinds that sign', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const [mine, secrets] = [publicKey.export({ format: 'jwk' }), privateKey.export({ format: 'jwk' })]
  const takes = (...keys: object[]) => PublicKeys.safeParse({ keys }).success
  expect(takes(mine, { kty: 'RSA', n: 'n', e: 'AQAB', key_ops: ['verify'], ext: true })).toBe(true)
  expect(takes(...Array<object>(8).fill(mine))).toBe(true)
  expect(takes(...Array<object>(9).fill(mine))).toBe(false)
  expect(takes()).toBe(false)
  expect(takes(mine, secrets)).toBe(false)
  for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])
    expect(takes({ ...mine, [member]: 'x' })).toBe(false)
  for (const kty of ['oct', 'OKP', undefined]) expect(takes({ ...mine, kty })).toBe(false)
})
