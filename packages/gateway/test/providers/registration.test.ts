import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { secret } from '../../src/base/secret.ts'
import { CLIENT_METADATA_PATH, clientMetadata } from '../../src/providers/registration.ts'
import { createTestClock, eachDatabase } from '../stores/databases.ts'
import { codeOf } from '../stores/outcome.ts'
import { metadata, openNotes, RFC8414, startServer } from './notes.ts'
import { answerTo, grace, serverAt, session, type Given } from './scene.ts'

eachDatabase((_name, openFresh) => {
  test('two users who connect to it first, at once, are registered for once, and both arrive', async () => {
    await using database = await openFresh()
    await using server = await startServer()
    const register = server.handlerOf('/register')
    server.on('/register', async (asked) => {
      await pause(100)
      return register?.(asked) ?? {}
    })
    const { scene } = await openNotes(database, server)
    await using _ = scene
    const { begin, finish } = scene.connections
    const both = [session, { ...grace, sessionId: 'browser-of-grace' }]
    const urls = await Promise.all(both.map((who) => begin({ ...who, provider: 'mcp:notes', next: '/account' })))
    expect(server.seenAt('/register')).toHaveLength(1)
    for (const [index, url] of urls.entries()) {
      const address = answerTo(url, { code: `c${index}` })
      expect(await finish({ session: both[index] ?? session, address })).toMatchObject({ provider: 'mcp:notes' })
    }
  })

  test.for(['is none', 'is one that has ended'])(
    'of two processes that register at once where there %s, the later takes what the first one kept',
    async (there) => {
      await using database = await openFresh()
      await using server = await startServer()
      const clock = createTestClock()
      const one = await openNotes(database, server, { clock })
      await using _one = one.scene
      const two = await openNotes(database, server, { clock })
      await using _two = two.scene
      const ends = there === 'is none' ? 0 : clock.now() / 1000 + 60
      server.on('/register', () => ({
        status: 201,
        body: { client_id: 'ended', client_secret: 's', client_secret_expires_at: ends },
      }))
      if (ends > 0) await one.begin()
      clock.turn(60_000)
      let asked = 0
      const bothAsked = Promise.withResolvers<void>()
      server.on('/register', async () => {
        const body = { client_id: `new-${++asked}`, client_secret: 's', client_secret_expires_at: 0 }
        if (asked === 2) bothAsked.resolve()
        await bothAsked.promise
        return { status: 201, body }
      })
      const [first, second] = await Promise.all([one.begin(), two.begin()])
      expect(asked).toBe(2)
      expect(second.searchParams.get('client_id')).toBe(first.searchParams.get('client_id'))
      await one.answer(first, { code: 'c1' })
      await two.answer(second, { code: 'c2' })
      expect(await two.use()).toBe('a-c2')
    },
  )

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

  test('who gives a secret and does not say when it ends, gives it for good', async () => {
    await using database = await openFresh()
    await using server = await startServer()
    server.on('/register', () => ({ status: 201, body: { client_id: 'endless', client_secret: 's' } }))
    const { scene, begin } = await openNotes(database, server)
    await using _ = scene
    expect((await begin()).searchParams.get('client_id')).toBe('endless')
    scene.clock.turn(86_400_000 * 365)
    await begin()
    expect(server.seenAt('/register')).toHaveLength(1)
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
    const clientMetadataUrl = 'https://example.com/elsewhere.json'
    expect(await clientIn({ clientMetadataUrl })).toBe(clientMetadataUrl)
    expect(await clientIn({})).toBe('dcr-1')
    server.on(RFC8414, () => ({ body: metadata(server.origin) }))
    await database.storage.system.deleteFrom('upstream_clients').execute()
    expect(await codeOf(clientIn({}))).toBe('provider.not_set_up')
  })
})

test('the metadata document names itself', () => {
  const document = clientMetadata('https://gate.example.com', undefined)
  expect(document.client_id).toBe(`https://gate.example.com${CLIENT_METADATA_PATH}`)
  expect(document).toMatchObject({
    application_type: 'web',
    redirect_uris: ['https://gate.example.com/callback/server'],
  })
  const elsewhere = 'https://example.com/gate.json'
  expect(clientMetadata('https://gate.example.com', elsewhere)).toEqual({ ...document, client_id: elsewhere })
})
