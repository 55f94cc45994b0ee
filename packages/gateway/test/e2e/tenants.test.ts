import { startEverything } from '@sekisho/playground/everything/http'
import { expect, test } from 'vitest'
import { textAt } from '../../../../scripts/lib/admin.ts'
import { startGate } from '../../../../scripts/lib/gate.ts'
import { systemClock } from '../../src/base/clock.ts'
import { createIds, type TenantId } from '../../src/base/ids.ts'
import { createApiKeys } from '../../src/identity/keys.ts'
import { createUsers } from '../../src/identity/users.ts'
import { quiet } from '../stores/quiet.ts'
import { addPerson, adminWith, childServer, doorOf, personalServer } from './place.ts'
import { changeDatabase, freshDataDir } from './stopped.ts'
import { namesOf, textFrom, type Door } from './wire.ts'

const config = (url: string) => ({
  mcpServers: {
    http: personalServer(url),
    own: childServer({ PERSONAL_TOOL: { $userToken: 'of_{{token}}' } }),
    shared: childServer({}, { shared: true }),
  },
})

/** Makes a second tenant with an administrator called ada, and answers with her key. */
function addTenant(dataDir: string): Promise<string> {
  const tenant = 'ten_other' as TenantId
  return changeDatabase(dataDir, async (storage) => {
    await storage.system.insertInto('tenants').values({ id: tenant, name: 'Other', created_at: 0 }).execute()
    const newId = createIds(systemClock)
    const users = createUsers({ storage, newId, clock: systemClock, changed() {} })
    const keys = createApiKeys({ storage, newId, clock: systemClock, log: quiet })
    const { id: userId } = await users.add(tenant, { name: 'ada', role: 'owner' })
    return (await keys.add(tenant, { userId, name: 'other', scopes: ['mcp', 'admin'] })).key.reveal()
  })
}

test('two tenants with a user of the same name have keys, tokens, lists, children and logs apart', async () => {
  using place = freshDataDir()
  await using everything = await startEverything({ port: 0 })
  const before = await startGate({ dataDir: place.dataDir })
  await before.stop()
  const key = await addTenant(place.dataDir)
  await using gate = await startGate({ config: config(everything.url), dataDir: place.dataDir })
  const here = await addPerson(gate, 'ada')
  const there = { name: 'ada', id: '', key }
  for (const server of ['http', 'own']) {
    await gate.setToken('ada', server, `of-here-${server}`)
    const set = await adminWith({ url: gate.url, key }, 'PUT', `/admin/api/tokens/${server}`, {
      token: `of-there-${server}`,
    })
    expect(set.status).toBe(204)
  }

  // Each call carries the token of its own tenant's ada.
  const doors = [doorOf(gate, here), doorOf(gate, there)]
  const headers = await Promise.all(doors.map((door) => textFrom(door, 'http__echo_headers')))
  expect(headers.map((text) => JSON.parse(text).authorization)).toEqual(['Bearer of-here-http', 'Bearer of-there-http'])
  // Lists and children, personal or shared, are of one tenant.
  const [hereNames, thereNames] = await Promise.all(doors.map(namesOf))
  expect(hereNames?.filter((name) => name.includes('of_of'))).toEqual(['own__of_of-here-own'])
  expect(thereNames?.filter((name) => name.includes('of_of'))).toEqual(['own__of_of-there-own'])
  const pids = await Promise.all(doors.flatMap((door) => [pidOf(door, 'own'), pidOf(door, 'shared')]))
  expect(new Set(pids).size).toBe(4)
  // What a shared child writes is read in its own tenant only.
  await textFrom(doorOf(gate, here), 'shared__complain', { text: 'said here' })
  expect(await adminWith({ url: gate.url, key }, 'GET', '/admin/api/logs/shared')).toEqual({ status: 200, text: '' })
})

test('an administrator of one tenant sees and changes nothing of another', async () => {
  using place = freshDataDir()
  const before = await startGate({ dataDir: place.dataDir })
  await before.stop()
  const key = await addTenant(place.dataDir)
  await using gate = await startGate({ config: { mcpServers: { own: childServer() } }, dataDir: place.dataDir })
  const bob = await addPerson(gate, 'bob')
  const made = await gate.admin('POST', '/admin/api/keys', { user: 'bob' })
  const id = textAt(Reflect.get(made.body as object, 'record'), 'id')
  await textFrom(doorOf(gate, bob), 'own__whoami')

  const ask = (method: string, path: string) => adminWith({ url: gate.url, key }, method, path)
  for (const path of ['users', 'keys', 'tokens', 'status']) {
    const { status, text } = await ask('GET', `/admin/api/${path}`)
    expect([path, status]).toEqual([path, 200])
    for (const foreign of ['bob', bob.id, id, '"pid"', '"name":"admin"']) expect(text).not.toContain(foreign)
  }
  for (const [method, path] of [
    ['DELETE', 'users/bob'],
    ['DELETE', `users/${bob.id}`],
    ['PATCH', `users/${bob.id}`],
    ['DELETE', `keys/${id}`],
    ['GET', 'keys?user=bob'],
    ['GET', `tokens?user=${bob.id}`],
  ] as const) {
    const body = method === 'PATCH' ? { role: 'admin' } : undefined
    expect([path, (await adminWith({ url: gate.url, key }, method, `/admin/api/${path}`, body)).status]).toEqual([
      path,
      404,
    ])
  }
  await textFrom(doorOf(gate, { key: textAt(made.body, 'key') }), 'own__whoami')
})

async function pidOf(door: Door, server: string): Promise<number> {
  const self: { pid: number } = JSON.parse(await textFrom(door, `${server}__whoami`))
  return self.pid
}
