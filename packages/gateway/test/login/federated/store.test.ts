import { expect, test } from 'vitest'
import type { Identity } from '../../../src/login/federated/provider.ts'
import { createIdentities } from '../../../src/login/federated/identities.ts'
import { createSpent } from '../../../src/login/spent.ts'
import { createPeople } from '../../identity/people.ts'
import { createTestClock, eachDatabase, other, ten } from '../../stores/databases.ts'
import { corp } from './provider.ts'

const provider = { ...corp, tenant: ten }

function identityOf(subject: string, more: Partial<Identity> = {}): Identity {
  const unsaid = {
    email: undefined,
    verifiedEmail: undefined,
    name: undefined,
    authenticatedAt: undefined,
    sid: undefined,
  }
  return { issuer: provider.issuer, subject, username: 'ada', groups: [], amr: [], ...unsaid, ...more }
}

eachDatabase((_name, openFresh) => {
  test('an account is made once, whoever comes at the same moment', async () => {
    await using fresh = await openFresh()
    const stores = [fresh.storage, await fresh.again()].map((storage) => {
      const clock = createTestClock()
      return createIdentities({ storage, users: createPeople(storage, clock).users, clock })
    })
    const come = (subject: string) =>
      stores.flatMap((store) => [
        store.create(ten, { provider, identity: identityOf(subject) }, 'member'),
        store.create(ten, { provider, identity: identityOf(subject) }, 'member'),
      ])
    const made = await Promise.all([...come('one'), ...come('two')])
    expect(made.filter(({ isNew }) => isNew)).toHaveLength(2)
    expect(new Set(made.map(({ user }) => user.name))).toEqual(new Set(['ada', 'ada-2']))
  })

  test('an identity is one user’s, in one tenant', async () => {
    await using fresh = await openFresh()
    const { storage } = fresh
    const clock = createTestClock()
    const { users } = createPeople(storage, clock)
    const store = createIdentities({ storage, users, clock })
    const [ada, ben] = [
      await users.add(ten, { name: 'a', role: 'owner' }),
      await users.add(ten, { name: 'b', role: 'member' }),
    ]
    const identity = identityOf('one', { email: 'ada@corp.example' })
    const both = await Promise.allSettled([
      store.link(ten, ada.id, { provider, identity }),
      store.link(ten, ben.id, { provider, identity }),
    ])
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(await store.find(other, identity)).toBeUndefined()
    expect(await store.find(ten, { ...identity, issuer: 'https://other.example' })).toBeUndefined()
    const [first] = both
    const owner = first?.status === 'fulfilled' ? ada : ben
    expect((await store.find(ten, identity))?.user.id).toBe(owner.id)
    await users.add(ten, { name: 'another owner', role: 'owner' })
    await users.remove(ten, owner.id)
    expect(await store.find(ten, identity)).toBeUndefined()
  })

  test('what counts once counts once, in whichever process', async () => {
    await using fresh = await openFresh()
    const clock = createTestClock()
    const [here, there] = [fresh.storage, await fresh.again()].map((storage) => createSpent({ storage, clock }))
    const asked = await Promise.all([
      here?.spend(ten, 'jti 1', clock.now() + 1_000),
      there?.spend(ten, 'jti 1', clock.now() + 1_000),
      here?.spend(ten, 'jti 1', clock.now() + 1_000),
    ])
    expect(asked.filter(Boolean)).toHaveLength(1)
    expect(await there?.spend(ten, 'jti 2', clock.now() + 1_000)).toBe(true)
    clock.turn(1_001)
    expect(await here?.spend(ten, 'jti 1', clock.now() + 1_000)).toBe(true)
  })
})
