import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../scripts/lib/gate.ts'
import { sekisho } from '../cli/gate.ts'
import { openBreakable } from '../stores/breakable.ts'
import { withoutPostgres } from '../stores/databases.ts'
import { REDIS, withoutRedis } from '../storage/shared/places.ts'
import { doorOf } from './place.ts'
import { openSchema } from './sign-in/postgres.ts'
import { send } from './wire.ts'

const AWAY = /database cannot be reached: (?:no connection to it can be had|its connection was lost|it is stopping)\./

test.skipIf(withoutPostgres)(
  'a gate whose PostgreSQL goes away says so on every way in, lives, and goes on with it',
  async () => {
    await using schema = await openSchema()
    const url = new URL(schema.databaseUrl)
    const way = await openBreakable(url, 5432)
    url.host = `127.0.0.1:${way.port}`
    await using gate = await startGate({ env: { DATABASE_URL: url.href } })
    const people = [await gate.addUser('ada'), await gate.addUser('bob'), await gate.addUser('eve')] as const
    await way.goAway()

    const [ada, bob, eve] = people
    const call = await send(doorOf(gate, ada), 'server/discover')
    expect(call.messages[0]).toMatch(AWAY)
    expect(call.messages[0]).toContain('"code":"storage.unreachable"')
    const { status, headers } = await send(doorOf(gate, bob, 'legacy'), 'ping')
    expect([status, headers.get('retry-after')]).toEqual([503, '5'])
    await expectAnswers(gate, { code: 'storage.unreachable', words: AWAY })

    const page = await fetch(`${gate.url}/authorize?client_id=x`, { headers: { Accept: 'text/html' } })
    expect([page.status, page.headers.get('retry-after')]).toEqual([503, '5'])
    expect(await page.text()).toMatch(AWAY)

    await way.comeBack()
    expect((await send(doorOf(gate, eve), 'server/discover')).status).toBe(200)
    expect((await gate.admin('POST', '/admin/api/users', { name: 'new' })).status).toBe(201)
    expect(gate.log()).toContain(`connect ECONNREFUSED ${url.host}`)
  },
)

test('a gate whose disk takes nothing more says so, and goes on when it does', async () => {
  await using gate = await startGate()
  const { key } = await gate.addUser('ada', { role: 'owner', scopes: ['admin'] })
  const largestFile = (size: string) =>
    execFileSync('prlimit', ['--pid', String(gate.pid), `--fsize=${size}:unlimited`])
  largestFile('4096')
  await expectAnswers(gate, { code: 'storage.failing', words: /database cannot be used: its disk cannot be read or/ })
  const added = await fetch(`${gate.url}/admin/api/users`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'new' }),
  })
  expect([added.status, added.headers.get('retry-after')]).toEqual([503, '5'])
  largestFile('unlimited')
  expect((await gate.admin('POST', '/admin/api/users', { name: 'new' })).status).toBe(201)
})

test.skipIf(withoutPostgres || withoutRedis)('a start that fails with everything open already ends', async () => {
  await using schema = await openSchema()
  const env = { DATABASE_URL: schema.databaseUrl, SEKISHO_ROOT_KEY: Buffer.alloc(32, 7).toString('base64') }
  const first = await startGate({ env })
  await first.stop()
  const DATABASE_URL = `${schema.databaseUrl}+-c+default_transaction_read_only%3Don`
  const starting = startGate({ config: { tenants: { new: {} } }, env: { ...env, DATABASE_URL, REDIS_URL: REDIS } })
  await expect(starting).rejects.toThrow(/^The gate ended[^]*it can be read only/)
})

interface Expected {
  readonly code: string
  readonly words: RegExp
}

/** The answers of the admin API, of the command line, of a page and of an endpoint of OAuth. */
async function expectAnswers(gate: Gate, { code, words }: Expected): Promise<void> {
  const added = await gate.admin('POST', '/admin/api/users', { name: 'new' })
  expect(added).toMatchObject({ status: 503, body: { error: { code, message: expect.stringMatching(words) } } })

  const typed = await sekisho(['user', 'add', 'new'], { environment: { SEKISHO_DATA: gate.dataDir } })
  expect(typed.code).toBe(1)
  expect(typed.errors).toMatch(words)

  const registered = await fetch(`${gate.url}/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ redirect_uris: ['http://127.0.0.1/back'], token_endpoint_auth_method: 'none' }),
  })
  expect([registered.status, registered.headers.get('retry-after')]).toEqual([503, '5'])
  expect(await registered.json()).toMatchObject({
    error: 'temporarily_unavailable',
    error_description: expect.stringMatching(words),
  })
  for (const answer of [JSON.stringify(added.body), typed.errors]) {
    expect(answer).not.toContain('127.0.0.1')
    expect(answer).not.toMatch(/report it|SQLITE|ECONN/)
  }
}
