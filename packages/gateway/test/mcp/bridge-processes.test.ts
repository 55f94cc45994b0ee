import { randomBytes } from 'node:crypto'
import { startEverything } from '@sekisho/playground/everything/http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGate } from '../../../../scripts/lib/gate.ts'
import { openSchema } from '../e2e/sign-in/postgres.ts'
import { doorOf } from '../e2e/place.ts'
import { resultOf, send, type Door, type ToolResult } from '../e2e/wire.ts'
import { REDIS, withoutRedis } from '../storage/shared/places.ts'
import { withoutPostgres } from '../stores/databases.ts'
import { asking, connectAsked } from './bridge-asked.ts'

/** Two gates on one database, and an older server behind both. */
async function openTwo() {
  await using stack = new AsyncDisposableStack()
  const everything = stack.use(await startEverything({ port: 0, era: 'legacy' }))
  const { databaseUrl } = stack.use(await openSchema())
  const env = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: REDIS,
    SEKISHO_ROOT_KEY: randomBytes(32).toString('base64'),
  }
  const config = { mcpServers: { old: { url: everything.url } } }
  const one = stack.use(await startGate({ config, env }))
  const other = stack.use(await startGate({ config, env }))
  const { key } = await one.addUser('ada')
  const kept = stack.move()
  return { one, other, key, close: () => kept.disposeAsync() }
}

const CAPABLE = { _meta: { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } } }
const params = { name: 'test_elicitation', arguments: { message: 'Who?' }, ...CAPABLE }

interface Asked {
  readonly requestState: string
}

function comeTo(door: Door, { requestState }: Asked) {
  const inputResponses = { q1: { action: 'decline' } }
  return send(door, 'tools/call', { ...params, inputResponses, requestState }, { id: 2 })
}

describe.skipIf(withoutRedis || withoutPostgres)('several processes behind one address', () => {
  let place: Awaited<ReturnType<typeof openTwo>>
  beforeAll(async () => {
    place = await openTwo()
  }, 120_000)
  afterAll(() => place.close())

  test('serve a client whose every request comes to the next of them', async () => {
    const ports = [place.one, place.other].map(({ url }) => new URL(url).port)
    let turn = 0
    const roundRobin = (url: string | URL, init?: RequestInit) => {
      const next = new URL(url)
      next.port = ports[turn++ % ports.length] ?? ''
      return fetch(next, init)
    }
    const client = await connectAsked('modern', `${place.one.url}/mcp`, { key: place.key, fetch: roundRobin })
    for (const [tool, args, expected] of asking) {
      const { content } = await client.callTool({ name: `old__${tool}`, arguments: args })
      expect([tool, content]).toEqual([tool, [{ type: 'text', text: expected }]])
    }
    await client.close()
    expect(turn).toBeGreaterThan(2 * asking.length)
  })

  /** The last: one of them is gone afterwards. */
  test('say that a call is lost with the one that kept it, and not before', async () => {
    const { one, other, key } = place
    const first: Asked = resultOf(await send(doorOf(one, { key }, 'modern', 'old'), 'tools/call', params))
    const second: Asked = resultOf(await send(doorOf(one, { key }, 'modern', 'old'), 'tools/call', params))
    const there = doorOf(other, { key }, 'modern', 'old')
    const answered = resultOf<ToolResult>(await comeTo(there, first))
    expect(answered.content[0]?.text).toContain('action=decline')
    expect(resultOf<ToolResult>(await comeTo(there, first))).toEqual(answered)

    await one.kill('SIGKILL')
    const lost = resultOf<ToolResult & { _meta: object }>(await comeTo(there, second))
    expect(lost).toMatchObject({ isError: true, _meta: { 'dev.sekisho/error': { code: 'call.lost' } } })
  })
})
