import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Problem } from '../../src/base/problem.ts'
import { secret } from '../../src/base/secret.ts'
import { createTestClock, eachDatabase } from '../stores/databases.ts'
import { codeOf } from '../stores/outcome.ts'
import { HOUR, open, recordOf, refreshes, startRotating } from './rotating.ts'
import { ada, connect, createScene, providerAt } from './scene.ts'
import type { Answer } from './scripted-server.ts'

eachDatabase((_name, openFresh) => {
  test('a token is used until a tenth of its life is left, and then renewed, by one request for all who wait', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    const { scene, use } = await open(database, server)
    await using _ = scene
    await connect(scene)
    scene.clock.turn(HOUR * 0.9 - 1)
    expect(await use()).toBe('a1')
    scene.clock.turn(1)
    expect(new Set(await Promise.all(Array.from({ length: 20 }, use)))).toEqual(new Set(['a2']))
    expect(refreshes(server)).toHaveLength(1)
    expect(refreshes(server)[0]?.form).toMatchObject({ refresh_token: 'r1', client_id: 'client-1' })
    const now = scene.clock.now()
    expect(await recordOf(scene)).toMatchObject({ status: 'connected', refreshedAt: now, expiresAt: now + HOUR })
    await using again = await createScene(database, { providers: { own: providerAt(server) }, clock: scene.clock })
    expect((await again.connections.require(ada, scene.link, 's')).reveal()).toBe('a2')
  })

  test('a token that was opened lately is answered at once', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    const { scene, use } = await open(database, server)
    await using _ = scene
    await connect(scene)
    await use()
    expect(scene.connections.require(ada, scene.link, 's')).not.toBeInstanceOf(Promise)
  })

  test.for<[string, Answer]>([
    ['a page with status 200', { body: '<html>' }],
    ['a page of maintenance', { status: 503, body: '<html>' }],
    ['a reply without an access token', { body: { refresh_token: 'r9', expires_in: 60 } }],
    ['an error of its own', { status: 500, body: { error: 'invalid_grant' } }],
    ['a client it does not know', { status: 401, body: { error: 'invalid_client' } }],
  ])('%s costs nobody their connection', async ([, said]) => {
    await using database = await openFresh()
    await using server = await startRotating()
    const { scene, use } = await open(database, server)
    await using _ = scene
    await connect(scene)
    const right = server.handlerOf('/token')
    server.on('/token', () => said)
    scene.clock.turn(HOUR * 0.95)
    expect(await use()).toBe('a1')
    expect(await recordOf(scene)).toMatchObject({ status: 'connected', failedAt: scene.clock.now() })
    expect(await use()).toBe('a1')
    expect(refreshes(server)).toHaveLength(1)
    scene.clock.turn(HOUR)
    expect(await codeOf(use())).toMatch(/^provider\./)
    if (right) server.on('/token', right)
    scene.clock.turn(300_000)
    expect(await use()).toBe('a2')
    expect(await recordOf(scene)).toMatchObject({ status: 'connected', failure: undefined, failedAt: undefined })
  })

  test('a provider that is down is left alone for a while, longer each time', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    const { scene, use } = await open(database, server)
    await using _ = scene
    await connect(scene)
    server.on('/token', () => ({ status: 502, body: '' }))
    scene.clock.turn(HOUR * 2)
    const attempts: number[] = []
    for (let second = 0; second < 40; second++) {
      const before = refreshes(server).length
      expect(await codeOf(use())).toBe('provider.unreachable')
      if (refreshes(server).length > before) attempts.push(second)
      scene.clock.turn(1_000)
    }
    expect(attempts).toEqual([0, 5, 15, 35])
  })

  test('a grant that is refused is used to its end, then rejected, and a new connection heals it', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    const { scene, use } = await open(database, server)
    await using _ = scene
    await connect(scene)
    const right = server.handlerOf('/token')
    server.on('/token', () => ({ status: 400, body: { error: 'invalid_grant' } }))
    scene.clock.turn(HOUR * 0.95)
    expect(await use()).toBe('a1')
    expect(await recordOf(scene)).toMatchObject({ status: 'connected', failure: 'invalid_grant' })
    scene.clock.turn(HOUR)
    const failure: unknown = await use().catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'connection.rejected' })
    expect(failure instanceof Problem && failure.details['url']).toMatch(/^http:\/\/localhost:7354\/connect\/s\?t=/)
    expect(await codeOf(use())).toBe('connection.rejected')
    expect(await recordOf(scene)).toMatchObject({ status: 'rejected', failure: 'invalid_grant' })
    expect(refreshes(server)).toHaveLength(1)
    const kinds = (await scene.auditKinds()).map(({ kind }) => kind)
    expect(kinds).toEqual(['connection.made', 'connection.refresh_failed', 'connection.rejected'])
    if (right) server.on('/token', right)
    await connect(scene)
    expect(await use()).toBe('a2')
    expect(await recordOf(scene)).toMatchObject({ status: 'connected', failure: undefined })
  })

  test('a reply without a refresh token leaves the one there is, and one without an expiry takes the default', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    const { scene, use } = await open(database, server, { odd: { refresh: { rotates: 'never', expiresIn: 600 } } })
    await using _ = scene
    await connect(scene)
    let renewed = 0
    server.on('/token', () => ({ body: { access_token: `n${++renewed}` } }))
    scene.clock.turn(HOUR)
    expect(await use()).toBe('n1')
    scene.clock.turn(600_000)
    expect(await use()).toBe('n2')
    expect(refreshes(server).map(({ form }) => form['refresh_token'])).toEqual(['r1', 'r1'])
  })

  test('a token whose end nobody knows is used until it is refused', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    server.on('/token', () => ({ body: { access_token: 'for-ever' } }))
    const { scene, use } = await open(database, server)
    await using _ = scene
    await connect(scene)
    scene.clock.turn(HOUR * 24 * 365)
    expect(await use()).toBe('for-ever')
    const renew = () => codeOf(scene.connections.renew(ada, scene.link, 's', secret('for-ever')))
    expect(await renew()).toBe('connection.rejected')
    expect(await recordOf(scene)).toMatchObject({ status: 'rejected', failure: 'unauthorized' })
  })

  test('a token that a server refuses is renewed once, for all whom it was refused', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    const { scene, use } = await open(database, server)
    await using _ = scene
    await connect(scene)
    await use()
    scene.clock.turn(120_000)
    const renew = async (refused: string) =>
      (await scene.connections.renew(ada, scene.link, 's', secret(refused))).reveal()
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => renew('a1'))))).toEqual(new Set(['a2']))
    expect(await renew('a1')).toBe('a2')
    expect(refreshes(server)).toHaveLength(1)
    expect(await codeOf(renew('a2'))).toBe('connection.rejected')
    expect(refreshes(server)).toHaveLength(1)
    expect(await recordOf(scene)).toMatchObject({ status: 'connected', failure: 'unauthorized' })
    scene.clock.turn(120_000)
    server.on('/token', () => ({ status: 503, body: '' }))
    expect(await codeOf(renew('a2'))).toBe('provider.unreachable')
    scene.clock.turn(120_000)
    server.on('/token', () => ({ status: 400, body: { error: 'invalid_grant' } }))
    expect(await codeOf(renew('a2'))).toBe('connection.rejected')
    expect(await recordOf(scene)).toMatchObject({ status: 'rejected' })
  })

  test.for<[string, Answer]>([
    ['is refused', { status: 400, body: { error: 'invalid_grant' } }],
    ['is granted as well', { body: { access_token: 'late', refresh_token: 'late', expires_in: 3600 } }],
  ])(
    'a process that is so late that another renews meanwhile, and which %s, takes what that wrote',
    async ([, said]) => {
      await using database = await openFresh()
      await using server = await startRotating()
      const clock = createTestClock()
      const one = await open(database, server, { clock })
      await using _one = one.scene
      await connect(one.scene)
      const two = await open(database, server, { clock })
      await using _two = two.scene
      clock.turn(HOUR)
      const held = server.hold('/token', said)
      const later = two.use()
      await held.reached
      clock.turn(15_000)
      expect(await one.use()).toBe('a2')
      held.letGo()
      expect(await later).toBe('a2')
      expect(await recordOf(two.scene)).toMatchObject({ status: 'connected', failure: undefined })
      await using again = await createScene(database, { providers: { own: providerAt(server) }, clock })
      expect((await again.connections.require(ada, again.link, 's')).reveal()).toBe('a2')
    },
  )

  test('of several processes one renews, and the others wait for what it is granted', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    const clock = createTestClock()
    await using scenes = new AsyncDisposableStack()
    const processes: (() => Promise<string>)[] = []
    for (let count = 0; count < 4; count++) {
      const { scene, use } = await open(database, server, { clock })
      scenes.use(scene)
      if (count === 0) await connect(scene)
      processes.push(use)
    }
    clock.turn(HOUR)
    const right = server.handlerOf('/token')
    server.on('/token', async (seen) => {
      await pause(300)
      return right?.(seen) ?? { status: 500 }
    })
    const used = processes.flatMap((use) => [use(), use()])
    expect(new Set(await Promise.all(used))).toEqual(new Set(['a2']))
    expect(refreshes(server)).toHaveLength(1)
  })

  test('where the one that renewed failed, the next one tries, and no sooner', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    const clock = createTestClock()
    const [one, two] = [await open(database, server, { clock }), await open(database, server, { clock })]
    await using _one = one.scene
    await using _two = two.scene
    await connect(one.scene)
    clock.turn(HOUR)
    const held = server.hold('/token', { status: 503, body: '' })
    const first = codeOf(one.use())
    await held.reached
    const second = two.use()
    await pause(300)
    expect(refreshes(server)).toHaveLength(1)
    held.letGo()
    expect([await first, await second]).toEqual(['provider.unreachable', 'a2'])
    expect(refreshes(server)).toHaveLength(2)
  })

  test('tokens go to no other place, and from no other client, than those they were granted by', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    await using elsewhere = await startRotating()
    const clock = createTestClock()
    const { scene } = await open(database, server, { clock })
    await using _ = scene
    await connect(scene)
    clock.turn(HOUR)
    for (const given of [providerAt(elsewhere), providerAt(server, { clientId: 'client-2' })]) {
      await using other = await createScene(database, { providers: { own: given }, clock })
      expect(await codeOf(Promise.resolve(other.connections.require(ada, other.link, 's')))).toBe('connection.rejected')
    }
    expect(elsewhere.seen).toEqual([])
    expect(refreshes(server)).toEqual([])
  })

  test('what is being renewed when the gate closes is kept', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    const { scene, use } = await open(database, server)
    await connect(scene)
    scene.clock.turn(HOUR)
    const held = server.hold('/token', { body: { access_token: 'late', refresh_token: 'r', expires_in: 3600 } })
    const under = use()
    await held.reached
    const closed = scene[Symbol.asyncDispose]()
    held.letGo()
    await closed
    expect(await under).toBe('late')
    await using again = await createScene(database, { providers: { own: providerAt(server) }, clock: scene.clock })
    expect((await again.connections.require(ada, scene.link, 's')).reveal()).toBe('late')
  })
})
