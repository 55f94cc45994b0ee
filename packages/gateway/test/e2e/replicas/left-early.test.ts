import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { withoutRedis } from '../../storage/shared/places.ts'
import { withoutPostgres } from '../../stores/databases.ts'
import { doorOf, until } from '../place.ts'
import { openSession, send, textFrom } from '../wire.ts'
import { openTwo } from './two.ts'

/** Holds the table of sessions, so that who looks for one has to wait. */
async function holdSessions(databaseUrl: string) {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query('begin')
  await client.query('lock table mcp_sessions in access exclusive mode')
  return {
    async isAwaited() {
      const waiting = await client.query(
        "select 1 from pg_locks where not granted and relation = 'mcp_sessions'::regclass",
      )
      return waiting.rows.length > 0
    },
    [Symbol.asyncDispose]: () => client.end(),
  }
}

describe.skipIf(withoutRedis || withoutPostgres)('a client that hangs up while its session is looked for', () => {
  test('has its call made at no server', async () => {
    await using processes = await openTwo()
    const { one, two } = processes
    const { key } = await one.addUser('ada')
    const [here, there] = [doorOf(one, { key }, 'legacy'), doorOf(two, { key }, 'legacy')]
    const headers = await openSession(here)
    await textFrom(there, 'slow__slow_calls')

    const hangUp = new AbortController()
    const params = { name: 'slow__slow', arguments: { ms: 600_000, label: 'left' } }
    {
      await using held = await holdSessions(processes.databaseUrl)
      const call = send(there, 'tools/call', params, { headers, signal: hangUp.signal })
      await until(held.isAwaited)
      hangUp.abort()
      await expect(call).rejects.toThrow('aborted')
      await pause(200)
    }
    await pause(500)
    expect(await textFrom(here, 'slow__slow_calls')).toBe('[]')
  })
})
