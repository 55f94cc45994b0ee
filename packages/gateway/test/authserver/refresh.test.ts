import { expect, test, vi } from 'vitest'
import { placeOf } from '../../src/audit/oddities.ts'
import { createRecords } from '../../src/authserver/records.ts'
import { digest } from '../../src/base/digest.ts'
import { eachDatabase } from '../stores/databases.ts'
import { asTokens, DAY, HOUR, letIn, openScene, refresh, registerClient, type Scene, type Tokens } from './scene.ts'

const INVALID = { status: 400, body: { error: 'invalid_grant' } }

async function renewed(scene: Scene, clientId: string, { refreshToken }: Tokens): Promise<Tokens> {
  const { status, body } = await refresh(scene, clientId, refreshToken)
  if (status !== 200) throw new Error(JSON.stringify(body))
  return asTokens(body)
}

eachDatabase((_name, openFresh) => {
  test('R1-11: a refresh token is good until its successor is used; used after that, its whole family ends', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    const first = await letIn(scene, user, { clientId })
    const bystander = await letIn(scene, user, { clientId })

    const lost = await renewed(scene, clientId, first)
    scene.clock.turn(23 * HOUR)
    const second = await renewed(scene, clientId, first)
    expect(second.refreshToken).not.toBe(lost.refreshToken)
    const third = await renewed(scene, clientId, second)
    expect(await scene.server.verify(third.accessToken)).toBeDefined()

    expect(await refresh(scene, clientId, first.refreshToken)).toMatchObject(INVALID)
    expect(await scene.server.verify(third.accessToken)).toBeUndefined()
    expect(await refresh(scene, clientId, third.refreshToken)).toMatchObject(INVALID)
    expect(await renewed(scene, clientId, bystander)).toBeDefined()
    expect(scene.events).toContainEqual({ kind: 'client.cut_off', client: clientId })
    const odd = { kind: 'account.odd', what: 'token_replayed', userId: user.id, client: clientId, address: '192.0.2.1' }
    expect(scene.events).toContainEqual(odd)
  })

  test('R0-56d: a client that comes back after two weeks is noticed where it has moved, and not where it has not', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    let tokens = await letIn(scene, user, { clientId })
    const odd = () => scene.events.filter(({ kind }) => kind === 'account.odd')
    for (const [days, address, noticed] of [
      [0, '192.0.2.1', 0],
      [1, '198.51.100.1', 0],
      [15, '198.51.7.7', 0],
      [15, '203.0.113.9', 1],
      [1, '192.0.2.1', 1],
    ] as const) {
      scene.clock.turn(days * DAY)
      scene.moveTo(address)
      const now = scene.clock.now()
      tokens = await renewed(scene, clientId, tokens)
      // Using it is what counts as use, and is written soon after.
      await scene.server.verify(tokens.accessToken)
      await vi.waitFor(async () => {
        const row = await scene.storage.system.selectFrom('consents').selectAll().executeTakeFirstOrThrow()
        expect([row.place, row.used_at]).toEqual([placeOf(address), now])
      })
      expect([address, odd().length]).toEqual([address, noticed])
    }
    expect(odd()[0]).toMatchObject({ what: 'client_moved', clientName: 'A program', address: '203.0.113.9' })
  })

  test('of two successors of one refresh token, the use of one makes the other stolen', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    const first = await letIn(scene, user, { clientId })
    const [ours, theirs] = [await renewed(scene, clientId, first), await renewed(scene, clientId, first)]
    const next = await renewed(scene, clientId, ours)
    expect(await refresh(scene, clientId, theirs.refreshToken)).toMatchObject(INVALID)
    expect(await refresh(scene, clientId, next.refreshToken)).toMatchObject(INVALID)
  })

  test('the grace ends by itself, and with none there is none', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    const first = await letIn(scene, user, { clientId })
    const second = await renewed(scene, clientId, first)
    scene.clock.turn(24 * HOUR)
    expect(await refresh(scene, clientId, first.refreshToken)).toMatchObject(INVALID)
    expect(await refresh(scene, clientId, second.refreshToken)).toMatchObject(INVALID)
  })

  test('a restart in between changes nothing', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    const first = await letIn(scene, user, { clientId })
    await scene.restart()
    expect(await scene.server.verify(first.accessToken)).toMatchObject({ userId: user.id, clientId })
    const second = await renewed(scene, clientId, first)
    await scene.restart()
    const third = await renewed(scene, clientId, second)
    await scene.restart()
    expect(await refresh(scene, clientId, first.refreshToken)).toMatchObject(INVALID)
    expect(await scene.server.verify(third.accessToken)).toBeUndefined()
  })

  test('a successor that another overtook is stolen for good, however often it is brought', async () => {
    await using database = await openFresh()
    const { clock, storage } = await openScene(database)
    const records = createRecords({ storage, clock })
    const put = (id: string, parent?: string) => records.put('RefreshToken', id, { payload: { kind: 'x' }, parent })
    await put('first')
    await Promise.all(['ours', 'theirs'].map((id) => put(id, digest('first'))))
    expect(await records.consume('RefreshToken', 'ours')).toBe('first')
    for (const _time of [1, 2]) expect(await records.consume('RefreshToken', 'theirs')).toBe('overtaken')
  })

  test('many refreshes at once, of one token and of its successors, never leave two families alive', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    const first = await letIn(scene, user, { clientId })
    const answers = await Promise.all([1, 2, 3, 4].map(() => refresh(scene, clientId, first.refreshToken)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    const successors = answers.map(({ body }) => asTokens(body))
    const next = await Promise.all(successors.map(({ refreshToken }) => refresh(scene, clientId, refreshToken)))
    expect(next.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1)
    expect(next.every(({ status }) => status === 200 || status === 400)).toBe(true)
    expect(scene.faults).toEqual([])
  })

  test('a client that comes back after its last token but one has expired is let in', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    const first = await letIn(scene, user, { clientId })
    scene.clock.turn(80 * DAY)
    const second = await renewed(scene, clientId, first)
    scene.clock.turn(15 * DAY)
    await scene.server.tend()
    const third = await renewed(scene, clientId, second)
    expect(await scene.server.verify(third.accessToken)).toBeDefined()
    expect(await renewed(scene, clientId, second)).toBeDefined()
  })

  test('a client that stays away too long is forgotten, and one that comes back is not', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    const first = await letIn(scene, user, { clientId })
    scene.clock.turn(91 * DAY)
    await scene.server.tend()
    expect(await refresh(scene, clientId, first.refreshToken)).toMatchObject(INVALID)
    expect(await letIn(scene, user, { clientId })).toBeDefined()
  })
})
