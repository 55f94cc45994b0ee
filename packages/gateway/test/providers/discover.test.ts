import { describe, expect, test } from 'vitest'
import { secret } from '../../src/base/secret.ts'
import { createGuardedFetch } from '../../src/http/guarded-fetch.ts'
import { discover } from '../../src/providers/discover.ts'
import { linkOf } from '../../src/providers/link.ts'
import { CLIENT_METADATA_PATH, clientMetadata } from '../../src/providers/registration.ts'
import { createTestClock, eachDatabase, type FreshDatabase } from '../stores/databases.ts'
import { codeOf } from '../stores/outcome.ts'
import { ada, answerTo, createScene, dump, providerAt, serverAt, session, type Given } from './scene.ts'
import { startScripted, type Scripted } from './scripted-server.ts'

const PRM = '/.well-known/oauth-protected-resource'
const RFC8414 = '/.well-known/oauth-authorization-server'
const OIDC = '/.well-known/openid-configuration'

const metadata = (issuer: string, more: object = {}) => ({
  issuer,
  authorization_endpoint: `${new URL(issuer).origin}/authorize`,
  token_endpoint: `${new URL(issuer).origin}/token`,
  code_challenge_methods_supported: ['S256'],
  ...more,
})

/** An MCP server with a challenge, and an authorization server of its own that registers whoever asks. */
async function startServer(more: (origin: string) => object = () => ({})): Promise<Scripted> {
  const server = await startScripted()
  const { origin } = server
  const challenge = `Bearer error="invalid_token", resource_metadata="${origin}/prm", scope="notes:read notes:write"`
  server.on('/mcp', () => ({ status: 401, headers: { 'www-authenticate': challenge } }))
  server.on('/prm', () => ({ body: { resource: `${origin}/mcp`, authorization_servers: [origin] } }))
  server.on(RFC8414, () => ({
    body: metadata(origin, {
      registration_endpoint: `${origin}/register`,
      revocation_endpoint: `${origin}/revoke`,
      ...more(origin),
    }),
  }))
  let registered = 0
  server.on('/register', () => ({
    status: 201,
    body: { client_id: `dcr-${++registered}`, client_secret: 'dcr-secret-nobody-sees', client_secret_expires_at: 0 },
  }))
  server.on('/token', ({ form }) => ({
    body: { access_token: `a-${form['code'] ?? 'renewed'}`, refresh_token: 'r', expires_in: 3600 },
  }))
  server.on('/revoke', () => ({ body: {} }))
  return server
}

async function find(server: Scripted, allowedHosts: readonly string[] = [server.host]) {
  const guarded = createGuardedFetch({ allowedHosts })
  try {
    return await discover(guarded.fetch, { name: 'notes', url: `${server.origin}/mcp` })
  } finally {
    await guarded.close()
  }
}

describe('the authorization server of a server is found', () => {
  test('by its challenge first', async () => {
    await using server = await startServer()
    const { metadata: found, resource, scopes } = await find(server)
    expect([found.issuer, resource, scopes]).toEqual([
      server.origin,
      `${server.origin}/mcp`,
      ['notes:read', 'notes:write'],
    ])
    expect(server.seen.map(({ path }) => path)).toEqual(['/mcp', '/prm', RFC8414])
    expect(server.seen[0]?.headers['authorization']).toBeUndefined()
  })

  test('then by the well-known address of its path, then of its origin', async () => {
    await using server = await startServer()
    server.on('/mcp', () => ({ status: 401 }))
    server.on(PRM, () => ({
      body: { resource: server.origin, authorization_servers: [server.origin], scopes_supported: ['all'] },
    }))
    expect(await find(server)).toMatchObject({ resource: server.origin, scopes: ['all'] })
    expect(server.seen.map(({ path }) => path)).toEqual(['/mcp', `${PRM}/mcp`, PRM, RFC8414])
    server.on(`${PRM}/mcp`, () => ({
      body: { resource: `${server.origin}/mcp`, authorization_servers: [server.origin] },
    }))
    expect(await find(server)).toMatchObject({ resource: `${server.origin}/mcp`, scopes: undefined })
  })

  test('an issuer with a path is asked for its metadata in three ways', async () => {
    await using server = await startServer()
    const issuer = `${server.origin}/tenant`
    server.on('/prm', () => ({ body: { resource: `${server.origin}/mcp`, authorization_servers: [issuer] } }))
    server.on(`/tenant${OIDC}`, () => ({ body: metadata(issuer) }))
    expect((await find(server)).metadata.issuer).toBe(issuer)
    const asked = server.seen.slice(2).map(({ path }) => path)
    expect(asked).toEqual([`${RFC8414}/tenant`, `${OIDC}/tenant`, `/tenant${OIDC}`])
  })

  test('a server without metadata of its own is its own authorization server, as in 2025-03-26', async () => {
    await using server = await startServer()
    server.on('/mcp', () => ({ status: 401 }))
    expect(await find(server)).toMatchObject({ metadata: { issuer: server.origin }, resource: `${server.origin}/mcp` })
  })
})

describe('what does not fit together is refused', () => {
  test.for<[string, (server: Scripted) => void, string]>([
    [
      'metadata of another resource',
      (server) =>
        server.on('/prm', () => ({
          body: { resource: 'https://other.example/mcp', authorization_servers: [server.origin] },
        })),
      'provider.bad_answer',
    ],
    [
      'metadata of another path',
      (server) =>
        server.on('/prm', () => ({
          body: { resource: `${server.origin}/mc`, authorization_servers: [server.origin] },
        })),
      'provider.bad_answer',
    ],
    [
      'another issuer',
      (server) => server.on(RFC8414, () => ({ body: metadata(`${server.origin}/`) })),
      'provider.bad_answer',
    ],
    [
      'no PKCE with S256',
      (server) =>
        server.on(RFC8414, () => ({ body: metadata(server.origin, { code_challenge_methods_supported: ['plain'] }) })),
      'provider.bad_answer',
    ],
    [
      'no word of PKCE',
      (server) =>
        server.on(RFC8414, () => ({ body: metadata(server.origin, { code_challenge_methods_supported: undefined }) })),
      'provider.bad_answer',
    ],
    [
      'an authorization endpoint that is no web address',
      (server) =>
        server.on(RFC8414, () => ({
          body: metadata(server.origin, { authorization_endpoint: 'javascript:alert(1)' }),
        })),
      'provider.bad_answer',
    ],
    [
      'metadata that is broken',
      (server) => server.on('/prm', () => ({ body: { resource: 1 } })),
      'provider.bad_answer',
    ],
    [
      'an authorization server in the private network',
      (server) =>
        server.on('/prm', () => ({
          body: { resource: `${server.origin}/mcp`, authorization_servers: ['https://10.0.0.1'] },
        })),
      'outbound.refused',
    ],
    [
      'a challenge that names the cloud’s metadata service',
      (server) =>
        server.on('/mcp', () => ({
          status: 401,
          headers: { 'www-authenticate': 'Bearer resource_metadata="http://169.254.169.254/latest"' },
        })),
      'outbound.refused',
    ],
  ])('%s', async ([, change, code]) => {
    await using server = await startServer()
    change(server)
    expect(await codeOf(find(server))).toBe(code)
  })

  test('a redirect into the private network is not followed', async () => {
    await using server = await startServer()
    await using secretPlace = await startScripted()
    server.on(RFC8414, () => ({ status: 302, headers: { location: `${secretPlace.origin}${RFC8414}` } }))
    expect(await codeOf(find(server))).toBe('provider.bad_answer')
    expect(secretPlace.seen).toEqual([])
  })

  test('a server that is not there', async () => {
    const server = await startServer()
    await server[Symbol.asyncDispose]()
    expect(await codeOf(find(server))).toBe('provider.unreachable')
  })
})

async function openNotes(database: FreshDatabase, server: Scripted, given: Given = {}) {
  const servers = given.servers ?? [serverAt(server)]
  const scene = await createScene(database, { ...given, servers })
  const link = servers[0] && linkOf(servers[0], {})
  if (!link) throw new Error('the server asks for no account')
  return {
    scene,
    begin: () => scene.connections.begin({ ...session, provider: 'mcp:notes', next: '/account' }),
    answer: (url: URL, says: Record<string, string>) =>
      scene.connections.finish({ session, address: answerTo(url, says) }),
    use: async () => (await scene.connections.require(ada, link, 'notes')).reveal(),
  }
}

eachDatabase((_name, openFresh) => {
  test('the gate registers itself once, and the tokens are asked for that server on both legs', async () => {
    await using database = await openFresh()
    await using server = await startServer()
    const { scene, begin, answer, use } = await openNotes(database, server)
    await using _ = scene
    const url = await begin()
    await begin()
    expect(server.seenAt('/register')).toHaveLength(1)
    expect(JSON.parse(server.seenAt('/register')[0]?.body ?? '')).toMatchObject({
      application_type: 'native',
      redirect_uris: ['http://localhost:7354/callback/server'],
      token_endpoint_auth_method: 'client_secret_basic',
    })
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      client_id: 'dcr-1',
      resource: `${server.origin}/mcp`,
      scope: 'notes:read notes:write',
      code_challenge_method: 'S256',
    })
    await answer(url, { code: 'c' })
    expect(server.seenAt('/token')[0]?.form).toMatchObject({ resource: `${server.origin}/mcp`, code: 'c' })
    expect(server.seenAt('/token')[0]?.headers['authorization']).toMatch(/^Basic /)
    expect(await use()).toBe('a-c')
    scene.clock.turn(3_600_000)
    expect(await use()).toBe('a-renewed')
    expect(await scene.connections.list(ada.tenant, ada.userId)).toMatchObject([
      { provider: 'mcp:notes', issuer: server.origin },
    ])
    expect(await dump(database)).not.toContain('dcr-secret-nobody-sees')
    expect(await scene.connections.disconnect(ada, 'mcp:notes')).toEqual({ revoked: true })
  })

  test('a registration is made anew where it has ended, or the gate has moved', async () => {
    await using database = await openFresh()
    await using server = await startServer()
    const clock = createTestClock()
    server.on('/register', () => ({
      status: 201,
      body: { client_id: 'short', client_secret: 's', client_secret_expires_at: clock.now() / 1000 + 60 },
    }))
    const { scene, begin } = await openNotes(database, server, { clock })
    await using _ = scene
    await begin()
    clock.turn(60_000)
    await begin()
    expect(server.seenAt('/register')).toHaveLength(2)
    const moved = await openNotes(database, server, { clock, publicUrl: 'http://localhost:9999' })
    await using _moved = moved.scene
    await moved.begin()
    expect(server.seenAt('/register')).toHaveLength(3)
  })

  test('a registration that is not known there any more is given up, and the next attempt makes another', async () => {
    await using database = await openFresh()
    await using server = await startServer()
    const { scene, begin, answer } = await openNotes(database, server)
    await using _ = scene
    const right = server.handlerOf('/token')
    server.on('/token', () => ({ status: 401, body: { error: 'invalid_client' } }))
    expect(await codeOf(answer(await begin(), { code: 'c' }))).toBe('provider.misconfigured')
    if (right) server.on('/token', right)
    const url = await begin()
    expect(url.searchParams.get('client_id')).toBe('dcr-2')
    expect(await codeOf(answer(url, { code: 'c' }))).toBe('none')
  })

  test('where the registration is gone when a token is renewed, the account is connected again with another', async () => {
    await using database = await openFresh()
    await using server = await startServer()
    const { scene, begin, answer, use } = await openNotes(database, server)
    await using _ = scene
    await answer(await begin(), { code: 'c' })
    server.on('/token', () => ({ status: 401, body: { error: 'invalid_client' } }))
    scene.clock.turn(3_600_000)
    expect(await codeOf(use())).toBe('connection.rejected')
    expect((await begin()).searchParams.get('client_id')).toBe('dcr-2')
  })

  test('what the operator registered comes first, then the metadata document, and without any the operator is asked', async () => {
    await using database = await openFresh()
    await using server = await startServer(() => ({ client_id_metadata_document_supported: true }))
    const clientIn = async (given: Given) => {
      const { scene, begin } = await openNotes(database, server, given)
      await using _ = scene
      return (await begin()).searchParams.get('client_id')
    }
    const known = serverAt(server, { clientId: 'known', clientSecret: secret('s') })
    expect(await clientIn({ servers: [known] })).toBe('known')
    expect(await clientIn({ publicUrl: 'https://gate.example.com' })).toBe('https://gate.example.com/oauth-client.json')
    expect(await clientIn({})).toBe('dcr-1')
    server.on(RFC8414, () => ({ body: metadata(server.origin) }))
    await database.storage.system.deleteFrom('upstream_clients').execute()
    expect(await codeOf(clientIn({}))).toBe('provider.not_set_up')
  })

  test('an answer without the iss that was promised, or with another, is refused and its code sent nowhere', async () => {
    await using database = await openFresh()
    await using server = await startServer(() => ({ authorization_response_iss_parameter_supported: true }))
    const { scene, begin, answer } = await openNotes(database, server)
    await using _ = scene
    expect(await codeOf(answer(await begin(), { code: 'c' }))).toBe('connect.state')
    expect(await codeOf(answer(await begin(), { code: 'c', iss: 'https://other.example' }))).toBe('connect.state')
    expect(await codeOf(answer(await begin(), { error: 'access_denied', iss: 'https://other.example' }))).toBe(
      'connect.state',
    )
    expect(server.seenAt('/token')).toEqual([])
    expect(await codeOf(answer(await begin(), { code: 'c', iss: server.origin }))).toBe('none')
  })

  test('a code of another authorization server goes to neither', async () => {
    await using database = await openFresh()
    await using server = await startServer()
    await using honest = await startServer()
    const { scene, begin, answer } = await openNotes(database, server)
    await using _ = scene
    expect(await codeOf(answer(await begin(), { code: 'code-of-honest', iss: honest.origin }))).toBe('connect.state')
    expect([...server.seenAt('/token'), ...honest.seen]).toEqual([])
  })

  test('a code that an honest provider without iss was made to give for a server goes to neither', async () => {
    await using database = await openFresh()
    await using server = await startServer()
    await using honest = await startServer()
    const { scene, begin } = await openNotes(database, server, { providers: { own: providerAt(honest) } })
    await using _ = scene
    const state = (await begin()).searchParams.get('state') ?? ''
    const address = new URL(`http://localhost:7354/callback?state=${state}&code=code-of-honest`)
    expect(await codeOf(scene.connections.finish({ session, address }))).toBe('connect.state')
    expect([...server.seenAt('/token'), ...honest.seen]).toEqual([])
  })

  test('the tokens of a server go to no other, though it is configured under the same name', async () => {
    await using database = await openFresh()
    await using server = await startServer()
    await using moved = await startServer()
    const clock = createTestClock()
    const before = await openNotes(database, server, { clock })
    await using _before = before.scene
    await before.answer(await before.begin(), { code: 'c' })
    const after = await openNotes(database, moved, { clock })
    await using _after = after.scene
    expect(await codeOf(after.use())).toBe('connection.required')
    expect(moved.seen).toEqual([])
  })
})

test('the metadata document names itself', () => {
  const document = clientMetadata('https://gate.example.com')
  expect(document.client_id).toBe(`https://gate.example.com${CLIENT_METADATA_PATH}`)
  expect(document).toMatchObject({
    application_type: 'web',
    redirect_uris: ['https://gate.example.com/callback/server'],
  })
})
