import { describe, expect, test } from 'vitest'
import type { Gate } from '../../../../../scripts/lib/gate.ts'
import { withoutRedis } from '../../storage/shared/places.ts'
import { withoutPostgres } from '../../stores/databases.ts'
import { doorOf, until } from '../place.ts'
import { errorOf, openSession, send, tell, textFrom } from '../wire.ts'
import { openTwo } from './two.ts'

describe.skipIf(withoutRedis || withoutPostgres)('two processes behind a proxy that knows no sessions', () => {
  test('end a call that its client cancels at the other one, and no call of anybody else', async () => {
    await using processes = await openTwo()
    const { one, two } = processes
    const legacy = (gate: Gate, key: string) => doorOf(gate, { key }, 'legacy')
    const ada = (await one.addUser('ada')).key
    const bob = (await one.addUser('bob')).key
    const hers = await openSession(legacy(one, ada))
    const his = await openSession(legacy(two, bob))
    const running = async () => {
      const calls: { label: string; outcome: string }[] = JSON.parse(
        await textFrom(legacy(one, ada), 'slow__slow_calls'),
      )
      return calls.filter(({ outcome }) => outcome === 'running').map(({ label }) => label)
    }
    const call = (key: string, label: string, headers: Record<string, string>) =>
      send(
        legacy(one, key),
        'tools/call',
        { name: 'slow__slow', arguments: { ms: 600_000, label } },
        { id: 1, headers },
      )
    const cancel = (key: string, headers: Record<string, string>) =>
      tell(legacy(two, key), 'notifications/cancelled', { requestId: 1 }, headers)

    const slow = [call(ada, 'ada', hers), call(bob, 'bob', his)] as const
    await until(async () => (await running()).length === 2)
    await cancel(ada, hers)
    expect(errorOf(await slow[0])).toMatchObject({ data: { code: 'request.cancelled' } })
    await until(async () => (await running()).length === 1)
    expect(await running()).toEqual(['bob'])
    await cancel(bob, his)
    expect(errorOf(await slow[1])).toMatchObject({ data: { code: 'request.cancelled' } })
  })
})
