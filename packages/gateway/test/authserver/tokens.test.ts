import { expect, test } from 'vitest'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { eachDatabase } from '../stores/databases.ts'
import { createBrowser } from './browser.ts'
import {
  authorize,
  authorizeUrl,
  createPkce,
  HOUR,
  letIn,
  openScene,
  redeem,
  refresh,
  registerClient,
  type Scene,
} from './scene.ts'

/** Everything the tables hold, as text. */
async function readTables({ storage }: Scene): Promise<string> {
  const db = storage.system
  const rows = [
    await db.selectFrom('oauth_records').selectAll().execute(),
    await db.selectFrom('consents').selectAll().execute(),
    await db.selectFrom('signing_keys').selectAll().execute(),
  ]
  const bytes = (_key: string, value: unknown): unknown =>
    value !== null && typeof value === 'object' && 'type' in value && value.type === 'Buffer' && 'data' in value
      ? Buffer.from(value.data as number[]).toString('latin1')
      : value
  return JSON.stringify(rows, bytes)
}

eachDatabase((_name, openFresh) => {
  test('RFC 8707: a token for one server opens that one, and a token for all opens all', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    const { publicUrl, port } = scene
    const cases: [string | undefined, readonly string[]][] = [
      [undefined, ['mcp']],
      [`${publicUrl}/mcp`, ['mcp']],
      [`${publicUrl}/mcp/`, ['mcp']],
      [`${publicUrl}/mcp/github`, ['mcp:github']],
      [`http://127.0.0.1:${port}/mcp/github`, ['mcp:github']],
      [`http://[::1]:${port}/mcp`, ['mcp']],
      [`HTTP://LOCALHOST:${port}/mcp/notes`, ['mcp:notes']],
    ]
    for (const [resource, scopes] of cases) {
      const { verifier, challenge } = createPkce()
      const url = authorizeUrl(scene, { clientId, challenge, more: { resource } })
      const { answer } = await authorize(scene, createBrowser({ id: user.id }), user, url)
      const code = answer.searchParams.get('code') ?? ''
      const form = { grant_type: 'authorization_code', client_id: clientId, redirect_uri: 'http://127.0.0.1:5555/cb' }
      const { body } = await scene.post('/token', {
        ...form,
        code,
        code_verifier: verifier,
        ...(resource === undefined ? {} : { resource }),
      })
      expect(await scene.server.verify(String(body['access_token'])), `with ${resource}`).toMatchObject({ scopes })
      const renewed = await refresh(scene, clientId, String(body['refresh_token']))
      expect(await scene.server.verify(String(renewed.body['access_token'])), `with ${resource}`).toMatchObject({
        scopes,
      })
      const other = {
        grant_type: 'refresh_token',
        client_id: clientId,
        refresh_token: String(renewed.body['refresh_token']),
      }
      const foreign = await scene.post('/token', { ...other, resource: 'https://elsewhere.test/mcp' })
      expect(foreign).toMatchObject({ status: 400, body: { error: 'invalid_target' } })
    }
  })

  test('a token ends when it says, in the cache too, and unknown ones never began', async () => {
    await using database = await openFresh()
    const scene = await openScene(database, { oauth: { accessTokenMinutes: 1 } })
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    const { accessToken, body } = await letIn(scene, user, { clientId })
    expect(body['expires_in']).toBe(60)
    const { verify } = scene.server
    expect(await verify(accessToken)).toBeDefined()
    expect(verify(accessToken)).not.toBeInstanceOf(Promise)
    scene.clock.turn(59_000)
    expect(await verify(accessToken)).toBeDefined()
    scene.clock.turn(1_000)
    expect(await verify(accessToken)).toBeUndefined()
    expect(await verify('x'.repeat(43))).toBeUndefined()
    expect(verify('x'.repeat(43))).toBeUndefined()
    expect(verify('no token')).toBeUndefined()
  })

  test('R1-11: what is revoked opens nothing from that moment on: by the client, either token, and by nobody else', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const [clientId, other] = [await registerClient(scene), await registerClient(scene)]
    for (const which of ['accessToken', 'refreshToken'] as const) {
      const tokens = await letIn(scene, user, { clientId })
      const bystander = await letIn(scene, user, { clientId })
      expect(await scene.server.verify(tokens.accessToken)).toBeDefined()
      await scene.post('/revoke', { client_id: other, token: tokens[which] })
      expect(await scene.server.verify(tokens.accessToken)).toBeDefined()
      expect((await scene.post('/revoke', { client_id: clientId, token: tokens[which] })).status).toBe(200)
      expect(scene.operations.at(-1)).toBe('revoke ok')
      expect(await scene.server.verify(tokens.accessToken), `with ${which}`).toBeUndefined()
      expect((await refresh(scene, clientId, tokens.refreshToken)).status, `with ${which}`).toBe(400)
      expect(await scene.server.verify(bystander.accessToken), `with ${which}`).toBeDefined()
    }
    expect((await scene.post('/revoke', { client_id: clientId, token: 'nothing' })).status).toBe(200)
  })

  test('a user who is removed has no tokens; one whose role changed has them with the new one', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    const { accessToken, refreshToken } = await letIn(scene, user, { clientId })
    expect(await scene.server.verify(accessToken)).toMatchObject({ role: 'member' })
    await scene.users.setRole(DEFAULT_TENANT, user.id, 'admin')
    scene.server.dropUser(DEFAULT_TENANT, user.id)
    expect(await scene.server.verify(accessToken)).toMatchObject({ role: 'admin' })
    await scene.users.remove(DEFAULT_TENANT, user.id)
    scene.server.dropUser(DEFAULT_TENANT, user.id)
    expect(await scene.server.verify(accessToken)).toBeUndefined()
    expect((await refresh(scene, clientId, refreshToken)).status).toBe(400)
    expect(await readTables(scene)).not.toContain(user.id)
  })

  test('nothing in the tables opens anything', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const redirectUri = 'https://app.test/cb'
    const { body: client } = await scene.register({ client_name: 'A website', redirect_uris: [redirectUri] })
    const [clientId, clientSecret] = [String(client['client_id']), String(client['client_secret'])]
    const { verifier, challenge } = createPkce()
    const browser = createBrowser({ id: user.id })
    const url = authorizeUrl(scene, {
      clientId,
      redirectUri,
      challenge,
      more: { scope: 'openid mcp', prompt: 'login' },
    })
    const { location } = await browser.open(url)
    const uid = location?.pathname.split('/').at(-1) ?? ''
    expect(await readTables(scene)).not.toContain(uid)
    const { answer } = await authorize(scene, browser, user, url)
    const code = answer.searchParams.get('code') ?? ''
    expect(await readTables(scene)).not.toContain(code)
    const form = { grant_type: 'authorization_code', client_id: clientId, client_secret: clientSecret }
    const rest = { redirect_uri: redirectUri, code, code_verifier: verifier }
    const { status, body } = await scene.post('/token', { ...form, ...rest })
    expect(status).toBe(200)
    expect(String(body['id_token']).split('.').length).toBe(3)
    const text = await readTables(scene)
    const secrets = { uid, code, clientSecret, verifier, access: body['access_token'], refresh: body['refresh_token'] }
    for (const [name, value] of Object.entries(secrets)) expect(text, `with ${name}`).not.toContain(String(value))
    for (const part of ['"d":', '\\"d\\":', '"qi"', 'BEGIN PRIVATE']) expect(text, `with ${part}`).not.toContain(part)
  })

  test('what expired is swept away, and the rest is not', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    const tokens = await letIn(scene, user, { clientId })
    await authorize(scene, createBrowser({ id: user.id }), user, authorizeUrl(scene, { clientId }))
    const models = async () => {
      const rows = await scene.storage.system.selectFrom('oauth_records').select('model').orderBy('model').execute()
      return rows.map(({ model }) => model)
    }
    scene.clock.turn(25 * HOUR)
    await scene.server.tend()
    expect(await models()).toEqual(['Client', 'Grant', 'RefreshToken'])
    expect((await refresh(scene, clientId, tokens.refreshToken)).status).toBe(200)
  })

  test('a token that is made while its permission is taken back opens nothing', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    const { verifier, challenge } = createPkce()
    const { answer } = await authorize(scene, createBrowser(), user, authorizeUrl(scene, { clientId, challenge }))
    const code = answer.searchParams.get('code') ?? ''
    const [made] = await Promise.all([
      redeem(scene, { clientId, code, verifier }),
      scene.server.consents.revoke(DEFAULT_TENANT, user.id, clientId),
    ])
    expect(await scene.server.verify(String(made.body['access_token']))).toBeUndefined()
  })
})
