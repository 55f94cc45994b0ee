import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGate, type Gate, type GateOptions } from '../../../../../scripts/lib/gate.ts'
import { asAnswer, codeOf } from '../../e2e/failures.ts'
import { doorOf } from '../../e2e/place.ts'
import { openSchema } from '../../e2e/sign-in/postgres.ts'
import { openSession, send, textFrom } from '../../e2e/wire.ts'
import { REDIS, withoutRedis } from '../../storage/shared/places.ts'
import { withoutPostgres } from '../../stores/databases.ts'
import { startOddUpstream, type OddUpstream } from '../odd-upstream.ts'

let upstream: OddUpstream
beforeAll(async () => {
  upstream = await startOddUpstream()
})
afterAll(() => upstream[Symbol.asyncDispose]())

const open = (options: GateOptions = {}) =>
  startGate({ config: { mcpServers: { odd: { url: `${upstream.origin}/dual` } } }, ...options })

interface Thief {
  readonly key: string
}

/** Uses a session in every way there is; gives the status of each. */
async function tryAll(gate: Gate, { key }: Thief, session: Readonly<Record<string, string>>) {
  const headers = { Authorization: `Bearer ${key}`, 'MCP-Protocol-Version': '2025-11-25', ...session }
  const events = { ...headers, Accept: 'text/event-stream' }
  const door = doorOf(gate, { key }, 'legacy')
  const posted = await send(door, 'tools/call', { name: 'odd__echo' }, { headers: session })
  const got = await fetch(`${gate.url}/mcp`, { headers: events })
  const resumed = await fetch(`${gate.url}/mcp`, { headers: { ...events, 'Last-Event-ID': 's.i.1_1' } })
  const ended = await fetch(`${gate.url}/mcp`, { method: 'DELETE', headers })
  for (const answer of [got, resumed, ended]) await answer.body?.cancel()
  return { code: codeOf(asAnswer(posted)), status: [posted.status, got.status, resumed.status, ended.status] }
}

const NOTHING = { code: 'request.session_unknown', status: [404, 404, 404, 404] }

describe('a session of MCP', () => {
  test('of another user opens nothing, and is not ended by them (MCP security best practices: session hijacking)', async () => {
    await using gate = await open()
    const [ada, eve] = [await gate.addUser('ada'), await gate.addUser('eve')]
    const session = await openSession(doorOf(gate, ada, 'legacy'))
    expect(await tryAll(gate, eve, session)).toEqual(NOTHING)
    expect(await textFrom(doorOf(gate, ada, 'legacy'), 'odd__echo', {}, { headers: session })).toContain('echo')
    const id = session['Mcp-Session-Id']
    const changed = [`A${id.slice(1)}`, `${id}A`, id.slice(0, -2), `${id.slice(0, -1)}${id.endsWith('A') ? 'Q' : 'A'}`]
    for (const one of changed.filter((one) => one !== id))
      expect((await tryAll(gate, ada, { 'Mcp-Session-Id': one })).status).toEqual(NOTHING.status)
  })

  test('opens nothing without a key, and says nothing of whether it is there (MCP security best practices: session hijacking)', async () => {
    await using gate = await open()
    const ada = await gate.addUser('ada')
    const session = await openSession(doorOf(gate, ada, 'legacy'))
    const answers = [session, { 'Mcp-Session-Id': 'made-up' }].map(async (headers) => {
      const answer = await fetch(`${gate.url}/mcp`, { method: 'POST', headers, body: '{}' })
      const { error } = (await answer.json()) as { error: { message: string } }
      return [answer.status, error.message, answer.headers.get('www-authenticate')]
    })
    const [real, madeUp] = await Promise.all(answers)
    expect(real).toEqual(madeUp)
    expect(real?.[0]).toBe(401)
  })

  test('does not show an event of another user’s to who names its id (MCP security best practices: session hijacking: event injection)', async () => {
    await using gate = await open()
    const [ada, eve] = [await gate.addUser('ada'), await gate.addUser('eve')]
    const events = async ({ key }: Thief, more: Readonly<Record<string, string>>) => {
      const session = await openSession(doorOf(gate, { key }, 'legacy'))
      const headers = { Authorization: `Bearer ${key}`, Accept: 'text/event-stream', ...session, ...more }
      const answer = await fetch(`${gate.url}/mcp`, { headers: { 'MCP-Protocol-Version': '2025-11-25', ...headers } })
      const first = await answer.body?.getReader().read()
      return { status: answer.status, text: Buffer.from(first?.value ?? []).toString() }
    }
    const adas = await events(ada, {})
    const id = /^id: ?(.+)$/m.exec(adas.text)?.[1] ?? ''
    expect([adas.status, id]).toEqual([200, expect.stringMatching(/\S/)])
    expect((await events(eve, { 'Last-Event-ID': id })).status).toBe(404)
  })
})

describe.skipIf(withoutRedis || withoutPostgres)('with several processes, a session of MCP', () => {
  test(
    'of another user opens nothing in another process, and its own user’s does (MCP security best practices: session hijacking)',
    { timeout: 60_000 },
    async () => {
      await using schema = await openSchema()
      const env = {
        DATABASE_URL: schema.databaseUrl,
        REDIS_URL: REDIS,
        SEKISHO_ROOT_KEY: randomBytes(32).toString('base64'),
      }
      await using one = await open({ env })
      await using other = await open({ env })
      const [ada, eve] = [await one.addUser('ada'), await one.addUser('eve')]
      const session = await openSession(doorOf(one, ada, 'legacy'))
      expect(await tryAll(other, eve, session)).toEqual(NOTHING)
      expect(await textFrom(doorOf(other, ada, 'legacy'), 'odd__echo', {}, { headers: session })).toContain('echo')
    },
  )
})
