import { expect, test } from 'vitest'
import { systemRandom, type TenantId, type UserId } from '../../src/base/ids.ts'
import { createTenants, DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { createSessions } from '../../src/login/sessions.ts'
import { createPeople } from '../identity/people.ts'
import { createTestClock, eachDatabase, quiet } from '../stores/databases.ts'
import { SIGN_IN } from './factors.ts'

const HOUR = 3_600_000
const OTHER = 'ten_other' as TenantId
const from = { browser: 'Firefox/1 Linux', address: '192.0.2.1', amr: ['pwd'] }

eachDatabase((_name, openFresh) => {
  test('R3-31: how long browsers stay signed in is each tenant’s own, and the policy of now counts', async () => {
    await using fresh = await openFresh()
    const { storage } = fresh
    const clock = createTestClock()
    await createTenants({ storage, clock }).ensure('default')
    await storage.system.insertInto('tenants').values({ id: OTHER, name: 'Other', created_at: 0 }).execute()
    const { users } = createPeople(storage, clock)
    const policies = { [DEFAULT_TENANT]: { ...SIGN_IN, maxHours: 10 }, [OTHER]: { ...SIGN_IN, maxHours: 20 } }
    const policyOf = (tenant: TenantId) => policies[tenant] ?? SIGN_IN
    const sessions = createSessions({ storage, clock, random: systemRandom, log: quiet, policyOf, secure: false })
    const cookies: { cookie: string | undefined; tenant: TenantId; id: UserId }[] = []
    for (const tenant of [DEFAULT_TENANT, OTHER]) {
      const { id } = await users.add(tenant, { name: 'ada', role: 'member' })
      const { cookie } = await sessions.start(tenant, id, from)
      expect(cookie).toContain(`Max-Age=${(policies[tenant]?.maxHours ?? 0) * 3_600}`)
      cookies.push({ cookie: cookie.split(';', 1)[0], tenant, id })
    }
    const signedIn = async () => {
      const found = await Promise.all(cookies.map(({ cookie }) => sessions.find(cookie)))
      const listed = await Promise.all(cookies.map(({ tenant, id }) => sessions.list(tenant, id)))
      expect(listed.map(({ length }) => length === 1)).toEqual(found.map((each) => each !== undefined))
      expect(await sessions.count()).toBe(found.filter((each) => each !== undefined).length)
      return found.map((each) => each !== undefined)
    }
    clock.turn(9 * HOUR)
    expect(await signedIn()).toEqual([true, true])
    clock.turn(HOUR)
    expect(await signedIn()).toEqual([false, true])
    policies[OTHER] = { ...SIGN_IN, maxHours: 10 }
    expect(await signedIn()).toEqual([false, false])
    await sessions.close()
  })
})
