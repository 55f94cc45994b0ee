import { expect, test } from 'vitest'
import type { User } from '../../src/identity/users.ts'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { eachDatabase } from '../stores/databases.ts'
import { asTokens, MINUTE, openAlone, openScene, refresh, registerClient, type Scene } from './scene.ts'

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'

/** A terminal that can be sent no answer. */
function registerTerminal(scene: Scene): Promise<string> {
  return registerClient(scene, { client_name: 'A terminal', redirect_uris: undefined, grant_types: [DEVICE] })
}

interface Begun {
  readonly deviceCode: string
  readonly userCode: string
}

async function begin(scene: Scene, clientId: string, more: Record<string, string> = {}): Promise<Begun> {
  const { status, body } = await scene.post('/device_authorization', { client_id: clientId, ...more })
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`)
  return { deviceCode: String(body['device_code']), userCode: String(body['user_code']) }
}

function poll(scene: Scene, clientId: string, deviceCode: string) {
  return scene.post('/token', { grant_type: DEVICE, client_id: clientId, device_code: deviceCode })
}

/** A terminal's next question, after as long as it has to wait between two. */
async function pollInTime(scene: Scene, clientId: string, deviceCode: string) {
  scene.clock.turn(5_000)
  return poll(scene, clientId, deviceCode)
}

function by(scene: Scene, user: User) {
  return { tenant: DEFAULT_TENANT, userId: user.id, createdAt: scene.clock.now() }
}

const invalid = { status: 400, body: { error: 'invalid_grant' } }

eachDatabase((_name, openFresh) => {
  test('RFC 8628 §3: a terminal shows a code, its user allows it elsewhere, and it is given tokens once', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerTerminal(scene)
    const { status, body } = await scene.post('/device_authorization', { client_id: clientId, scope: 'mcp' })
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { verification_uri: `${scene.publicUrl}/device`, expires_in: 600 },
    })
    const userCode = String(body['user_code'])
    const deviceCode = String(body['device_code'])
    expect(userCode).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/)
    expect(body['verification_uri_complete']).toBe(`${scene.publicUrl}/device?user_code=${userCode}`)
    expect(await poll(scene, clientId, deviceCode)).toMatchObject({
      status: 400,
      body: { error: 'authorization_pending' },
    })

    const { devices } = scene.server
    expect(await devices.find(userCode.toLowerCase().replace('-', ' '))).toEqual({
      userCode,
      clientId,
      clientName: 'A terminal',
      isMetadataClient: false,
      resources: [`${scene.publicUrl}/mcp`],
      scopes: ['mcp'],
      address: '192.0.2.1',
    })
    await devices.allow(userCode, by(scene, user))
    const answer = await pollInTime(scene, clientId, deviceCode)
    expect(answer.status).toBe(200)
    const { accessToken, refreshToken } = asTokens(answer.body)
    expect(await scene.server.verify(accessToken)).toMatchObject({ userId: user.id, clientId, scopes: ['mcp'] })
    const [consent] = await scene.server.consents.list(DEFAULT_TENANT, user.id)
    expect(consent).toMatchObject({ clientId, clientName: 'A terminal', redirectHost: 'another device' })

    expect((await refresh(scene, clientId, refreshToken)).status).toBe(200)
    expect(await pollInTime(scene, clientId, deviceCode)).toMatchObject(invalid)
    expect(await scene.server.verify(accessToken), 'a second use ends what came of it').toBeUndefined()
  })

  test('RFC 8628 §3.3: of many who answer one code at once, one is heard', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const [ada, ben] = [await scene.addUser('ada'), await scene.addUser('ben')]
    const clientId = await registerTerminal(scene)
    const { userCode } = await begin(scene, clientId)
    const { devices } = scene.server
    const answers = await Promise.allSettled([
      devices.allow(userCode, by(scene, ada)),
      devices.allow(userCode, by(scene, ben)),
      devices.refuse(userCode),
    ])
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await devices.find(userCode)).toBeUndefined()
    await expect(devices.allow(userCode, by(scene, ada))).rejects.toMatchObject({ code: 'device.unknown' })
  })

  test('a removed user’s code and a revoked consent give no tokens', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const [ada, ben] = [await scene.addUser('ada'), await scene.addUser('ben')]
    const clientId = await registerTerminal(scene)
    const [first, second] = [await begin(scene, clientId), await begin(scene, clientId)]
    await scene.server.devices.allow(first.userCode, by(scene, ada))
    await scene.server.devices.allow(second.userCode, by(scene, ben))
    await scene.server.consents.revoke(DEFAULT_TENANT, ada.id, clientId)
    await scene.users.remove(DEFAULT_TENANT, ben.id)
    expect(await pollInTime(scene, clientId, first.deviceCode)).toMatchObject(invalid)
    expect(await pollInTime(scene, clientId, second.deviceCode)).toMatchObject(invalid)
  })
})

test('RFC 8628 §3.5: a terminal that asks too often is told to slow down, each time by 5 s more', async () => {
  const scene = await openAlone()
  const clientId = await registerTerminal(scene)
  const { deviceCode } = await begin(scene, clientId)
  const error = async () => (await poll(scene, clientId, deviceCode)).body['error']
  expect(await error()).toBe('authorization_pending')
  scene.clock.turn(1_000)
  expect(await error()).toBe('slow_down')
  scene.clock.turn(6_000)
  expect(await error()).toBe('slow_down')
  scene.clock.turn(15_000)
  expect(await error()).toBe('authorization_pending')
})

test('RFC 8628 §3.5: refused and expired are told apart, and another client learns nothing', async () => {
  const scene = await openAlone()
  const user = await scene.addUser()
  const [clientId, other] = [await registerTerminal(scene), await registerTerminal(scene)]
  const refused = await begin(scene, clientId)
  await scene.server.devices.refuse(refused.userCode)
  expect(await poll(scene, other, refused.deviceCode)).toMatchObject(invalid)
  expect((await pollInTime(scene, clientId, refused.deviceCode)).body['error']).toBe('access_denied')
  const late = await begin(scene, clientId)
  scene.clock.turn(10 * MINUTE)
  expect((await poll(scene, clientId, late.deviceCode)).body['error']).toBe('expired_token')
  await expect(scene.server.devices.allow(late.userCode, by(scene, user))).rejects.toMatchObject({
    code: 'device.unknown',
  })
})

test('a token is for the resource its terminal named, and no other’s is taken', async () => {
  const scene = await openAlone()
  const user = await scene.addUser()
  const clientId = await registerTerminal(scene)
  const { deviceCode, userCode } = await begin(scene, clientId, { resource: `${scene.publicUrl}/mcp/github` })
  await scene.server.devices.allow(userCode, by(scene, user))
  const { body } = await pollInTime(scene, clientId, deviceCode)
  expect(await scene.server.verify(String(body['access_token']))).toMatchObject({ scopes: ['mcp:github'] })
  const asked = { client_id: clientId, resource: 'https://elsewhere.test/mcp' }
  expect(await scene.post('/device_authorization', asked)).toMatchObject({ body: { error: 'invalid_target' } })
})

test('the code of a user is kept by its hash alone, and so is that of the terminal', async () => {
  const scene = await openAlone()
  const clientId = await registerTerminal(scene)
  const { deviceCode, userCode } = await begin(scene, clientId)
  const rows = JSON.stringify(await scene.storage.system.selectFrom('oauth_records').selectAll().execute())
  for (const secret of [deviceCode, userCode, userCode.replace('-', '')]) expect(rows).not.toContain(secret)
})

test('a client that did not say it is a terminal is none; where terminals are turned off, none begins', async () => {
  const scene = await openAlone()
  const clientId = await registerClient(scene)
  expect((await scene.post('/device_authorization', { client_id: clientId })).status).toBe(400)
  expect((await scene.post('/device_authorization', { client_id: 'known' })).status).toBe(200)
  const metadata = '/.well-known/oauth-authorization-server'
  expect((await scene.get(metadata)).body).toMatchObject({
    device_authorization_endpoint: `${scene.publicUrl}/device_authorization`,
    grant_types_supported: expect.arrayContaining([DEVICE]),
  })
  const without = await openAlone({ oauth: { deviceAuthorization: false } })
  expect((await without.post('/device_authorization', { client_id: 'known' })).status).toBe(404)
  const { body } = await without.get(metadata)
  expect(body['device_authorization_endpoint']).toBeUndefined()
  expect(body['grant_types_supported']).not.toContain(DEVICE)
})

test('RFC 8628 §5.1: who begins too often from one address is told how long to wait', async () => {
  const scene = await openAlone({ perMinute: 2 })
  for (let count = 0; count < 2; count++) await begin(scene, 'known')
  const { status, body, headers } = await scene.post('/device_authorization', { client_id: 'known' })
  expect({ status, body }).toMatchObject({ status: 429, body: { error: 'temporarily_unavailable' } })
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  expect(scene.operations.at(-1)).toBe('device limited')
})
