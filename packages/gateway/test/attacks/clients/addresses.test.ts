import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { ping, send } from '../ground.ts'

/** R3-14c: a gate that some networks may reach, behind a proxy that says where requests come from. */
let gate: Gate
let key: string
beforeAll(async () => {
  const allowedAddresses = ['198.51.100.0/24', '2001:db8:5::/48', '203.0.113.7']
  gate = await startGate({ config: { mcpServers: {}, trustProxy: ['loopback'], allowedAddresses } })
  key = (await gate.addUser('ada')).key
})
afterAll(() => gate[Symbol.asyncDispose]())

/** What a good key is answered with from there. */
async function knockFrom(forwarded: string | undefined, url = gate.url): Promise<unknown> {
  const from = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  const { status, body } = await ping(`${url}/mcp`, { authorization: `Bearer ${key}`, ...from })
  return status === 200 ? status : [status, JSON.stringify(body).includes('request.address')]
}

test.for([['198.51.100.9'], ['2001:db8:5::9'], ['::ffff:203.0.113.7'], ['6.6.6.6, 198.51.100.9']])(
  'from %s, which is allowed, a key opens the gate',
  async ([from]) => {
    expect(await knockFrom(from)).toBe(200)
  },
)

test.for([['198.51.101.9'], ['2001:db8:6::9'], ['203.0.113.8'], ['198.51.100.9, 6.6.6.6'], ['unknown'], [undefined]])(
  'a stolen key used from elsewhere, %s, opens nothing (CWE-284)',
  async ([from]) => {
    expect(await knockFrom(from)).toEqual([403, true])
  },
)

test.for(['/sign-in', '/account', '/authorize', '/token', '/register', '/metrics', '/admin/api/users'])(
  'nothing but whether it lives is told of the gate elsewhere: %s (CWE-284)',
  async (path) => {
    const headers = { 'x-forwarded-for': '6.6.6.6' }
    const answer = await send(`${gate.url}${path}`, { headers })
    expect([answer.status, answer.text]).toEqual([403, expect.stringContaining('request.address')])
    for (const health of ['/health/live', '/health/ready'])
      expect((await send(`${gate.url}${health}`, { headers })).status).toBe(200)
  },
)

test('what a caller says of its address counts nothing without a proxy (CWE-348)', async () => {
  const config = { mcpServers: {}, allowedAddresses: ['198.51.100.0/24'] }
  await using other = await startGate({ config })
  key = (await other.addUser('ada')).key
  expect(await knockFrom('198.51.100.9', other.url)).toEqual([403, true])
  const { status } = await other.admin('GET', '/admin/api/users')
  expect(status, 'over the socket of its owner').toBe(200)
})
