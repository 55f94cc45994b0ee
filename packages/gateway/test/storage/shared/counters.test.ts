import { describe, expect, test } from 'vitest'
import type { Allowance, Counters } from '../../../src/storage/shared/counters.ts'
import { startOther } from './other.ts'
import { createListeningLog, eventually, newDatabase, openBreakableRedis, openOnRedis, withoutRedis } from './places.ts'

const unlimited = Number.MAX_SAFE_INTEGER

async function openCounters(count: number): Promise<Counters[]> {
  return (await openOnRedis(count)).map(({ counters }) => counters)
}

/** Asks every few milliseconds, in turn, and counts what was let through. */
async function callFor(milliseconds: number, counters: readonly Counters[], allowance: Allowance): Promise<number> {
  const end = performance.now() + milliseconds
  let through = 0
  for (let index = 0; performance.now() < end; index++) {
    const taken = counters[index % counters.length]?.take('ada', allowance)
    if (taken?.taken === true) {
      through++
      taken.release()
    }
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return through
}

describe.skipIf(withoutRedis)('counters across processes', () => {
  test('three processes together let through what one alone may, within a few percent', async () => {
    const counters = await openCounters(3)
    const allowance = { callsPerMinute: 600, concurrentCalls: unlimited }
    const began = performance.now()
    const through = await callFor(8_000, counters, allowance)
    const due = 600 + (10 * (performance.now() - began)) / 1_000
    expect(through).toBeGreaterThan(0.95 * due)
    expect(through).toBeLessThan(1.05 * due)
  })

  test('many at once in one instant cost later what was too much', async () => {
    const counters = await openCounters(2)
    const allowance = { callsPerMinute: 200, concurrentCalls: unlimited }
    let through = 0
    for (let index = 0; index < 200; index++)
      for (const each of counters) if (each.take('ada', allowance).taken) through++
    // Neither knew of the other: each let through what it may before it has heard.
    expect(through).toBeLessThanOrEqual(40)
    const began = performance.now()
    through += await callFor(4_000, counters, allowance)
    const due = 200 + (200 / 60_000) * (performance.now() - began)
    expect(through).toBeGreaterThan(0.95 * due)
    expect(through).toBeLessThan(1.05 * due)
  })

  test('what one process has used up, the other does not give; it says how long to wait', async () => {
    const [one, two] = await openCounters(2)
    const allowance = { callsPerMinute: 6, concurrentCalls: unlimited }
    for (let index = 0; index < 6; index++) expect(one?.take('ada', allowance).taken).toBe(true)
    await eventually(() => expect(two?.take('ada', allowance)).toMatchObject({ taken: false, because: 'rate' }))
    const refused = two?.take('ada', allowance)
    if (!refused || refused.taken || refused.because !== 'rate') throw new Error('it is refused')
    expect(refused.retryAfterMs).toBeGreaterThan(1_000)
    expect(refused.retryAfterMs).toBeLessThan(60_000)
    expect(two?.take('grace', allowance).taken).toBe(true)
  })

  test('calls that run in one process count in the other, until they have ended', async () => {
    const [one, two] = await openCounters(2)
    const allowance = { callsPerMinute: unlimited, concurrentCalls: 3 }
    const running = [1, 2, 3].map(() => one?.take('ada', allowance))
    expect(running.every((taken) => taken?.taken)).toBe(true)
    await eventually(() => expect(takeAndRelease(two, allowance)).toBe('concurrency'))
    for (const taken of running) if (taken?.taken) taken.release()
    await eventually(() => expect(takeAndRelease(two, allowance)).toBe('taken'))
  })

  test('calls of a process that was killed run no more', async () => {
    const database = newDatabase()
    const [here] = await openOnRedis(1, { database })
    const other = await startOther(database)
    const allowance = { callsPerMinute: 1_000_000, concurrentCalls: 4 }
    for (let index = 0; index < 4; index++) await other.does('take', 'ada')
    await eventually(() => expect(takeAndRelease(here?.counters, allowance)).toBe('concurrency'))
    await other.kill()
    await eventually(() => expect(takeAndRelease(here?.counters, allowance)).toBe('taken'))
  })

  test('while Redis is away each process counts for itself, and together again when it is back', async () => {
    const redis = await openBreakableRedis()
    const { log, heard } = createListeningLog()
    const database = newDatabase()
    const [one] = await openOnRedis(1, { ...redis, database, log })
    const [two] = await openOnRedis(1, { database })
    await redis.goAway()
    await heard('shared.lost')
    const allowance = { callsPerMinute: 30, concurrentCalls: unlimited }
    let through = 0
    for (let index = 0; index < 40; index++) if (one?.counters.take('ada', allowance).taken) through++
    expect(through).toBe(30)
    await redis.comeBack()
    await heard('shared.back')
    for (let index = 0; index < 40; index++) {
      two?.counters.take('bob', allowance)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    one?.counters.take('bob', allowance)
    await eventually(() => expect(one?.counters.take('bob', allowance).taken).toBe(false))
  })
})

function takeAndRelease(counters: Counters | undefined, allowance: Allowance): string {
  const taken = counters?.take('ada', allowance)
  if (!taken?.taken) return taken?.because ?? 'nobody asked'
  taken.release()
  return 'taken'
}
