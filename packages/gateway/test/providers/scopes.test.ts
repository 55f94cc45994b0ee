import { describe, expect, test } from 'vitest'
import { secret } from '../../src/base/secret.ts'
import { readChallenge, scopesWanted } from '../../src/providers/challenge.ts'
import { linkOf } from '../../src/providers/link.ts'
import { eachDatabase } from '../stores/databases.ts'
import { codeOf } from '../stores/outcome.ts'
import { openNotes, startServer } from './notes.ts'
import { ada, answerTo, serverAt, session } from './scene.ts'

describe('a challenge', () => {
  test('says which scopes are wanted, and nothing where it is no challenge of a bearer token', () => {
    const header = 'Basic realm="x", Bearer error="insufficient_scope", scope="a b", resource_metadata="https://a.test"'
    expect(readChallenge(header)).toEqual({
      error: 'insufficient_scope',
      scopes: ['a', 'b'],
      resourceMetadata: 'https://a.test',
    })
    expect(readChallenge('Basic realm="x", scope="a"').scopes).toBeUndefined()
    expect(readChallenge(null).scopes).toBeUndefined()
  })

  test('asks for more only with 403 and the word for it', () => {
    const header = 'Bearer error="insufficient_scope", scope="a"'
    expect(scopesWanted(403, header)).toEqual(['a'])
    expect(scopesWanted(401, header)).toBeUndefined()
    expect(scopesWanted(403, 'Bearer error="invalid_token", scope="a"')).toBeUndefined()
    expect(scopesWanted(403, 'Bearer error="insufficient_scope"')).toBeUndefined()
  })

  test('brings no more of a stranger’s words than scopes are made of', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => `s${index}`).join(' ')
    expect(readChallenge(`Bearer scope="${many}"`).scopes).toHaveLength(50)
    expect(readChallenge(`Bearer scope="ok ${'x'.repeat(300)} \\ <é>"`).scopes).toEqual(['ok'])
  })
})

eachDatabase((_name, openFresh) => {
  test('a server that wants more is given it by its user, who is asked for all of it, and once', async () => {
    await using database = await openFresh()
    await using server = await startServer()
    const { scene, begin, answer, use } = await openNotes(database, server)
    await using _ = scene
    await answer(await begin(), { code: 'first' })
    const wanted = { holder: ada, link: requireLink(server), server: 'notes' }
    const refused = secret(await use())

    // 1. The call is refused with a link that says what for.
    const failure = await scene.connections.widen(wanted, refused, ['notes:admin']).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'connection.scope_required', details: { scopes: 'notes:admin' } })
    const url = new URL(String(Reflect.get(Object(Reflect.get(Object(failure), 'details')), 'url')))
    expect(url.searchParams.get('scope')).toBe('notes:admin')
    const link = { ticket: url.searchParams.get('t') ?? '', holder: ada, server: 'notes' }
    expect(scene.connections.checkLink({ ...link, scopes: ['notes:admin'] })).toBe('ok')
    expect(scene.connections.checkLink({ ...link, scopes: ['notes:admin', 'everything'] })).toBe('other')

    // 2. What was granted before is asked for again: the new token takes the place of the old one.
    const more = await scene.connections.begin({
      ...session,
      provider: 'mcp:notes',
      next: '/account',
      scopes: ['notes:admin'],
    })
    expect(more.searchParams.get('scope')).toBe('notes:read notes:write notes:admin')
    await scene.connections.finish({ session, address: answerTo(more, { code: 'second' }) })

    // 3. Who was refused meanwhile goes on with the new token; who is refused with it need not ask the user again.
    expect((await scene.connections.widen(wanted, refused, ['notes:admin'])).reveal()).toBe('a-second')
    expect(await codeOf(scene.connections.widen(wanted, secret('a-second'), ['notes:admin']))).toBe(
      'connection.scope_refused',
    )
  })

  test('what an authorization server granted counts, not what was asked for', async () => {
    await using database = await openFresh()
    await using server = await startServer()
    server.on('/token', () => ({ body: { access_token: 'a', scope: 'notes:read' } }))
    const { scene, begin, answer } = await openNotes(database, server)
    await using _ = scene
    await answer(await begin(), { code: 'c' })
    const wanted = { holder: ada, link: requireLink(server), server: 'notes' }
    expect(await codeOf(scene.connections.widen(wanted, secret('a'), ['notes:write']))).toBe(
      'connection.scope_required',
    )
  })

  test('to be let in again without the user is asked for where the authorization server knows how', async () => {
    await using database = await openFresh()
    await using server = await startServer(() => ({ scopes_supported: ['notes:read', 'offline_access'] }))
    const scopesOf = async (servers = [serverAt(server)]) => {
      const { scene, begin } = await openNotes(database, server, { servers })
      await using _ = scene
      return (await begin()).searchParams.get('scope')
    }
    expect(await scopesOf()).toBe('notes:read notes:write offline_access')
    expect(await scopesOf([serverAt(server, { scopes: ['notes:read'] })])).toBe('notes:read')
    server.on('/mcp', () => ({
      status: 401,
      headers: { 'www-authenticate': `Bearer resource_metadata="${server.origin}/prm"` },
    }))
    expect(await scopesOf()).toBeNull()
  })
})

function requireLink(server: Parameters<typeof serverAt>[0]) {
  const link = linkOf(serverAt(server), {})
  if (link === undefined) throw new Error('the server asks for no account')
  return link
}
