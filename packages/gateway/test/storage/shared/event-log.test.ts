import { randomBytes } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { EventLog } from '../../../src/storage/shared/event-log.ts'
import { createMemoryEventLog } from '../../../src/storage/shared/memory-event-log.ts'
import { createTestClock } from '../../stores/databases.ts'
import { createListeningLog, eventually, newDatabase, openBreakableRedis, openOnRedis, withoutRedis } from './places.ts'
import { startOther } from './other.ts'

const never = new AbortController().signal
const KEPT_MS = 10 * 60_000

/** Follows a stream, and keeps what comes as `<number> <text>`. */
function follow(log: EventLog, stream: string, after: number, signal = never) {
  const seen: string[] = []
  const take = (at: number, event: Buffer) => void seen.push(`${at} ${event.toString()}`)
  return { seen, ended: log.follow(stream, after, take, signal) }
}

async function append(log: EventLog, stream: string, from: number, to: number): Promise<void> {
  for (let at = from; at <= to; at++) await log.append(stream, at, Buffer.from(`event ${at}`))
}

const numbered = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `${from + index} event ${from + index}`)

interface Logs {
  /** Where the stream is written, and where it is followed: on Redis another process. */
  readonly writing: EventLog
  readonly reading: EventLog
}

const places: Readonly<Record<string, () => Promise<Logs>>> = {
  memory() {
    const log = createMemoryEventLog({ clock: createTestClock() })
    onTestFinished(() => log.close())
    return Promise.resolve({ writing: log, reading: log })
  },
  async redis() {
    const [one, two] = await openOnRedis(2)
    if (!one || !two) throw new Error('there are two')
    return { writing: one.events, reading: two.events }
  },
}

describe.each(withoutRedis ? ['memory'] : ['memory', 'redis'])('in %s', (name) => {
  const open = places[name] ?? expect.unreachable
  test('who comes back is given the events after the last one it has seen', async () => {
    const { writing, reading } = await open()
    await append(writing, 's', 1, 5)
    await writing.finish('s')
    const { seen, ended } = follow(reading, 's', 2)
    expect(await ended).toBe('finished')
    expect(seen).toEqual(numbered(3, 5))
  })

  test('of a stream that goes on, those that come are given too, until it ends', async () => {
    const { writing, reading } = await open()
    await append(writing, 's', 1, 2)
    const { seen, ended } = follow(reading, 's', 1)
    await eventually(() => expect(seen).toEqual(numbered(2, 2)))
    await append(writing, 's', 3, 40)
    await eventually(() => expect(seen).toEqual(numbered(2, 40)))
    await writing.finish('s')
    expect(await ended).toBe('finished')
  })

  test('bytes are kept as they are', async () => {
    const { writing, reading } = await open()
    const event = randomBytes(10_000)
    await writing.append('s', 1, event)
    await writing.finish('s')
    const seen: Buffer[] = []
    await reading.follow('s', 0, (_at, bytes) => void seen.push(bytes), never)
    expect(seen).toEqual([event])
  })

  test('streams do not mix', async () => {
    const { writing, reading } = await open()
    await append(writing, 'one', 1, 3)
    await append(writing, 'two', 1, 1)
    await writing.finish('two')
    const { seen, ended } = follow(reading, 'two', 0)
    expect(await ended).toBe('finished')
    expect(seen).toEqual(numbered(1, 1))
  })

  test('who does not want to follow any more is given nothing more', async () => {
    const { writing, reading } = await open()
    await append(writing, 's', 1, 1)
    const controller = new AbortController()
    const { seen, ended } = follow(reading, 's', 0, controller.signal)
    await eventually(() => expect(seen).toHaveLength(1))
    controller.abort()
    await append(writing, 's', 2, 3)
    expect(await ended).toBe('aborted')
    expect(seen).toEqual(numbered(1, 1))
    expect(await follow(reading, 's', 0, AbortSignal.abort()).ended).toBe('aborted')
  })

  test('one who takes an event badly is told so, and the others go on', async () => {
    const { writing, reading } = await open()
    await append(writing, 's', 1, 1)
    const good = follow(reading, 's', 0)
    let taken = 0
    const bad = reading.follow(
      's',
      0,
      () => {
        if (++taken === 2) throw new Error('badly taken')
      },
      never,
    )
    await eventually(() => expect([good.seen.length, taken]).toEqual([1, 1]))
    await append(writing, 's', 2, 2)
    await expect(bad).rejects.toThrow('badly taken')
    await writing.finish('s')
    expect(await good.ended).toBe('finished')
    expect(good.seen).toEqual(numbered(1, 2))
  })

  test('a stream that nobody has written is gone', async () => {
    const { reading } = await open()
    expect(await follow(reading, 'unheard-of', 0).ended).toBe('gone')
  })

  test('of many events the last thousand are kept', async () => {
    const { writing, reading } = await open()
    await append(writing, 's', 1, 1_010)
    await writing.finish('s')
    expect(await follow(reading, 's', 9).ended).toBe('gone')
    const { seen, ended } = follow(reading, 's', 10)
    expect(await ended).toBe('finished')
    expect(seen).toHaveLength(1_000)
  })

  test('of large events the last four megabytes are kept', async () => {
    const { writing, reading } = await open()
    for (let at = 1; at <= 6; at++) await writing.append('s', at, Buffer.alloc(1024 * 1024))
    await writing.finish('s')
    expect(await follow(reading, 's', 1).ended).toBe('gone')
    const { seen, ended } = follow(reading, 's', 2)
    expect(await ended).toBe('finished')
    expect(seen).toHaveLength(4)
  })
})

describe('in memory', () => {
  test('what came is forgotten ten minutes after the last of it', async () => {
    const clock = createTestClock()
    const log = createMemoryEventLog({ clock })
    await append(log, 's', 1, 2)
    clock.turn(KEPT_MS - 1)
    await append(log, 's', 3, 3)
    clock.turn(KEPT_MS - 1)
    expect(await follow(log, 's', 0, AbortSignal.timeout(10)).ended).toBe('aborted')
    clock.turn(1)
    expect(await follow(log, 's', 0).ended).toBe('gone')
    await log.close()
  })

  test('who follows a quiet stream is still told what comes at last', async () => {
    const clock = createTestClock()
    const log = createMemoryEventLog({ clock })
    await append(log, 's', 1, 1)
    const { seen, ended } = follow(log, 's', 0)
    clock.turn(KEPT_MS)
    await append(log, 'another', 1, 1)
    expect(await follow(log, 's', 0).ended).toBe('gone')
    await append(log, 's', 2, 2)
    await log.finish('s')
    expect(await ended).toBe('finished')
    expect(seen).toEqual(numbered(1, 2))
    await log.close()
  })

  test('of all streams together so much is kept; those that were quiet longest go', async () => {
    const log = createMemoryEventLog({ clock: createTestClock(), bounds: { totalBytes: 3_000 } })
    for (const stream of ['one', 'two', 'three', 'four']) await log.append(stream, 1, Buffer.alloc(1_000))
    for (const stream of ['two', 'three', 'four']) await log.finish(stream)
    expect(await follow(log, 'one', 0).ended).toBe('gone')
    for (const stream of ['two', 'three', 'four']) expect(await follow(log, stream, 0).ended).toBe('finished')
    await log.close()
  })
})

describe.skipIf(withoutRedis)('on Redis', () => {
  test('a stream whose writer is killed is given as far as it came, and then is lost', async () => {
    const database = newDatabase()
    const [here] = await openOnRedis(1, { database })
    if (!here) throw new Error('there is one')
    const other = await startOther(database)
    await other.does('append', 'cut')
    await other.does('append', 'whole')
    await other.does('finish', 'whole')
    const { seen, ended } = follow(here.events, 'cut', 1)
    await eventually(() => expect(seen).toEqual(numbered(2, 3)))
    await other.kill()
    const began = performance.now()
    expect(await ended).toBe('lost')
    expect(performance.now() - began).toBeLessThan(12_000)
    const later = follow(here.events, 'cut', 0)
    expect(await later.ended).toBe('lost')
    expect(later.seen).toEqual(numbered(1, 3))
    expect(await follow(here.events, 'whole', 0).ended).toBe('finished')
  })

  test('an event that could not be kept is a hole, over which nobody is led', async () => {
    const redis = await openBreakableRedis()
    const { log, heard } = createListeningLog()
    const database = newDatabase()
    const [writing] = await openOnRedis(1, { ...redis, database, log })
    const [reading] = await openOnRedis(1, { database })
    if (!writing || !reading) throw new Error('there are two')
    await append(writing.events, 's', 1, 2)
    await redis.goAway()
    await heard('shared.lost')
    await expect(append(writing.events, 's', 3, 3)).rejects.toMatchObject({ code: 'shared.unreachable' })
    await redis.comeBack()
    await heard('shared.back')
    await append(writing.events, 's', 4, 4)
    await writing.events.finish('s')
    const { seen, ended } = follow(reading.events, 's', 0)
    expect(await ended).toBe('gone')
    expect(seen).toEqual(numbered(1, 2))
    expect(await follow(reading.events, 's', 3).ended).toBe('finished')
  })

  test('who follows is not given up while Redis is away', async () => {
    const redis = await openBreakableRedis()
    const { log, heard } = createListeningLog()
    const database = newDatabase()
    const [reading] = await openOnRedis(1, { ...redis, database, log })
    const [writing] = await openOnRedis(1, { database })
    if (!writing || !reading) throw new Error('there are two')
    await append(writing.events, 's', 1, 1)
    const { seen, ended } = follow(reading.events, 's', 0)
    await eventually(() => expect(seen).toHaveLength(1))
    await redis.goAway()
    await heard('shared.lost')
    await append(writing.events, 's', 2, 3)
    await writing.events.finish('s')
    await redis.comeBack()
    expect(await ended).toBe('finished')
    expect(seen).toEqual(numbered(1, 3))
  })
})
