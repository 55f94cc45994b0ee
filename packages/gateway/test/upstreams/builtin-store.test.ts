import { describe, expect, test } from 'vitest'
import { verifyStorage } from '../../../mal/test/storage/conformance.ts'
import type { UpstreamId, UserId } from '../../src/base/ids.ts'
import { createBuiltinStore, ownerOf } from '../../src/upstreams/builtin-store.ts'
import { createTestClock, eachDatabase, other, ten, type FreshDatabase } from '../stores/databases.ts'

const ada = { tenant: ten, userId: 'usr_ada' as UserId }
const bob = { tenant: ten, userId: 'usr_bob' as UserId }
const elsewhere = { tenant: other, userId: 'usr_ada' as UserId }
const mal = 'mal' as UpstreamId

/** Stores as two processes have them in front of one database, where several may open it. */
async function openStores({ storage, again }: FreshDatabase, clock = createTestClock()) {
  for (const { tenant, userId: id } of [ada, bob, elsewhere])
    await storage.for(tenant).insertInto('users', { id, name: id, role: 'member', created_at: 0 }).execute()
  const open = (of: typeof storage) => createBuiltinStore({ storage: of, clock })
  return [open(storage), open(await again())] as const
}

eachDatabase((name, openFresh) => {
  describe(`what our own servers keep (${name})`, () => {
    verifyStorage(async () => {
      const database = await openFresh()
      const [one, two] = await openStores(database)
      return {
        one: one.forUpstream(mal),
        two: two.forUpstream(mal),
        owners: [ownerOf(ada), ownerOf(bob)],
        [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
      }
    })
  })

  test('neither another tenant nor another server sees it, and it goes with its user', async () => {
    await using database = await openFresh()
    const [store] = await openStores(database)
    for (const who of [ada, bob, elsewhere]) {
      await store.forUpstream(mal).forAccount(ownerOf(who), '1').put('notes', 'a', who.userId)
    }
    const keptBy = (who: typeof ada, upstream = mal) =>
      store.forUpstream(upstream).forAccount(ownerOf(who), '1').find('notes', 'a')
    expect(await keptBy(ada, 'other' as UpstreamId)).toBeUndefined()

    await database.storage.for(ten).deleteFrom('users').where('id', '=', ada.userId).execute()
    expect(await keptBy(ada)).toBeUndefined()
    expect(await keptBy(bob)).toMatchObject({ value: 'usr_bob' })
    expect(await keptBy(elsewhere)).toMatchObject({ value: 'usr_ada' })
    expect(() => store.forUpstream(mal).forAccount('', '1')).toThrow('nobody owns')
  })

  test('what was not written for half a year goes', async () => {
    await using database = await openFresh()
    const clock = createTestClock()
    const [store] = await openStores(database, clock)
    const account = store.forUpstream(mal).forAccount(ownerOf(ada), '1')
    const day = 24 * 3_600_000
    await account.put('notes', 'old', 1)
    await account.put('notes', 'kept', 1)
    clock.turn(170 * day)
    await account.put('notes', 'kept', 2)
    await store.sweep()
    expect(await account.list('notes', { limit: 10 })).toHaveLength(2)
    clock.turn(11 * day)
    await store.sweep()
    expect((await account.list('notes', { limit: 10 })).map(({ key }) => key)).toEqual(['kept'])
  })
})
