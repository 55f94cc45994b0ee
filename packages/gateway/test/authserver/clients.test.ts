import { expect, test } from 'vitest'
import { normaliseMetadata } from '../../src/authserver/client-metadata.ts'
import { redirectKind } from '../../src/authserver/redirects.ts'
import { problem } from '../../src/base/problem.ts'
import { createGuardedFetch } from '../../src/http/guarded-fetch.ts'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { eachDatabase } from '../stores/databases.ts'
import { createBrowser } from './browser.ts'
import {
  authorize,
  authorizeUrl,
  createPkce,
  DAY,
  HOUR,
  letIn,
  openAlone,
  openScene,
  redeem,
  REDIRECT,
  refresh,
  registerClient,
} from './scene.ts'

const DOCUMENT = 'https://client.test/oauth/metadata.json'
const REDIRECTS = ['http://127.0.0.1/cb', 'https://client.test/cb']

/** The web as one client publishes itself on it; what is asked for is counted. */
function createWeb(document: object = {}) {
  const web = {
    asked: 0,
    status: 200,
    isDown: false,
    headers: { 'cache-control': 'max-age=120' },
    document: {
      client_id: DOCUMENT,
      client_name: 'A metadata client',
      redirect_uris: REDIRECTS,
      ...document,
    } as object,
    fetch: (url: string | URL | Request): Promise<Response> => {
      web.asked++
      if (web.isDown || url !== DOCUMENT) return Promise.reject(problem('outbound.failed', { host: 'client.test' }))
      return Promise.resolve(new Response(JSON.stringify(web.document), { status: web.status, headers: web.headers }))
    },
  }
  return web
}

eachDatabase((_name, openFresh) => {
  test('a client of the configuration is let in without having registered', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const { accessToken } = await letIn(scene, user, { clientId: 'known', redirectUri: 'http://127.0.0.1:9/cb' })
    expect(await scene.server.verify(accessToken)).toMatchObject({ clientId: 'known' })
  })

  test('a client that asks for a secret has to show it, and it is kept sealed', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const redirectUri = 'https://app.test/cb'
    const { body } = await scene.register({ client_name: 'A website', redirect_uris: [redirectUri] })
    const [clientId, clientSecret] = [String(body['client_id']), String(body['client_secret'])]
    expect(body).toMatchObject({ token_endpoint_auth_method: 'client_secret_basic', application_type: 'web' })
    expect(clientSecret.length).toBeGreaterThan(40)
    await scene.restart()
    const { verifier, challenge } = createPkce()
    const url = authorizeUrl(scene, { clientId, redirectUri, challenge })
    const { answer } = await authorize(scene, createBrowser(), user, url)
    const code = answer.searchParams.get('code') ?? ''
    const unproven = await redeem(scene, { clientId, redirectUri, code, verifier })
    expect(unproven).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    const form = { grant_type: 'authorization_code', redirect_uri: redirectUri, code, code_verifier: verifier }
    const basic = (secret: string) => ({
      authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`,
    })
    expect((await scene.post('/token', form, basic('wrong'))).status).toBe(401)
    expect((await scene.post('/token', form, basic(clientSecret))).status).toBe(200)
  })

  test('a client that nobody lets in is forgotten after a week, one that nobody lets in any more after 90 days', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const [used, dropped] = [await registerClient(scene), await registerClient(scene)]
    const unused = await registerClient(scene, { redirect_uris: ['https://app.test/cb'] })
    const isKnown = async (clientId: string, redirectUri = REDIRECT) =>
      (await createBrowser().open(authorizeUrl(scene, { clientId, redirectUri }))).status === 303
    await letIn(scene, user, { clientId: used })
    await letIn(scene, user, { clientId: dropped })
    await scene.server.consents.revoke(DEFAULT_TENANT, user.id, dropped)
    scene.clock.turn(6 * DAY)
    await scene.server.tend()
    expect(await isKnown(unused, 'https://app.test/cb')).toBe(true)
    scene.clock.turn(DAY)
    await scene.server.tend()
    expect(await isKnown(unused, 'https://app.test/cb')).toBe(false)
    expect([await isKnown(used), await isKnown(dropped)]).toEqual([true, true])
    scene.clock.turn(90 * DAY)
    await scene.server.tend()
    expect([await isKnown(used), await isKnown(dropped)]).toEqual([true, false])
    expect(await letIn(scene, user, { clientId: used })).toBeDefined()
  })
})

test('CIMD: a client is known by the address of its document, which is kept as long as it says', async () => {
  const web = createWeb()
  const scene = await openAlone({ fetch: web.fetch })
  const user = await scene.addUser()
  const ask = { clientId: DOCUMENT, redirectUri: 'http://127.0.0.1:4000/cb' }
  const tokens = await letIn(scene, user, ask)
  expect(await scene.server.verify(tokens.accessToken)).toMatchObject({ clientId: DOCUMENT })
  expect(web.asked).toBe(1)
  expect((await refresh(scene, DOCUMENT, tokens.refreshToken)).status).toBe(200)
  scene.clock.turn(119_000)
  await letIn(scene, user, ask)
  expect(web.asked).toBe(1)
  scene.clock.turn(2_000)
  await letIn(scene, user, ask)
  expect(web.asked).toBe(2)
  const { location } = await createBrowser().open(authorizeUrl(scene, ask))
  const uid = location?.pathname.split('/').at(-1) ?? ''
  expect(await scene.server.interactions.find(uid)).toMatchObject({
    isMetadataClient: true,
    clientName: 'A metadata client',
  })
})

test.each([404, 410])(
  'CIMD: a client whose website is down for an hour loses nobody; one that is gone (%i), does',
  async (status) => {
    const web = createWeb()
    const scene = await openAlone({ fetch: web.fetch })
    const user = await scene.addUser()
    const tokens = await letIn(scene, user, { clientId: DOCUMENT, redirectUri: 'http://127.0.0.1:4000/cb' })
    scene.clock.turn(HOUR)
    web.isDown = true
    const renewed = await refresh(scene, DOCUMENT, tokens.refreshToken)
    expect(renewed.status).toBe(200)
    web.isDown = false
    web.status = status
    scene.clock.turn(HOUR)
    const again = () => refresh(scene, DOCUMENT, String(renewed.body['refresh_token']))
    expect(await again()).toMatchObject({ body: { error: 'invalid_client' } })
    web.isDown = true
    expect(await again()).toMatchObject({ body: { error: 'invalid_client' } })
  },
)

test.each<[string, object]>([
  ['names another client', { client_id: 'https://client.test/other.json' }],
  ['has no name', { client_name: undefined }],
  ['has a secret in common with us', { client_secret: 'x' }],
  ['wants one', { token_endpoint_auth_method: 'client_secret_basic' }],
  ['sends its answers in the clear', { redirect_uris: ['http://client.test/cb'] }],
  ['has no address for them', { redirect_uris: [] }],
])('CIMD: a document that %s lets nobody in', async (_what, document) => {
  const scene = await openAlone({ fetch: createWeb(document).fetch })
  const ask = { clientId: DOCUMENT, redirectUri: 'https://client.test/cb' }
  const { status, location } = await createBrowser().open(authorizeUrl(scene, ask))
  expect([status, location]).toEqual([400, undefined])
})

test('RFC 8252 §8.6: a metadata client is asked about each time it answers on the user’s machine, and once at its website', async () => {
  const scene = await openAlone({ fetch: createWeb().fetch })
  const user = await scene.addUser()
  const browser = createBrowser({ id: user.id })
  const ask = async (redirectUri: string) =>
    (await authorize(scene, browser, user, authorizeUrl(scene, { clientId: DOCUMENT, redirectUri }))).asked
  const [local, website] = ['http://127.0.0.1:4000/cb', 'https://client.test/cb']
  expect([await ask(local), await ask(local)]).toEqual([['consent'], ['consent']])
  expect([await ask(website), await ask(website)]).toEqual([['consent'], []])
})

test('CIMD: an address that is not to be asked is not asked, nor one that the guard keeps us from', async () => {
  const web = createWeb()
  const scene = await openAlone({ fetch: web.fetch })
  for (const clientId of ['https://client.test', 'https://client.test/', 'http://client.test/m.json']) {
    expect((await createBrowser().open(authorizeUrl(scene, { clientId }))).status, `with ${clientId}`).toBe(400)
  }
  expect(web.asked).toBe(0)
  const guarded = createGuardedFetch({ allowedHosts: [] })
  await scene.restart({ fetch: guarded.fetch })
  const clientId = `https://127.0.0.1:${scene.port}/m.json`
  expect((await createBrowser().open(authorizeUrl(scene, { clientId }))).status).toBe(400)
  await guarded.close()
  await scene.restart({
    settings: { ...scene.settings, oauth: { ...scene.settings.oauth, clientIdMetadata: false } },
  })
  expect((await createBrowser().open(authorizeUrl(scene, { clientId: DOCUMENT }))).status).toBe(400)
})

test('RFC 7591 §3: registration gives real clients what they mean', async () => {
  const scene = await openAlone()
  const { status, body } = await scene.register({
    client_name: 'Cursor',
    redirect_uris: ['cursor://anysphere.cursor-retrieval/oauth/callback', 'http://localhost:3000/cb'],
    grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code', 'token'],
    scope: 'mcp files:write openid',
    contacts: ['not an address'],
    software_id: 'x',
    logo_uri: 'https://client.test/logo.svg',
  })
  expect(status).toBe(201)
  expect(body).toMatchObject({
    client_name: 'Cursor',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    scope: 'openid mcp',
  })
  for (const name of ['client_secret', 'registration_access_token', 'logo_uri', 'contacts', 'software_id']) {
    expect(body, `with ${name}`).not.toHaveProperty(name)
  }
  expect(scene.events).toMatchObject([{ kind: 'client.registered', clientName: 'Cursor' }])
  expect(scene.operations).toEqual(['register ok'])
})

test('a stranger who registers without end fills neither the audit log nor the disk', async () => {
  const scene = await openAlone()
  const kept = () => scene.events.filter(({ kind }) => kind === 'client.registered').length
  for (let count = 0; count < 3; count++) await registerClient(scene)
  expect(kept()).toBe(1)
  scene.clock.turn(1_000)
  await registerClient(scene)
  expect(kept()).toBe(2)
  const large = { redirect_uris: [REDIRECT], client_name: 'x'.repeat(16_384) }
  expect(await scene.register(large)).toMatchObject({ status: 413, body: { error: 'invalid_request' } })

  const db = scene.storage.system
  const now = scene.clock.now()
  const old = { model: 'Client', payload: '{}', created_at: now, expires_at: now + HOUR }
  for (let part = 0; part < 20; part++) {
    const flood = Array.from({ length: 500 }, (_each, index) => ({ ...old, id: `${part} ${index}` }))
    await db.insertInto('oauth_records').values(flood).execute()
  }
  const clients = db.selectFrom('oauth_records').where('model', '=', 'Client').select('payload')
  expect((await clients.execute()).length).toBe(10_004)
  await scene.server.tend()
  const left = await clients.execute()
  expect(left.length).toBeLessThanOrEqual(10_000)
  expect(left.filter(({ payload }) => payload !== '{}').length).toBe(4)
})

test.each([
  [{}],
  [{ redirect_uris: [] }],
  [{ redirect_uris: 'https://a.test' }],
  [{ redirect_uris: ['https://a.test', 7] }],
  [{ redirect_uris: ['http://a.test/cb'] }],
  [{ redirect_uris: ['https://a.test/cb#part'] }],
  [{ redirect_uris: ['javascript:alert(1)'] }],
  [{ redirect_uris: ['data:text/html,x'] }],
  [{ redirect_uris: ['https://user:pw@a.test/cb'] }],
])('registration refuses an address that cannot be sent an answer: %j', async (metadata) => {
  const scene = await openAlone()
  expect(await scene.register(metadata)).toMatchObject({ status: 400, body: { error: 'invalid_redirect_uri' } })
})

test.each([
  ['https://a.test/cb', 'https'],
  ['http://localhost/cb', 'loopback'],
  ['http://127.0.0.1:1/cb', 'loopback'],
  ['http://[::1]/cb', 'loopback'],
  ['com.example.app:/cb', 'private'],
  ['vscode://a.b/cb', 'private'],
  ['http://localhost.evil.test/cb', undefined],
  ['http://a.test/cb', undefined],
  ['view-source:https://a.test', undefined],
  ['blob:https://a.test/x', undefined],
  ['nothing', undefined],
])('an answer sent to %s goes to: %s', (uri, kind) => {
  expect(redirectKind(uri)).toBe(kind)
})

test.each([
  [{}, 'none'],
  [{ token_endpoint_auth_method: null }, 'none'],
  [{ token_endpoint_auth_method: 'client_secret_post' }, 'client_secret_post'],
  [{ token_endpoint_auth_method: 'client_secret_jwt' }, 'client_secret_basic'],
  [{ redirect_uris: ['https://a.test'] }, 'client_secret_basic'],
  [{ redirect_uris: ['https://a.test'], token_endpoint_auth_method: 'none' }, 'none'],
])('how a client proves itself, from %j: %s', (asked, method) => {
  const metadata = normaliseMetadata({ redirect_uris: ['http://localhost/cb'], ...asked })
  expect(metadata['token_endpoint_auth_method']).toBe(method)
})
