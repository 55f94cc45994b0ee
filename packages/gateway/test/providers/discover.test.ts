import { describe, expect, test } from 'vitest'
import type { UpstreamId } from '../../src/base/ids.ts'
import { createGuardedFetch } from '../../src/http/guarded-fetch.ts'
import { discover } from '../../src/providers/discover.ts'
import { createTestClock, eachDatabase } from '../stores/databases.ts'
import { codeOf } from '../stores/outcome.ts'
import { metadata, OIDC, openNotes, PRM, RFC8414, startServer } from './notes.ts'
import { ada, dump, providerAt, serverAt, session } from './scene.ts'
import { startScripted, type Scripted } from './scripted-server.ts'

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

  test('and where it has no metadata at all, it is at the places that 2025-03-26 agreed upon', async () => {
    await using server = await startScripted()
    server.on('/mcp', () => ({ status: 401 }))
    const { origin } = server
    expect((await find(server)).metadata).toEqual({
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      registration_endpoint: `${origin}/register`,
    })
    server.on('/mcp', () => ({ body: {} }))
    expect(await codeOf(find(server))).toBe('provider.bad_answer')
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

  test('a server without any metadata is connected, and its tokens are renewed, at the places agreed upon', async () => {
    await using database = await openFresh()
    await using server = await startServer()
    server.on('/mcp', () => ({ status: 401 }))
    server.on('/prm', () => ({ status: 404 }))
    server.on(RFC8414, () => ({ status: 404 }))
    const { scene, begin, answer, use } = await openNotes(database, server)
    await using _ = scene
    const url = await begin()
    expect(`${url.origin}${url.pathname}`).toBe(`${server.origin}/authorize`)
    await answer(url, { code: 'c' })
    scene.clock.turn(3_600_000)
    expect(await use()).toBe('a-renewed')
  })

  test('a server does not send the gate to the place of another server, or of a provider, that the operator named', async () => {
    await using database = await openFresh()
    await using server = await startServer()
    await using other = await startServer()
    const servers = [serverAt(server), { ...serverAt(other), id: 'other' as UpstreamId }]
    const given = { servers, providers: { own: providerAt(other) } }
    const code = async (allowedHosts: readonly string[] = []) => {
      const { scene, begin, answer } = await openNotes(database, server, { ...given, allowedHosts })
      await using _ = scene
      return await codeOf(begin().then((url) => answer(url, { code: 'c' })))
    }
    const named = (origin: string, more: object = {}) => {
      server.on('/prm', () => ({ body: { resource: `${server.origin}/mcp`, authorization_servers: [origin] } }))
      server.on(RFC8414, () => ({ body: metadata(server.origin, { registration_endpoint: '', ...more }) }))
    }
    named(other.origin)
    expect(await code()).toBe('outbound.refused')
    named(server.origin, { registration_endpoint: `${other.origin}/register` })
    expect(await code()).toBe('outbound.refused')
    named(server.origin, {
      registration_endpoint: `${server.origin}/register`,
      token_endpoint: `${other.origin}/token`,
    })
    expect(await code()).toBe('outbound.refused')
    expect(other.seen).toEqual([])
    named(other.origin)
    expect(await code([other.host])).toBe('none')
    expect(other.seenAt('/token')).toHaveLength(1)
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
