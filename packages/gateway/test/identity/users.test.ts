import { expect, test } from 'vitest'
import { createTenants } from '../../src/identity/tenants.ts'
import { createTestClock, eachDatabase, other, ten } from '../stores/databases.ts'
import { codeOf } from '../stores/outcome.ts'
import { createPeople } from './people.ts'

const itself = <T>(_db: unknown, user: T) => Promise.resolve(user)

eachDatabase((_name, openFresh) => {
  test('the default tenant is made once, however many start at the same time', async () => {
    await using database = await openFresh()
    const storages = [database.storage, await database.again()]
    await Promise.all(storages.map((storage) => createTenants({ storage, clock: createTestClock() }).ensure('default')))
    const tenants = await database.storage.system.selectFrom('tenants').select('id').execute()
    expect(tenants.filter(({ id }) => id === 'ten_default')).toHaveLength(1)
  })

  test('a user is found by name and by id, in the right tenant only', async () => {
    await using database = await openFresh()
    const { users } = createPeople(database.storage)
    const ada = await users.add(ten, { name: 'ada', role: 'member' })
    expect(await users.find(ten, 'ada')).toEqual(ada)
    expect(await users.find(ten, ada.id)).toEqual(ada)
    expect(await users.find(other, ada.id)).toBeUndefined()
    await expect(users.require(other, 'ada')).rejects.toMatchObject({ code: 'user.unknown' })
  })

  test('a name stands once in a tenant, in whichever way its accents are encoded', async () => {
    await using database = await openFresh()
    const { users } = createPeople(database.storage)
    await users.add(ten, { name: 'zo\u00eb', role: 'member' })
    await expect(users.add(ten, { name: 'zoe\u0308', role: 'member' })).rejects.toMatchObject({ code: 'user.exists' })
    expect(await users.find(ten, 'zoe\u0308')).toMatchObject({ name: 'zo\u00eb' })
    await users.add(other, { name: 'zo\u00eb', role: 'member' })
  })

  test('a name cannot be empty, padded, an id, markup, or hold control characters', async () => {
    await using database = await openFresh()
    const { users } = createPeople(database.storage)
    for (const name of ['', ' ada', 'ada ', 'a\u0000b', 'a\nb', 'usr_01k', 'x'.repeat(65), '<b>']) {
      const code = await codeOf(users.add(ten, { name, role: 'member' }))
      expect({ name, code }).toEqual({ name, code: 'request.params' })
    }
  })

  test('nobody is found by a text that no name can be', async () => {
    await using database = await openFresh()
    const { users } = createPeople(database.storage)
    await users.add(ten, { name: 'ada', role: 'member' })
    for (const text of ['', '\0', 'ada\0', '\ud800', 'x'.repeat(100_000)]) {
      expect(await users.find(ten, text)).toBeUndefined()
      expect(await codeOf(users.require(ten, text))).toBe('user.unknown')
    }
  })

  test('the first owner is made where there is nobody, and once, however many start at the same time', async () => {
    await using database = await openFresh()
    const processes = [createPeople(database.storage), createPeople(await database.again())]
    const made = await Promise.all(processes.map(({ users }) => users.addFirst(ten, 'admin', itself)))
    expect(made.filter((user) => user?.role === 'owner')).toHaveLength(1)
    expect(made.filter((user) => user === undefined)).toHaveLength(1)
  })

  test('the first owner is made with what lets them in, or not at all', async () => {
    await using database = await openFresh()
    const { users, keys } = createPeople(database.storage)
    const crash = users.addFirst(ten, 'admin', () => Promise.reject(new Error('crash')))
    await expect(crash).rejects.toThrow('crash')
    expect(await users.list(ten)).toEqual([])
    const made = await users.addFirst(ten, 'admin', (db, { id }) =>
      keys.addIn(db, { userId: id, name: 'first start', scopes: ['mcp'] }),
    )
    expect(await keys.verify(made?.key.reveal() ?? '')).toMatchObject({ userName: 'admin', role: 'owner' })
  })

  test('the last owner can be neither removed nor demoted', async () => {
    await using database = await openFresh()
    const { users } = createPeople(database.storage)
    const ada = await users.add(ten, { name: 'ada', role: 'owner' })
    await users.add(ten, { name: 'grace', role: 'admin' })
    await users.add(other, { name: 'eve', role: 'owner' })
    const lastOwner = { code: 'user.last_owner' }
    await expect(users.remove(ten, ada.id)).rejects.toMatchObject(lastOwner)
    await expect(users.setRole(ten, ada.id, 'admin')).rejects.toMatchObject(lastOwner)
    expect(await users.find(ten, 'ada')).toEqual(ada)
  })

  test('of two owners who leave at the same moment, one stays', async () => {
    await using database = await openFresh()
    const [here, there] = [createPeople(database.storage), createPeople(await database.again())]
    const ada = await here.users.add(ten, { name: 'ada', role: 'owner' })
    const grace = await here.users.add(ten, { name: 'grace', role: 'owner' })
    for (let round = 0; round < 5; round++) {
      for (const { id } of [ada, grace]) await here.users.setRole(ten, id, 'owner')
      const leaving = [here.users.setRole(ten, ada.id, 'member'), there.users.setRole(ten, grace.id, 'member')]
      const outcomes = await Promise.allSettled(leaving)
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    }
  })

  test('a user who is removed takes keys, credentials and lists of tools along', async () => {
    await using database = await openFresh()
    const { users, keys } = createPeople(database.storage)
    const db = database.storage.for(ten)
    const ada = await users.add(ten, { name: 'ada', role: 'member' })
    await keys.add(ten, { userId: ada.id, name: 'laptop', scopes: ['mcp'] })
    await db
      .insertInto('catalogs', {
        user_id: ada.id,
        upstream: 'x',
        kind: 'tools',
        client: '',
        definition: '',
        body: '{"tools":[]}',
        fetched_at: 0,
      })
      .execute()
    await users.remove(ten, ada.id)
    expect(await keys.list(ten)).toEqual([])
    expect(await db.selectFrom('catalogs').selectAll().execute()).toEqual([])
    await expect(users.remove(ten, ada.id)).rejects.toMatchObject({ code: 'user.unknown' })
  })
})
