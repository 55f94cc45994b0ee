import { setTimeout as pause } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import type { Storage } from '../../src/storage/database.ts'
import { eachDatabase } from '../stores/databases.ts'
import { codeOf } from '../stores/outcome.ts'
import { HOUR, open, recordOf, refreshes, startRotating } from './rotating.ts'
import { ada, connect, createScene, providerAt } from './scene.ts'

/** A database that does something before each transaction. */
const before =
  (doFirst: () => Promise<void>) =>
  (whole: Storage): Storage => ({
    ...whole,
    for: (tenant) => {
      const db = whole.for(tenant)
      return { ...db, transaction: (work) => doFirst().then(() => db.transaction(work)) }
    },
  })

/** A database that takes no transaction while its disk is full. */
function createDisk() {
  const disk = {
    isFull: false,
    storage: before(async () => void (disk.isFull && (await Promise.reject(new Error('disk full'))))),
  }
  return disk
}

eachDatabase((_name, openFresh) => {
  test('what is disconnected while it is being renewed stays disconnected', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    const { scene, use } = await open(database, server)
    await using _ = scene
    await connect(scene)
    scene.clock.turn(HOUR)
    const held = server.hold('/token', {
      body: { access_token: 'late', refresh_token: 'late-refresh', expires_in: 3600 },
    })
    const under = use()
    await held.reached
    const gone = scene.connections.disconnect(ada, 'own')
    held.letGo()
    await Promise.allSettled([under, gone])
    expect(server.seenAt('/revoke')[0]?.form['token']).toBe('late-refresh')
    expect(await codeOf(use())).toBe('connection.required')
  })

  test('what another process is renewing is disconnected after that, and the new tokens are revoked', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    const { scene, use } = await open(database, server)
    await using _ = scene
    await connect(scene)
    const { scene: other } = await open(database, server, { clock: scene.clock })
    await using _other = other
    scene.clock.turn(HOUR)
    const held = server.hold('/token', {
      body: { access_token: 'late', refresh_token: 'late-refresh', expires_in: 3600 },
    })
    const under = use()
    await held.reached
    const gone = other.connections.disconnect(ada, 'own')
    await pause(300)
    expect(server.seenAt('/revoke')).toEqual([])
    held.letGo()
    expect(await under).toBe('late')
    await gone
    expect(server.seenAt('/revoke')[0]?.form['token']).toBe('late-refresh')
  })

  test.for(['and are written when they are next used', 'and are written when the gate closes'])(
    'tokens that were granted while the database could not be written are not lost, %s',
    async (when) => {
      await using database = await openFresh()
      await using server = await startRotating()
      const disk = createDisk()
      const { scene, use } = await open(database, server, disk)
      await connect(scene)
      scene.clock.turn(HOUR)
      disk.isFull = true
      expect(await use()).toBe('a2')
      disk.isFull = false
      scene.clock.turn(61_000)
      const used = when.includes('used') ? await use() : 'a2'
      expect(used).toBe('a2')
      expect(await recordOf(scene)).toMatchObject({ status: 'connected', failure: undefined })
      await scene[Symbol.asyncDispose]()
      await using again = await createScene(database, { providers: { own: providerAt(server) }, clock: scene.clock })
      expect((await again.connections.require(ada, scene.link, 's')).reveal()).toBe('a2')
    },
  )

  test('and are written once it can be, though nobody comes by: no other process shows what they took the place of', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    const disk = createDisk()
    const { scene, use } = await open(database, server, disk)
    await using _ = scene
    await connect(scene)
    const { scene: other, use: useThere } = await open(database, server, { clock: scene.clock })
    await using _other = other
    scene.clock.turn(HOUR)
    disk.isFull = true
    expect(await use()).toBe('a2')
    disk.isFull = false
    await vi.waitFor(
      async () => expect(await recordOf(scene)).toMatchObject({ refreshedAt: scene.clock.now() }),
      10_000,
    )
    scene.clock.turn(61_000)
    expect(await useThere()).toBe('a2')
    expect(refreshes(server)).toHaveLength(1)
  })

  test('tokens that were granted before are written before others are asked for, and none are while they cannot be', async () => {
    await using database = await openFresh()
    await using server = await startRotating(60)
    const disk = createDisk()
    const { scene, use } = await open(database, server, disk)
    await using _ = scene
    await connect(scene)
    scene.clock.turn(30_000)
    disk.isFull = true
    expect(await use()).toBe('a2')
    scene.clock.turn(30_000)
    expect(await use()).toBe('a2')
    scene.clock.turn(29_999)
    expect(await use()).toBe('a2')
    scene.clock.turn(1)
    expect(await codeOf(use())).toBe('gate.fault')
    expect(refreshes(server)).toHaveLength(1)
    disk.isFull = false
    expect(await use()).toBe('a3')
    expect(refreshes(server).map(({ form }) => form['refresh_token'])).toEqual(['r1', 'r2'])
    await using again = await createScene(database, { providers: { own: providerAt(server) }, clock: scene.clock })
    expect((await again.connections.require(ada, scene.link, 's')).reveal()).toBe('a3')
  })

  test('a renewal right after one that could not be written loses neither', async () => {
    await using database = await openFresh()
    await using server = await startRotating(60)
    const disk = createDisk()
    const { scene, use } = await open(database, server, disk)
    await using _ = scene
    await connect(scene)
    scene.clock.turn(30_000)
    disk.isFull = true
    expect(await use()).toBe('a2')
    disk.isFull = false
    scene.clock.turn(30_000)
    expect(new Set(await Promise.all(Array.from({ length: 5 }, use)))).toEqual(new Set(['a3']))
    expect(refreshes(server)).toHaveLength(2)
    await using again = await createScene(database, { providers: { own: providerAt(server) }, clock: scene.clock })
    expect((await again.connections.require(ada, scene.link, 's')).reveal()).toBe('a3')
  })

  test('what is disconnected before its tokens could be written is revoked by these', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    server.on('/revoke', () => ({ body: {} }))
    const disk = createDisk()
    const { scene, use } = await open(database, server, disk)
    await using _ = scene
    await connect(scene)
    scene.clock.turn(HOUR)
    disk.isFull = true
    expect(await use()).toBe('a2')
    await expect(scene.connections.disconnect(ada, 'own')).rejects.toThrow('disk full')
    disk.isFull = false
    expect(await scene.connections.disconnect(ada, 'own')).toEqual({ revoked: true })
    expect(server.seenAt('/revoke').map(({ form }) => form['token'])).toEqual(['r2', 'a2'])
    expect(await codeOf(use())).toBe('connection.required')
  })

  test('nothing is renewed while it is being disconnected, for nobody would revoke what is granted', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    const [reached, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let removing = false
    const storage = before(async () => {
      if (!removing) return
      reached.resolve()
      await held.promise
    })
    const { scene, use } = await open(database, server, { storage })
    await using _ = scene
    await connect(scene)
    scene.clock.turn(HOUR)
    removing = true
    const gone = scene.connections.disconnect(ada, 'own')
    await reached.promise
    const used = codeOf(use())
    const twice = codeOf(scene.connections.disconnect(ada, 'own'))
    await pause(100)
    held.resolve()
    await gone
    expect(await used).toBe('connection.required')
    expect(await twice).toBe('connection.unknown')
    expect(refreshes(server)).toEqual([])
    expect(server.seenAt('/revoke')[0]?.form['token']).toBe('r1')
  })
})
