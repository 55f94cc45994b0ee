import { describe, expect, test } from 'vitest'
import { ada, bob, failureOf, lives, odd, openPlace, toolCall, until, type Place } from './children-harness.ts'

/** The gate still serves somebody else at once, whatever one child does. */
async function stillServes(place: Place): Promise<void> {
  expect(await place.tool(bob, odd(), 'echo', { to: 'bob' })).toContain('bob')
}

describe('a child that ends', () => {
  test('in mid-call fails every call it had, and the next call starts a new one', async () => {
    await using place = openPlace()
    const pid = await place.tool(ada, odd(), 'pid')
    const silent = failureOf(place.call(ada, odd(), toolCall('silent')))
    const dying = await failureOf(place.call(ada, odd(), toolCall('die')))
    expect(dying).toMatchObject({ code: 'upstream.died', cause: { message: 'exited with code 7' } })
    expect((await silent).code).toBe('upstream.died')
    expect(await place.tool(ada, odd(), 'pid')).not.toBe(pid)
  })

  test('right after its answer has still answered', async () => {
    await using place = openPlace()
    expect(await place.call(ada, odd(), toolCall('answerAndDie'))).toBe('{"jsonrpc":"2.0","id":"a","result":{}}')
  })

  test('and closes its stdin while it lives is given up, and takes nothing with it', async () => {
    await using place = openPlace()
    const pid = Number(await place.tool(ada, odd(), 'pid'))
    await place.tool(ada, odd(), 'closeStdin')
    expect((await failureOf(place.tool(ada, odd(), 'echo', { big: 'x'.repeat(1_000_000) }))).code).toBe('upstream.died')
    await until(() => !lives(pid))
    await stillServes(place)
  })
})

describe('a child that does not read', () => {
  test('makes calls wait for their own deadline, and only one of them is written', async () => {
    await using place = openPlace()
    await place.tool(ada, odd(), 'deaf')
    const signal = AbortSignal.timeout(500)
    const calls = Array.from({ length: 20 }, () =>
      place.call(ada, odd(), toolCall('echo', { big: 'x'.repeat(500_000) }, { signal })),
    )
    await until(() => place.children.find(ada)?.pending === 1)
    const settled = await Promise.allSettled(calls)
    expect(settled.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 'rejected'))
    await stillServes(place)
  })
})

describe('a flood', () => {
  test('without a line end is ended at the limit', async () => {
    await using place = openPlace({ lineBytes: 1_000_000 })
    const pid = Number(await place.tool(ada, odd(), 'pid'))
    const failure = await failureOf(place.call(ada, odd(), toolCall('flood')))
    expect(failure).toMatchObject({ code: 'upstream.too_large', details: { limit: 1_000_000 } })
    await until(() => !lives(pid))
    await stillServes(place)
  })

  test('of lines that are not MCP is slowed down, kept within the log, and costs nobody else a call', async () => {
    await using place = openPlace({ logBytes: 2_000 })
    const signal = AbortSignal.timeout(1_500)
    const drowned = place.call(ada, odd(), toolCall('garbage', {}, { signal })).catch(() => 'drowned')
    await until(() => place.children.logs(ada).includes('[not MCP] {}'))
    for (let index = 0; index < 20; index++) await stillServes(place)
    expect(await drowned).toBe('drowned')
    expect(place.children.logs(ada).length).toBeLessThanOrEqual(2_000)
  })

  test('an answer within the limit passes whole', async () => {
    await using place = openPlace()
    expect(await place.tool(ada, odd(), 'huge', { bytes: 5_000_000 })).toHaveLength(5_000_000)
  })

  test('an answer over the limit is a failure that names the limit', async () => {
    await using place = openPlace({ lineBytes: 100_000 })
    expect((await failureOf(place.tool(ada, odd(), 'huge', { bytes: 200_000 }))).message).toBe(
      'odd gave an answer larger than 100000 bytes.',
    )
  })
})

describe('memory', () => {
  test('over the limit ends the whole child and says so to whoever waits', async () => {
    await using place = openPlace({ memoryMb: 250, sampleMs: 50 })
    const pid = Number(await place.tool(ada, odd(), 'pid'))
    const failure = await failureOf(place.call(ada, odd(), toolCall('eat')))
    expect(failure).toMatchObject({ code: 'upstream.memory', details: { server: 'odd', megabytes: 250 } })
    await until(() => !lives(pid))
    expect(await place.tool(ada, odd(), 'pid')).not.toBe(String(pid))
  })

  test('is shown, counting descendants', async () => {
    await using place = openPlace({ sampleMs: 50 })
    await place.tool(ada, odd(), 'pid')
    await place.tool(bob, odd('family'), 'pid')
    const mb = (owner: typeof ada) => place.children.find(owner)?.rssMb ?? 0
    await until(() => mb(ada) > 0 && mb(bob) > mb(ada) * 2)
    expect(place.children.list().map(({ state }) => state)).toEqual(['ready', 'ready'])
  })
})
