import { expect, test } from 'vitest'
import type { UpstreamId } from '../../src/base/ids.ts'
import type { User } from '../../src/identity/users.ts'
import type { ApiKeys, NewApiKey } from '../../src/identity/keys.ts'
import type { Principal } from '../../src/identity/principal.ts'
import { createTestClock, eachDatabase, other, ten, type FreshDatabase } from '../stores/databases.ts'
import { answeringLate } from '../stores/late.ts'
import { createPeople, type People } from './people.ts'

const MINUTE = 60_000

interface Scene extends People {
  readonly clock: ReturnType<typeof createTestClock>
  readonly ada: User
  newKey(more?: Partial<NewApiKey>): Promise<{ key: string; id: string }>
}

async function createScene({ storage }: FreshDatabase): Promise<Scene> {
  const clock = createTestClock()
  const people = createPeople(storage, clock)
  await people.users.add(ten, { name: 'root', role: 'owner' })
  const ada = await people.users.add(ten, { name: 'ada', role: 'admin' })
  return {
    ...people,
    clock,
    ada,
    async newKey(more) {
      const { key, record } = await people.keys.add(ten, { userId: ada.id, name: 'laptop', scopes: ['mcp'], ...more })
      return { key: key.reveal(), id: record.id }
    },
  }
}

async function identify(key: string, keys: ApiKeys): Promise<Principal> {
  const principal = await keys.verify(key)
  if (principal === undefined) throw new Error('the key opens nothing')
  return principal
}

eachDatabase((name, openFresh) => {
  test('a key tells who calls, in which tenant, with which scopes', async () => {
    await using database = await openFresh()
    const { keys, ada, newKey } = await createScene(database)
    const { key, id } = await newKey({ scopes: ['mcp:github', 'admin'] })
    expect(await keys.verify(key)).toEqual({
      tenant: ten,
      userId: ada.id,
      userName: 'ada',
      role: 'admin',
      keyId: id,
      scopes: ['mcp:github', 'admin'],
    })
  })

  test('a key seen lately is verified at once, without the database', async () => {
    await using database = await openFresh()
    const { keys, newKey } = await createScene(database)
    const { key } = await newKey()
    const asked = await keys.verify(key)
    expect(keys.verify(key)).toBe(asked)
  })

  test('what is not one of our keys opens nothing', async () => {
    await using database = await openFresh()
    const { keys, newKey } = await createScene(database)
    const { key } = await newKey()
    const mistyped = key.slice(0, -1) + (key.endsWith('a') ? 'b' : 'a')
    for (const wrong of ['', 'x', key.slice(1), `${key} `, mistyped])
      expect([wrong, keys.verify(wrong)]).toEqual([wrong, undefined])
  })

  test('a key that was never handed out opens nothing, though it is well made', async () => {
    await using database = await openFresh()
    const elsewhere = await createScene(database)
    const { key, id } = await elsewhere.newKey()
    await database.storage.for(ten).deleteFrom('api_keys').where('id', '=', id).execute()
    expect(await elsewhere.keys.verify(key)).toBeUndefined()
  })

  test('a key that expires opens nothing from that moment on, though it was just verified', async () => {
    await using database = await openFresh()
    const { keys, clock, newKey } = await createScene(database)
    const { key } = await newKey({ expiresAt: clock.now() + 500 })
    clock.turn(499)
    expect(await keys.verify(key)).toBeDefined()
    clock.turn(1)
    expect(await keys.verify(key)).toBeUndefined()
  })

  test('a revoked key opens nothing as soon as that is answered', async () => {
    await using database = await openFresh()
    const { keys, newKey } = await createScene(database)
    const [revoked, kept] = [await newKey(), await newKey()]
    await Promise.all([keys.verify(revoked.key), keys.verify(kept.key)])
    await keys.revoke(ten, revoked.id)
    expect(await keys.verify(revoked.key)).toBeUndefined()
    expect(await keys.verify(kept.key)).toMatchObject({ keyId: kept.id })
  })

  test('a key looked up before it was revoked, and answered after, is not remembered as good', async () => {
    await using database = await openFresh()
    const { key, id } = await (await createScene(database)).newKey()
    const { storage, read, release } = answeringLate(database.storage)
    const { keys } = createPeople(storage)
    const asked = keys.verify(key)
    await read
    await keys.revoke(ten, id)
    release()
    await asked
    expect(await keys.verify(key)).toBeUndefined()
  })

  test('a key of another tenant cannot be revoked, nor one that is unknown', async () => {
    await using database = await openFresh()
    const { keys, newKey } = await createScene(database)
    const { key, id } = await newKey()
    await expect(keys.revoke(other, id)).rejects.toMatchObject({ code: 'key.unknown' })
    expect(await keys.verify(key)).toBeDefined()
  })

  test('where a user lets nothing be changed comes with their keys at once, and two switches at a time both count', async () => {
    await using database = await openFresh()
    const { keys, users, ada, newKey } = await createScene(database)
    const { key } = await newKey()
    const [mal, notes] = ['mal' as UpstreamId, 'notes' as UpstreamId]
    expect((await identify(key, keys)).readOnly).toBeUndefined()
    const elsewhere = createPeople(await database.again()).users
    await Promise.all([
      elsewhere.setReadOnly(ten, ada.id, { server: notes, on: true }),
      users.setReadOnly(ten, ada.id, { server: mal, on: true }),
    ])
    keys.dropUser(ten, ada.id)
    expect(new Set((await identify(key, keys)).readOnly)).toEqual(new Set([mal, notes]))
    for (const server of [mal, notes]) await users.setReadOnly(ten, ada.id, { server, on: false })
    expect((await identify(key, keys)).readOnly).toBeUndefined()
    const foreign = users.setReadOnly(other, ada.id, { server: mal, on: true })
    await expect(foreign).rejects.toMatchObject({ code: 'user.unknown' })
  })

  test('a change of the user counts at once: role, removed', async () => {
    await using database = await openFresh()
    const { keys, users, ada, newKey } = await createScene(database)
    const { key } = await newKey()
    expect(await keys.verify(key)).toMatchObject({ role: 'admin' })
    await users.setRole(ten, ada.id, 'member')
    expect(await keys.verify(key)).toMatchObject({ role: 'member' })
    await users.remove(ten, ada.id)
    expect(await keys.verify(key)).toBeUndefined()
  })

  test('what another process revoked opens nothing a second later', async () => {
    await using database = await openFresh()
    const { keys, clock, newKey } = await createScene(database)
    const { key, id } = await newKey()
    await keys.verify(key)
    await createPeople(await database.again()).keys.revoke(ten, id)
    clock.turn(name === 'postgres' ? 1_000 : 30_000)
    expect(await keys.verify(key)).toBeUndefined()
  })

  test('a key is shown once: neither the list nor the database has it', async () => {
    await using database = await openFresh()
    const { keys, newKey } = await createScene(database)
    const { key } = await newKey()
    const listed = await keys.list(ten)
    const stored = await database.storage.for(ten).selectFrom('api_keys').selectAll().execute()
    expect(listed).toMatchObject([{ name: 'laptop', prefix: key.slice(0, 12), scopes: ['mcp'] }])
    for (const seen of [listed, stored]) expect(JSON.stringify(seen)).not.toContain(key.slice(12, 30))
  })

  test('a key needs a user of its tenant and scopes that exist', async () => {
    await using database = await openFresh()
    const { keys, ada } = await createScene(database)
    const wanted = { userId: ada.id, name: 'x', scopes: ['mcp'] }
    await expect(keys.add(other, wanted)).rejects.toMatchObject({ code: 'user.unknown' })
    for (const scopes of [[], ['root'], ['mcp:'], ['mcp:a b']]) {
      await expect(keys.add(ten, { ...wanted, scopes })).rejects.toMatchObject({ code: 'request.params' })
    }
  })

  test('when a key was last used is kept, to within some seconds', async () => {
    await using database = await openFresh()
    const { keys, clock, newKey } = await createScene(database)
    const principal = await identify((await newKey()).key, keys)
    const firstUse = clock.now()
    keys.markUsed(principal)
    clock.turn(MINUTE / 60)
    keys.markUsed(principal)
    await keys.close()
    expect(await keys.list(ten)).toMatchObject([{ lastUsedAt: firstUse }])
    clock.turn(MINUTE)
    keys.markUsed(principal)
    await keys.close()
    expect(await keys.list(ten)).toMatchObject([{ lastUsedAt: clock.now() }])
  })
})
