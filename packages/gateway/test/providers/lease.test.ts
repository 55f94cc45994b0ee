import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Storage } from '../../src/storage/database.ts'
import { createTestClock, eachDatabase, ten, type FreshDatabase } from '../stores/databases.ts'
import { codeOf } from '../stores/outcome.ts'
import { openNotes, RFC8414, startServer } from './notes.ts'
import { HOUR, open, refreshes, startRotating } from './rotating.ts'
import { ada, connect } from './scene.ts'

const LEASE_MS = 15_000

/** What a process leaves that is killed while it renews. */
const leave = ({ storage }: Pick<FreshDatabase, 'storage'>, until: number) =>
  storage.for(ten).updateTable('connections').set({ leased_until: until }).execute()

/** A database whose reading fails while `isBroken`. */
const unreadable =
  (isBroken: () => boolean) =>
  (whole: Storage): Storage => ({
    ...whole,
    for: (tenant) => {
      const db = whole.for(tenant)
      const selectFrom: typeof db.selectFrom = (...from) => {
        if (isBroken()) throw new Error('the connection was cut')
        return db.selectFrom(...from)
      }
      return { ...db, selectFrom }
    },
  })

eachDatabase((_name, openFresh) => {
  test('one who found out slowly whom to ask shows no token that another has shown meanwhile', async () => {
    await using database = await openFresh()
    await using server = await startServer()
    const clock = createTestClock()
    const [one, two] = [await openNotes(database, server, { clock }), await openNotes(database, server, { clock })]
    await using _one = one.scene
    await using _two = two.scene
    let issued = 0
    server.on('/token', () => {
      issued++
      return { body: { access_token: `a${issued}`, refresh_token: `r${issued}`, expires_in: 3600 } }
    })
    await one.answer(await one.begin(), { code: 'c' })
    clock.turn(HOUR)
    const held = server.hold(RFC8414)
    const slow = one.use()
    await held.reached
    clock.turn(LEASE_MS)
    expect(await two.use()).toBe('a2')
    held.letGo()
    expect(await slow).toBe('a2')
    expect(refreshes(server).map(({ form }) => form['refresh_token'])).toEqual(['r1'])
  })

  test('what a process left that was killed with its clock ahead is waited for no longer than a lease lasts', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    const { scene, use } = await open(database, server)
    await using _ = scene
    await connect(scene)
    scene.clock.turn(HOUR)
    await leave(database, scene.clock.now() + HOUR)
    const used = use()
    await pause(300)
    scene.clock.turn(LEASE_MS - 1)
    await pause(300)
    expect(refreshes(server)).toEqual([])
    scene.clock.turn(1)
    expect(await used).toBe('a2')
  })

  test('a fault between asking and noting it keeps nobody from the connection', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    let isBroken = false
    const { scene, use } = await open(database, server, { storage: unreadable(() => isBroken) })
    await using _ = scene
    await connect(scene)
    scene.clock.turn(HOUR)
    const right = server.handlerOf('/token')
    server.on('/token', () => {
      isBroken = true
      return { status: 503, body: '' }
    })
    expect(await codeOf(use())).toBe('gate.fault')
    isBroken = false
    if (right) server.on('/token', right)
    expect(await use()).toBe('a2')
  })

  test('a gate that closes does not wait for what another process does with a connection', async () => {
    await using database = await openFresh()
    await using server = await startRotating()
    const { scene, use } = await open(database, server)
    await connect(scene)
    scene.clock.turn(HOUR)
    await leave(database, scene.clock.now() + LEASE_MS)
    const waiting = [codeOf(use()), codeOf(scene.connections.disconnect(ada, 'own'))]
    await pause(300)
    await scene[Symbol.asyncDispose]()
    expect(await Promise.all(waiting)).toEqual(['gate.stopping', 'gate.stopping'])
    expect(server.seenAt('/revoke')).toEqual([])
  })
})
