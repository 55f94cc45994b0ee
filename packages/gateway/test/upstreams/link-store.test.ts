import { expect, test } from 'vitest'
import type { UpstreamId, UserId } from '../../src/base/ids.ts'
import { createLinkStore, type KeptLink, type LinkPlace } from '../../src/upstreams/link-store.ts'
import type { Handshake } from '../../src/upstreams/era.ts'
import { openKeyring } from '../../src/vault/keyring.ts'
import { createSealer } from '../../src/vault/sealer.ts'
import { createTestClock, eachDatabase, other, quiet, ten, type FreshDatabase } from '../stores/databases.ts'

const ada = 'usr_ada' as UserId
const bob = 'usr_bob' as UserId
const up = 'up' as UpstreamId
const place: LinkPlace = { tenant: ten, userId: ada, upstream: up, client: 'plain', session: undefined }
const handshake: Handshake = {
  era: 'legacy',
  version: '2025-11-25',
  capabilities: { tools: {} },
  instructions: 'Be kind.',
  serverInfo: undefined,
}

const linkOf = (sessionId: string, credential = 'token'): KeptLink => ({ sessionId, credential, handshake })

/** Stores as several processes have them in front of one database. */
async function openStores({ storage, place: { dataDir }, again }: FreshDatabase, clock = createTestClock()) {
  for (const [tenant, id] of [
    [ten, ada],
    [ten, bob],
    [other, ada],
  ] as const)
    await storage.for(tenant).insertInto('users', { id, name: id, role: 'member', created_at: 0 }).execute()
  const open = async (of: typeof storage) => {
    const keyring = await openKeyring({ storage: of, dataDir, environment: {}, clock, log: quiet })
    return createLinkStore({ storage: of, sealer: createSealer({ keyring }), clock })
  }
  return [await open(storage), await open(await again())] as const
}

eachDatabase((_name, openFresh) => {
  test('a session that one process has kept is found by another, with all that was agreed on', async () => {
    await using database = await openFresh()
    const [one, two] = await openStores(database)
    expect(await one.find(place)).toBeUndefined()
    await one.save(place, linkOf('first'))
    expect(await two.find(place)).toEqual({ ...linkOf('first'), handshake: JSON.parse(JSON.stringify(handshake)) })
    for (const elsewhere of [
      { userId: bob },
      { tenant: other },
      { client: 'other' },
      { upstream: 'other' as UpstreamId },
    ])
      expect(await two.find({ ...place, ...elsewhere })).toBeUndefined()
  })

  test('of many that are opened at once one is kept, and all are told which', async () => {
    await using database = await openFresh()
    const stores = await openStores(database)
    const saved = await Promise.all(
      Array.from({ length: 10 }, (_none, at) => (stores[at % 2] ?? stores[0]).save(place, linkOf(`s-${at}`))),
    )
    const [kept] = new Set(saved.map(({ sessionId }) => sessionId))
    expect(saved.map(({ sessionId }) => sessionId)).toEqual(saved.map(() => kept))
    expect((await stores[0].find(place))?.sessionId).toBe(kept)
  })

  test('one that was opened with another credential takes the place', async () => {
    await using database = await openFresh()
    const [one, two] = await openStores(database)
    await one.save(place, linkOf('old', 'before'))
    expect((await two.save(place, linkOf('new', 'after'))).sessionId).toBe('new')
    expect((await one.find(place))?.sessionId).toBe('new')
  })

  test('one that is lost is forgotten, and not the one that has taken its place', async () => {
    await using database = await openFresh()
    const [one, two] = await openStores(database)
    await one.save(place, linkOf('first'))
    await two.drop(place, 'another')
    expect(await one.find(place)).toBeDefined()
    await two.drop(place, 'first')
    await two.save(place, linkOf('second'))
    await one.drop(place, 'first')
    expect((await one.find(place))?.sessionId).toBe('second')
  })

  test('what belongs to one session of a client, or to one user, is forgotten together', async () => {
    await using database = await openFresh()
    const [store] = await openStores(database)
    const inSession = (client: string, session: string, userId = ada) => ({ ...place, client, session, userId })
    await store.save(inSession('a', 'one'), linkOf('1'))
    await store.save(inSession('b', 'two'), linkOf('2'))
    await store.save(inSession('a', 'one', bob), linkOf('3'))
    expect((await store.dropSession(place, up, 'one')).map(({ sessionId }) => sessionId)).toEqual(['1'])
    expect((await store.dropUser(place, up)).map(({ sessionId }) => sessionId)).toEqual(['2'])
    expect((await store.find(inSession('a', 'one', bob)))?.sessionId).toBe('3')
  })

  test('a row that was moved to another user opens for nobody, and its place is free', async () => {
    await using database = await openFresh()
    const [store] = await openStores(database)
    await store.save(place, linkOf('hers'))
    await database.storage.system
      .updateTable('upstream_sessions')
      .set({ user_id: bob } as never)
      .execute()
    expect(await store.find({ ...place, userId: bob })).toBeUndefined()
    expect((await store.save({ ...place, userId: bob }, linkOf('his'))).sessionId).toBe('his')
  })

  test('what was not used for a day is swept', async () => {
    await using database = await openFresh()
    const clock = createTestClock()
    const [store] = await openStores(database, clock)
    await store.save(place, linkOf('idle'))
    await store.save({ ...place, client: 'used' }, linkOf('used'))
    clock.turn(23 * 60 * 60_000)
    await store.touch({ ...place, client: 'used' })
    clock.turn(2 * 60 * 60_000)
    await store.sweep()
    expect(await store.find(place)).toBeUndefined()
    expect(await store.find({ ...place, client: 'used' })).toBeDefined()
  })
})
