import { expect, test } from 'vitest'
import { Problem } from '../../src/base/problem.ts'
import type { ProviderConfig } from '../../src/config/config.ts'
import type { Storage } from '../../src/storage/database.ts'
import type { TenantDb } from '../../src/storage/tenant.ts'
import { createTestClock, eachDatabase } from '../stores/databases.ts'
import { codeOf } from '../stores/outcome.ts'
import { ada, answerTo, CLIENT_SECRET, connect, createScene, dump, grace, providerAt, S256, session } from './scene.ts'
import { startScripted, type Scripted } from './scripted-server.ts'

const ACCESS = 'access-token-that-nobody-sees'
const REFRESH = 'refresh-token-that-nobody-sees'

/** A provider that answers each code with tokens, and says whose they are. */
async function startProvider(): Promise<Scripted> {
  const server = await startScripted()
  server.on('/token', ({ form }) => ({
    body: { access_token: `${ACCESS}-${form['code']}`, refresh_token: REFRESH, token_type: 'bearer', expires_in: 3600 },
  }))
  server.on('/me', () => ({ body: { login: 'ada-there' } }))
  server.on('/revoke', () => ({ body: {} }))
  return server
}

const ownAt = (server: Scripted, odd?: Partial<ProviderConfig>) => ({ providers: { own: providerAt(server, odd) } })

eachDatabase((_name, openFresh) => {
  test.for<[ProviderConfig['pkce'], (verifier: string) => string | null]>([
    ['S256', S256],
    ['plain', (verifier) => verifier],
    ['none', () => null],
  ])('an account is connected, with PKCE %s', async ([pkce, challenge]) => {
    await using database = await openFresh()
    await using server = await startProvider()
    await using scene = await createScene(
      database,
      ownAt(server, { pkce, authorizationParameters: { prompt: 'consent' } }),
    )
    const url = await scene.connections.begin({ ...session, provider: 'own', next: '/account?x=1' })
    const asked = Object.fromEntries(url.searchParams)
    expect(`${url.origin}${url.pathname}`).toBe(`${server.origin}/authorize`)
    expect(asked).toMatchObject({
      response_type: 'code',
      client_id: 'client-1',
      redirect_uri: 'http://localhost:7354/callback',
      scope: 'read write',
      prompt: 'consent',
    })
    expect(asked['state']).toHaveLength(43)
    expect(await scene.connections.finish({ session, address: answerTo(url, { code: 'c' }) })).toEqual({
      provider: 'own',
      next: '/account?x=1',
    })
    const sent = server.seenAt('/token')[0]?.form ?? {}
    expect(sent).toMatchObject({ grant_type: 'authorization_code', code: 'c', redirect_uri: asked['redirect_uri'] })
    expect(asked['code_challenge'] ?? null).toBe(challenge(sent['code_verifier'] ?? ''))
    expect(sent['code_verifier']?.length ?? 64).toBe(64)
    const token = await scene.connections.require(ada, scene.link, 'server')
    expect(token.reveal()).toBe(`${ACCESS}-c`)
    expect(await scene.connections.list(ada.tenant, ada.userId)).toMatchObject([
      { provider: 'own', status: 'connected', account: 'ada-there', scopes: ['read', 'write'] },
    ])
    expect(await codeOf(Promise.resolve(scene.connections.require(grace, scene.link, 'server')))).toBe(
      'connection.required',
    )
    expect(scene.changes).toEqual(['usr_ada own'])
  })

  test('the answer is for the browser and the user it was asked in, for ten minutes, and with its own state', async () => {
    await using database = await openFresh()
    await using server = await startProvider()
    await using scene = await createScene(database, ownAt(server))
    const begin = () => scene.connections.begin({ ...session, provider: 'own', next: '/account' })
    const address = answerTo(await begin(), { code: 'c' })
    const refused = async (who: typeof session, answer: URL) =>
      codeOf(scene.connections.finish({ session: who, address: answer }))
    const said = (says: string) => new URL(says, address)
    expect(await refused({ ...session, sessionId: 'another browser' }, address)).toBe('connect.state')
    expect(await refused({ ...session, userId: grace.userId }, address)).toBe('connect.state')
    expect(await refused(session, said('?code=c'))).toBe('connect.state')
    expect(await refused(session, said(`?code=c&state=${'x'.repeat(43)}`))).toBe('connect.state')
    scene.clock.turn(600_000)
    expect(await refused(session, address)).toBe('connect.state')
    expect(server.seenAt('/token')).toEqual([])
    expect(await refused(session, answerTo(await begin(), { code: 'c' }))).toBe('none')
  })

  test('the same answer again ends as the first did, at once or later, and the code is sent once', async () => {
    await using database = await openFresh()
    await using server = await startProvider()
    await using scene = await createScene(database, ownAt(server))
    const url = await scene.connections.begin({ ...session, provider: 'own', next: '/account' })
    const arrive = (code: string) => scene.connections.finish({ session, address: answerTo(url, { code }) })
    const [first, twin] = await Promise.all([arrive('c'), arrive('c')])
    expect(twin).toEqual(first)
    expect(await arrive('another')).toEqual(first)
    expect(server.seenAt('/token')).toHaveLength(1)
  })

  test('an answer that failed cannot be tried again with another code', async () => {
    await using database = await openFresh()
    await using server = await startProvider()
    await using scene = await createScene(database, ownAt(server))
    const url = await scene.connections.begin({ ...session, provider: 'own', next: '/account' })
    const arrive = (says: Record<string, string>) =>
      codeOf(scene.connections.finish({ session, address: answerTo(url, says) }))
    expect(await arrive({ error: 'access_denied' })).toBe('connect.refused')
    expect(await arrive({ code: 'c' })).toBe('connect.state')
    expect(server.seenAt('/token')).toEqual([])
  })

  test('what the provider says is told in words of our own', async () => {
    await using database = await openFresh()
    await using server = await startProvider()
    await using scene = await createScene(database, ownAt(server))
    const shown = async (says: Record<string, string>) => {
      const url = await scene.connections.begin({ ...session, provider: 'own', next: '/account' })
      const failure: unknown = await scene.connections
        .finish({ session, address: answerTo(url, says) })
        .catch((e: unknown) => e)
      return failure instanceof Problem ? `${failure.code}: ${failure.message}` : failure
    }
    expect(await shown({ error: 'access_denied', error_description: '<b>x</b>' })).toBe(
      'connect.refused: Own did not connect your account: access was declined.',
    )
    expect(await shown({ error: '<script>' })).toBe(
      'connect.refused: Own did not connect your account: it did not say why.',
    )
    expect(await shown({ error: 'unauthorized_client' })).toContain('provider.misconfigured')
    expect(await shown({})).toContain('connect.refused')
    for (const [body, status, code] of [
      [{ error: 'invalid_grant' }, 400, 'connect.refused'],
      [{ error: 'invalid_client' }, 401, 'provider.misconfigured'],
      ['<html>', 200, 'provider.bad_answer'],
      ['<html>', 502, 'provider.unreachable'],
    ] as const) {
      server.on('/token', () => ({ status, body }))
      expect(await shown({ code: 'c' })).toContain(`${code}: `)
    }
    expect(await scene.connections.list(ada.tenant, ada.userId)).toEqual([])
  })

  test('an answer that names another issuer is refused before its code is sent anywhere', async () => {
    await using database = await openFresh()
    await using server = await startProvider()
    await using scene = await createScene(database, ownAt(server, { issuer: 'https://own.example' }))
    const arrive = async (says: Record<string, string>) => {
      const url = await scene.connections.begin({ ...session, provider: 'own', next: '/account' })
      return codeOf(scene.connections.finish({ session, address: answerTo(url, { code: 'c', ...says }) }))
    }
    expect(await arrive({ iss: 'https://other.example' })).toBe('connect.state')
    expect(await arrive({ iss: 'https://own.example/' })).toBe('connect.state')
    expect(server.seenAt('/token')).toEqual([])
    expect(await arrive({ iss: 'https://own.example' })).toBe('none')
  })

  test('a connection that was begun is not finished with a provider that was set up otherwise meanwhile', async () => {
    await using database = await openFresh()
    await using server = await startProvider()
    await using elsewhere = await startProvider()
    await using before = await createScene(database, ownAt(server))
    await using after = await createScene(database, ownAt(elsewhere))
    const url = await before.connections.begin({ ...session, provider: 'own', next: '/account' })
    expect(await codeOf(after.connections.finish({ session, address: answerTo(url, { code: 'c' }) }))).toBe(
      'connect.state',
    )
    expect(elsewhere.seen).toEqual([])
  })

  test('where the provider does not say whose account it is, it is connected all the same', async () => {
    await using database = await openFresh()
    await using server = await startProvider()
    await using scene = await createScene(database, ownAt(server))
    server.on('/me', () => ({ status: 500, body: '<html>' }))
    await connect(scene)
    expect(await scene.connections.list(ada.tenant, ada.userId)).toMatchObject([{ account: undefined }])
  })

  test('whatever step fails, there is the old connection or the new one, and it works', async () => {
    await using database = await openFresh()
    await using server = await startProvider()
    const given = ownAt(server)
    const clock = createTestClock()
    await using good = await createScene(database, { ...given, clock })
    await connect(good, 'own', 'old')
    const seen: string[] = []
    for (let step = 0; !seen.includes('none'); step++) {
      const url = await good.connections.begin({ ...session, provider: 'own', next: '/account' })
      await using bad = await createScene(database, { ...given, clock, storage: (storage) => failingAt(storage, step) })
      const outcome = await codeOf(bad.connections.finish({ session, address: answerTo(url, { code: 'new' }) }))
      await using fresh = await createScene(database, { ...given, clock })
      const token = (await fresh.connections.require(ada, fresh.link, 'server')).reveal()
      expect(token).toBe(outcome === 'none' ? `${ACCESS}-new` : `${ACCESS}-old`)
      seen.push(outcome === 'none' ? 'none' : 'failed')
    }
    expect(seen.length).toBeGreaterThan(4)
  })

  test('nothing that is secret stands in a table, an audit entry or an error', async () => {
    await using database = await openFresh()
    await using server = await startProvider()
    await using scene = await createScene(database, ownAt(server))
    const url = await scene.connections.begin({ ...session, provider: 'own', next: '/account' })
    const state = url.searchParams.get('state') ?? ''
    await scene.connections.finish({ session, address: answerTo(url, { code: 'code-that-nobody-sees' }) })
    server.on('/token', () => ({ status: 400, body: { error: REFRESH } }))
    scene.clock.turn(3_600_000)
    const failure: unknown = await Promise.resolve(scene.connections.require(ada, scene.link, 's')).catch(
      (e: unknown) => e,
    )
    await scene.auditKinds()
    const verifier = server.seenAt('/token')[0]?.form['code_verifier'] ?? 'none'
    const told = `${await dump(database)} ${JSON.stringify(failure)} ${String(failure)}`
    const secrets = [ACCESS, REFRESH, CLIENT_SECRET, 'code-that-nobody-sees', state, verifier]
    expect(secrets.filter((value) => told.includes(value))).toEqual([])
  })

  test('to disconnect forgets here and revokes there; where nobody can be told, it is forgotten all the same', async () => {
    await using database = await openFresh()
    await using server = await startProvider()
    await using scene = await createScene(database, ownAt(server))
    await connect(scene)
    expect(await scene.connections.disconnect(ada, 'own')).toEqual({ revoked: true })
    expect(server.seenAt('/revoke').map(({ form }) => [form['token'], form['token_type_hint']])).toEqual([
      [REFRESH, 'refresh_token'],
      [`${ACCESS}-code-1`, 'access_token'],
    ])
    expect(await codeOf(Promise.resolve(scene.connections.require(ada, scene.link, 's')))).toBe('connection.required')
    expect(await codeOf(scene.connections.disconnect(ada, 'own'))).toBe('connection.unknown')
    await connect(scene)
    server.on('/revoke', () => ({ status: 503, body: '<html>' }))
    expect(await scene.connections.disconnect(ada, 'own')).toEqual({ revoked: false })
    expect(await scene.connections.list(ada.tenant, ada.userId)).toEqual([])
    expect((await scene.auditKinds()).map(({ kind, revoked }) => [kind, revoked])).toEqual([
      ['connection.made', undefined],
      ['connection.removed', true],
      ['connection.made', undefined],
      ['connection.removed', false],
    ])
  })

  test('a provider that cannot be told to revoke has not failed to', async () => {
    await using database = await openFresh()
    await using server = await startProvider()
    await using scene = await createScene(database, ownAt(server, { revocation: undefined }))
    await connect(scene)
    expect(await scene.connections.disconnect(ada, 'own')).toEqual({ revoked: false })
    expect(scene.operations).toEqual(['connect ok', 'revoke unsupported'])
  })

  test('it is kept who disconnected an account, and how', async () => {
    await using database = await openFresh()
    await using server = await startProvider()
    await using scene = await createScene(database, ownAt(server))
    for (const by of [undefined, { userId: grace.userId, key: 'key_grace', requestId: 'req_1' }]) {
      await connect(scene)
      await scene.connections.disconnect(ada, 'own', by)
    }
    const removed = (await scene.auditKinds()).filter(({ kind }) => kind === 'connection.removed')
    expect(removed).toMatchObject([
      { user: ada.userId, owner: ada.userId },
      { user: grace.userId, owner: ada.userId, key: 'key_grace', request: 'req_1' },
    ])
  })

  test('a grant is deleted as GitHub has it', async () => {
    await using database = await openFresh()
    await using server = await startProvider()
    const revocation = { style: 'delete-grant', url: `${server.origin}/applications/{clientId}/grant` } as const
    await using scene = await createScene(database, ownAt(server, { revocation }))
    server.on('/applications/client-1/grant', () => ({ status: 204 }))
    await connect(scene)
    expect(await scene.connections.disconnect(ada, 'own')).toEqual({ revoked: true })
    const [sent] = server.seenAt('/applications/client-1/grant')
    expect(sent).toMatchObject({ method: 'DELETE', body: JSON.stringify({ access_token: `${ACCESS}-code-1` }) })
    expect(sent?.headers['authorization']).toBe(`Basic ${Buffer.from(`client-1:${CLIENT_SECRET}`).toString('base64')}`)
  })

  test('a link to the connect page is for one user and server, for a day, and says nothing of either user', async () => {
    await using database = await openFresh()
    await using server = await startProvider()
    await using scene = await createScene(database, ownAt(server))
    const { linkFor, checkLink } = scene.connections
    const url = new URL(linkFor(ada, 'mal'))
    const ticket = url.searchParams.get('t') ?? ''
    expect(`${url.origin}${url.pathname}`).toBe('http://localhost:7354/connect/mal')
    expect(url.href).not.toContain('ada')
    const link = { ticket, holder: ada, server: 'mal', scopes: [] }
    const check = () => [
      checkLink(link),
      checkLink({ ...link, holder: grace }),
      checkLink({ ...link, server: 'github' }),
      checkLink({ ...link, scopes: ['admin'] }),
    ]
    expect(check()).toEqual(['ok', 'other', 'other', 'other'])
    expect(checkLink({ ...link, ticket: `9${ticket}` })).toBe('other')
    expect(checkLink({ ...link, ticket: '' })).toBe('other')
    scene.clock.turn(86_400_000)
    expect(check()).toEqual(['expired', 'other', 'other', 'other'])
  })

  test('a provider without a client id is said to be not set up', async () => {
    await using database = await openFresh()
    await using server = await startProvider()
    await using scene = await createScene(database, ownAt(server, { clientId: undefined }))
    expect(await codeOf(scene.connections.begin({ ...session, provider: 'own', next: '/account' }))).toBe(
      'provider.not_set_up',
    )
    expect(await codeOf(scene.connections.begin({ ...session, provider: 'no', next: '/account' }))).toBe(
      'connection.unknown',
    )
  })

  test('a connection can be tried: it says whose account it is, and renews a token that is refused', async () => {
    await using database = await openFresh()
    await using server = await startProvider()
    await using scene = await createScene(database, ownAt(server))
    await connect(scene)
    expect(await scene.connections.test(ada, scene.link, 'server')).toEqual({ account: 'ada-there' })
    scene.clock.turn(120_000)
    server.on('/me', ({ headers }) =>
      headers['authorization'] === `Bearer ${ACCESS}-code-1` ? { status: 401 } : { body: { login: 'ada-now' } },
    )
    expect(await scene.connections.test(ada, scene.link, 'server')).toEqual({ account: 'ada-now' })
    const url: unknown = expect.stringContaining('/connect/server?t=')
    const missing = { code: 'connection.required', details: { server: 'server', provider: 'Own', url } }
    await expect(scene.connections.test(grace, scene.link, 'server')).rejects.toMatchObject(missing)
  })
})

/** A database whose every query from the given one on fails, as if the process had ended there. */
function failingAt(storage: Storage, step: number): Storage {
  let asked = 0
  const next = () => {
    if (asked++ >= step) throw new Error('the database is gone')
  }
  return { ...storage, for: (tenant) => failing(storage.for(tenant), next) }
}

function failing(db: TenantDb, next: () => void): TenantDb {
  const wrap = <F extends (...given: never[]) => unknown>(method: F): F =>
    ((...given: never[]) => {
      next()
      return method(...given)
    }) as F
  return {
    ...db,
    selectFrom: wrap(db.selectFrom),
    insertInto: wrap(db.insertInto),
    updateTable: wrap(db.updateTable),
    deleteFrom: wrap(db.deleteFrom),
    transaction: (work) =>
      db.transaction(async (inner) => {
        const done = await work(failing(inner, next))
        next()
        return done
      }),
  }
}
