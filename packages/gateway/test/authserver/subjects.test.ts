import { expect, test } from 'vitest'
import { createSubjects } from '../../src/authserver/subjects.ts'
import type { TenantId } from '../../src/base/ids.ts'
import { createTenants, DEFAULT_TENANT, nameTenants, tenantCalled } from '../../src/identity/tenants.ts'
import type { User } from '../../src/identity/users.ts'
import { createIdentities } from '../../src/login/federated/identities.ts'
import { createPeople } from '../identity/people.ts'
import { corp } from '../login/federated/provider.ts'
import { createTestClock, eachDatabase, quiet, type FreshDatabase } from '../stores/databases.ts'

const ISSUER = corp.issuer
const APP = 'app'
const STAFF = tenantCalled('staff')

/** Users of two tenants, some of whom have linked an account at one issuer. */
async function openScene({ storage }: FreshDatabase, subjects: Readonly<Record<string, string>> = {}) {
  const clock = createTestClock()
  for (const name of ['default', 'staff']) await createTenants({ storage, clock }).ensure(name)
  const { users } = createPeople(storage, clock)
  const told: string[] = []
  const identities = createIdentities({ storage, users, clock })
  const find = createSubjects({
    trustedIssuers: [
      { issuer: ISSUER, clients: [APP], subjects },
      { issuer: ISSUER, clients: ['another'], subjects: { one: 'staff/ada', three: 'owner', five: 'owner' } },
      { issuer: 'https://other.example', clients: [APP], subjects: { one: 'owner' } },
    ],
    tenants: nameTenants(['staff']),
    users,
    findLinked: async (tenant, subject) => (await identities.find(tenant, subject))?.user,
    log: { ...quiet, warn: (_what: object, event: string) => void told.push(event) },
  })
  await users.add(DEFAULT_TENANT, { name: 'owner', role: 'owner' })

  async function linked(tenant: TenantId, name: string, subject: string, kind: User['kind'] = 'person') {
    const user =
      kind === 'agent'
        ? await users.addAgent(tenant, name, (_db, made) => Promise.resolve(made))
        : await users.add(tenant, { name, role: 'member' })
    const unsaid = { verifiedEmail: undefined, email: undefined, username: undefined, name: undefined, sid: undefined }
    const identity = { issuer: ISSUER, subject, ...unsaid, groups: [], amr: [], authenticatedAt: undefined }
    await identities.link(tenant, user.id, { provider: { ...corp, tenant }, identity })
    return { tenant, userId: user.id }
  }
  const userOf = (issuer: string, subject: string) => find(issuer, subject, APP)
  return { users, userOf, linked, told }
}

eachDatabase((_name, openFresh) => {
  test('an issuer speaks for the people who are named, each in their tenant', async () => {
    await using fresh = await openFresh()
    const { users, userOf } = await openScene(fresh, {
      one: 'ada',
      two: 'staff/ada',
      three: 'staff/owner',
      four: 'Ada',
    })
    const add = async (tenant: TenantId) => (await users.add(tenant, { name: 'ada', role: 'member' })).id
    const [here, there] = [await add(DEFAULT_TENANT), await add(STAFF)]
    expect(await userOf(ISSUER, 'one')).toEqual({ tenant: DEFAULT_TENANT, userId: here })
    expect(await userOf(ISSUER, 'two')).toEqual({ tenant: STAFF, userId: there })
    for (const nobody of ['three', 'four', 'five', 'ada', '__proto__', here]) {
      expect([nobody, await userOf(ISSUER, nobody)]).toEqual([nobody, undefined])
    }
    expect(await userOf('https://other.example', 'two')).toBeUndefined()
  })

  test('and for who linked that account, unless people of two tenants did', async () => {
    await using fresh = await openFresh()
    const { userOf, linked, told } = await openScene(fresh)
    const [ada, sten] = [await linked(DEFAULT_TENANT, 'ada', 'a'), await linked(STAFF, 'sten', 's')]
    expect([await userOf(ISSUER, 'a'), await userOf(ISSUER, 's')]).toEqual([ada, sten])
    await linked(STAFF, 'ada', 'a')
    expect(told).toEqual([])
    expect(await userOf(ISSUER, 'a')).toBeUndefined()
    expect(told).toEqual(['oauth.subject_ambiguous'])
  })

  test('whoever is named is meant, whoever linked it; an agent never is', async () => {
    await using fresh = await openFresh()
    const { userOf, linked } = await openScene(fresh, { a: 'staff/ada', b: 'bot' })
    await linked(DEFAULT_TENANT, 'ada', 'a')
    const ada = await linked(STAFF, 'ada', 'a')
    expect(await userOf(ISSUER, 'a')).toEqual(ada)
    await linked(DEFAULT_TENANT, 'bot', 'c', 'agent')
    expect([await userOf(ISSUER, 'b'), await userOf(ISSUER, 'c')]).toEqual([undefined, undefined])
  })
})
