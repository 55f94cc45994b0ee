import { expect, test } from 'vitest'
import { createNewcomers } from '../../src/authserver/newcomers.ts'
import { createRecords } from '../../src/authserver/records.ts'
import { createTestClock, eachDatabase, type FreshDatabase } from '../stores/databases.ts'

/** Newcomers as registration adds them, a second apart. */
function openNewcomers({ storage }: FreshDatabase, limits: { atMost: number; every: number }) {
  const clock = createTestClock()
  const records = createRecords({ storage, clock })
  const newcomers = createNewcomers({ storage, clock, ...limits })
  return {
    ...newcomers,
    async register(clientId: string): Promise<void> {
      clock.turn(1_000)
      await records.put('Client', clientId, {
        payload: { client_id: clientId },
        expiresAt: newcomers.expiresAt(),
      })
      await newcomers.onRegistered()
    },
    async list(): Promise<readonly (string | null)[]> {
      const rows = storage.system.selectFrom('oauth_records').select('client_id').where('model', '=', 'Client')
      return (await rows.orderBy('created_at').execute()).map(({ client_id: id }) => id)
    },
    records,
  }
}

eachDatabase((_name, openFresh) => {
  test('R1-11: of the clients that nobody has let in, the oldest make room; one that was let in stays', async () => {
    await using database = await openFresh()
    const clients = openNewcomers(database, { atMost: 3, every: 4 })
    await clients.records.put('RefreshToken', 'no client', { payload: { exp: 9_000_000_000 } })
    await clients.register('allowed')
    await clients.keep('allowed')
    for (const name of ['a', 'b', 'c', 'd']) await clients.register(name)
    expect(await clients.list()).toEqual(['allowed', 'a', 'b', 'c', 'd'])
    await clients.makeRoom()
    expect(await clients.list()).toEqual(['allowed', 'b', 'c', 'd'])
    for (const name of ['e', 'f', 'g']) await clients.register(name)
    expect(await clients.list()).toEqual(['allowed', 'e', 'f', 'g'])
    expect(await clients.records.find('RefreshToken', 'no client')).toBeDefined()
  })

  test('a flood is gone after one tidying, however large', async () => {
    await using database = await openFresh()
    const clients = openNewcomers(database, { atMost: 3, every: Infinity })
    const flood = Array.from({ length: 1_100 }, (_each, index) => ({
      model: 'Client',
      id: `flood ${index}`,
      payload: '{}',
      created_at: 0,
      expires_at: 1_000,
    }))
    await database.storage.system.insertInto('oauth_records').values(flood).execute()
    for (const name of ['a', 'b', 'c']) await clients.register(name)
    await clients.makeRoom()
    expect(await clients.list()).toEqual(['a', 'b', 'c'])
  })
})
