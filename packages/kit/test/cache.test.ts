import { describe, expect, test } from 'vitest'
import { createCache } from '../src/cache.ts'
import { calm, fakeClock } from './clock.ts'

const down = new Error('down')

function start({ maxBytes = 10_000 } = {}) {
  const clock = fakeClock()
  const counted: string[] = []
  const cache = createCache({
    clock,
    maxBytes,
    mayBeStale: (error) => error === down,
    count: (key, how) => counted.push(`${key} ${how}`),
  })
  let asked = 0
  const read = (key: string, load: () => Promise<string> | string = () => `answer ${(asked += 1)}`, signal = calm) =>
    cache.read({ key, ttlMs: 1000, signal, load: async () => ({ value: await load(), bytes: 100 }) })
  return { cache, clock, counted, read }
}

describe('what is kept', () => {
  test('is answered for its time, and asked for again after it', async () => {
    const { clock, read, counted } = start()
    expect((await read('ada/list')).value).toBe('answer 1')
    clock.pass(999)
    expect((await read('ada/list')).value).toBe('answer 1')
    clock.pass(1)
    expect((await read('ada/list')).value).toBe('answer 2')
    expect(counted).toEqual(['ada/list cached'])
  })

  test('is forgotten by what it begins with, and not before', async () => {
    const { cache, read } = start()
    await read('ada/list')
    await read('grace/list')
    cache.forget('ada/')
    expect((await read('grace/list')).value).toBe('answer 2')
    expect((await read('ada/list')).value).toBe('answer 3')
  })

  test('is changed in place, or forgotten where the change is not known', async () => {
    const { cache, read } = start()
    await read('ada/list')
    cache.change<string>('ada/list', (value) => `${value}, changed`)
    expect((await read('ada/list')).value).toBe('answer 1, changed')
    cache.change('ada/list', () => undefined)
    expect((await read('ada/list')).value).toBe('answer 2')
  })

  test('stays within its bytes; the longest unused goes first', async () => {
    const { read } = start({ maxBytes: 1500 })
    await read('a')
    await read('b')
    await read('a')
    await read('c')
    expect((await read('a')).value).toBe('answer 1')
    expect((await read('b')).value).toBe('answer 4')
  })

  test('counts what nothing but its key takes', async () => {
    const { cache } = start({ maxBytes: 10_000 })
    let asked = 0
    const load = async () => ({ value: (asked += 1), bytes: 0 })
    const keys = Array.from({ length: 100 }, (_, at) => `ada/found/${at}/${'?'.repeat(1000)}`)
    for (const key of keys) await cache.read({ key, ttlMs: 1000, signal: calm, load })
    for (const key of keys.toReversed()) await cache.read({ key, ttlMs: 1000, signal: calm, load })
    // 2.5 kB each: of a hundred three are kept.
    expect(asked).toBe(197)
  })
})

describe('readings under way', () => {
  test('are joined by whoever asks for the same', async () => {
    const { read, counted } = start()
    const answers = await Promise.all(Array.from({ length: 5 }, () => read('ada/list')))
    expect(answers.map(({ value }) => value)).toEqual(Array.from({ length: 5 }, () => 'answer 1'))
    expect(counted).toHaveLength(4)
  })

  test('go on while anybody waits, and end with the last', async () => {
    const { cache } = start()
    const ends: AbortSignal[] = []
    const left = [new AbortController(), new AbortController()]
    const readings = left.map(({ signal }) =>
      cache.read<string>({
        key: 'ada/list',
        ttlMs: 1000,
        signal,
        load: (until) => {
          ends.push(until)
          return new Promise((_, reject) => {
            until.addEventListener('abort', () => reject(new Error('ended')))
          })
        },
      }),
    )
    left[0]?.abort(new Error('left'))
    await expect(readings[0]).rejects.toThrow('left')
    expect(ends.map(({ aborted }) => aborted)).toEqual([false])
    left[1]?.abort(new Error('left too'))
    await expect(readings[1]).rejects.toThrow('left too')
    expect(ends.map(({ aborted }) => aborted)).toEqual([true])
  })

  test('that began before a change are not kept', async () => {
    const { cache, read } = start()
    const { promise, resolve } = Promise.withResolvers<string>()
    const before = read('ada/list', () => promise)
    cache.change('ada/list', () => undefined)
    resolve('of yesterday')
    expect((await before).value).toBe('of yesterday')
    expect((await read('ada/list', () => 'of today')).value).toBe('of today')
  })
})

describe('while the API is down', () => {
  test('what is older is answered with its age, and nobody asks again at once', async () => {
    const { clock, read } = start()
    const { readAt } = await read('ada/list')
    clock.pass(5000)
    let asked = 0
    const fail = () => {
      asked += 1
      throw down
    }
    expect(await read('ada/list', fail)).toEqual({ value: 'answer 1', readAt, isStale: true })
    expect(await read('ada/list', fail)).toMatchObject({ isStale: true })
    expect(asked).toBe(1)
    clock.pass(30_000)
    expect(await read('ada/list')).toMatchObject({ value: 'answer 2', isStale: false })
  })

  test('a refusal is not hidden behind what is older', async () => {
    const { clock, read } = start()
    await read('ada/list')
    clock.pass(5000)
    await expect(
      read('ada/list', () => {
        throw new Error('private')
      }),
    ).rejects.toThrow('private')
  })
})
