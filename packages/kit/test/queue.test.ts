import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createQueue, type Urgency } from '../src/queue.ts'
import { calm, fakeClock } from './clock.ts'

const by = (account: string, urgency: Urgency = 'person', signal = calm) => ({ account, urgency, signal })

describe('the rate', () => {
  test('R2-07: a burst, then one each second; other accounts are not held up', async () => {
    const clock = fakeClock()
    const queue = createQueue({ burst: 3, perSecond: 1 }, clock)
    for (let count = 0; count < 5; count += 1) await queue.take(by('ada'))
    expect(clock.waits).toEqual([1000, 1000])
    await queue.take(by('grace'))
    expect(clock.waits).toHaveLength(2)
  })

  test('R0-39: many at once are as slow as many after each other', async () => {
    const clock = fakeClock()
    const queue = createQueue({ burst: 2, perSecond: 2 }, clock)
    await Promise.all(Array.from({ length: 10 }, () => queue.take(by('ada'))))
    expect(clock.waits).toEqual(Array.from({ length: 8 }, () => 500))
  })

  test('one account that is told to slow down rests as a whole', async () => {
    const clock = fakeClock()
    const queue = createQueue({ burst: 5, perSecond: 1 }, clock)
    queue.rest('ada', 4000)
    await queue.take(by('ada'))
    await queue.take(by('ada'))
    expect(clock.waits).toEqual([4000, 1000])
  })

  test('R0-39: there is one timer, and who leaves does not wait for it', async () => {
    const sleepers: (() => void)[] = []
    const queue = createQueue(
      { burst: 1, perSecond: 1 },
      { now: () => 0, wait: () => new Promise<void>((wake) => void sleepers.push(wake)) },
    )
    await queue.take(by('ada'))
    void queue.take(by('ada'))
    const left = new AbortController()
    const second = queue.take(by('ada', 'person', left.signal))
    left.abort(new Error('left'))
    await expect(second).rejects.toThrow('left')
    expect(sleepers).toHaveLength(1)
  })

  test('the timer ends when nobody waits any more', async () => {
    let isEnded = false
    const queue = createQueue(
      { burst: 1, perSecond: 1 },
      {
        now: () => 0,
        wait: (_, signal) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              isEnded = true
              reject(signal.reason)
            })
          }),
      },
    )
    await queue.take(by('ada'))
    const left = new AbortController()
    const second = queue.take(by('ada', 'person', left.signal))
    left.abort(new Error('left'))
    await expect(second).rejects.toThrow('left')
    expect(isEnded).toBe(true)
  })
})

describe('who goes first', () => {
  test('a person never waits behind bulk work of the same account', async () => {
    const clock = fakeClock()
    const queue = createQueue({ burst: 3, perSecond: 1, reserve: 1 }, clock)
    const order: string[] = []
    const bulk = Array.from({ length: 6 }, (_, index) =>
      queue.take(by('ada', 'bulk')).then(() => order.push(`bulk ${index}`)),
    )
    const person = queue.take(by('ada')).then(() => order.push('person'))
    await person
    // Two of the burst are gone; the third was kept for the person, who waited for nothing.
    expect(order).toEqual(['bulk 0', 'bulk 1', 'person'])
    await Promise.all(bulk)
    expect(order).toHaveLength(7)
  })

  test('accounts that share a rate have their turns in turn, however many requests one of them has', async () => {
    const clock = fakeClock()
    const queue = createQueue({ burst: 10, perSecond: 10, together: { burst: 1, perSecond: 1 } }, clock)
    const order: string[] = []
    const take = (account: string) => queue.take(by(account)).then(() => order.push(account))
    await Promise.all([...Array.from({ length: 8 }, () => take('greedy')), take('ada'), take('grace')])
    expect(order.slice(0, 4).sort()).toEqual(['ada', 'grace', 'greedy', 'greedy'])
  })

  test('property: nobody is forgotten, and no account goes faster than its rate', async () => {
    const request = fc.record({
      account: fc.constantFrom('ada', 'grace', 'edsger'),
      urgency: fc.constantFrom<Urgency>('person', 'bulk'),
      leaves: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), async (all, burst) => {
        const clock = fakeClock()
        const queue = createQueue({ burst, perSecond: 1, together: { burst: 2, perSecond: 2 } }, clock)
        const started: Record<string, number[]> = { ada: [], grace: [], edsger: [] }
        const ends = await Promise.all(
          all.map(async ({ account, urgency, leaves }) => {
            const left = new AbortController()
            const turn = queue.take(by(account, urgency, left.signal)).then(() => started[account]?.push(clock.now()))
            if (leaves) left.abort(new Error('left'))
            return turn.then(
              () => 'went',
              () => 'left',
            )
          }),
        )
        expect(ends).toHaveLength(all.length)
        for (const times of Object.values(started)) {
          const apart = times.slice(burst).map((time, index) => time - (times[index] ?? 0))
          expect(apart.filter((ms) => ms < 1000)).toEqual([])
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('budgets', () => {
  test('are kept of many accounts, and not of any number', async () => {
    const clock = fakeClock()
    const queue = createQueue({ burst: 1, perSecond: 1, budgets: { perDay: 10 } }, clock)
    for (let count = 0; count < 20_000; count += 1) {
      await queue.take(by(`made up ${count}`))
      clock.pass(1)
    }
    const isKept = (count: number) => queue.spent(`made up ${count}`).length > 0
    expect([0, 5999, 10_000, 19_999].map(isKept)).toEqual([false, false, true, true])
  })

  test('what is spent is refused at once, and says when it goes on', async () => {
    const clock = fakeClock()
    const queue = createQueue({ burst: 100, perSecond: 100, budgets: { perHour: 3, perDay: 5 } }, clock)
    const beganAt = clock.now()
    for (let count = 0; count < 3; count += 1) await queue.take(by('ada'))
    await expect(queue.take(by('ada'))).rejects.toMatchObject({
      spent: { period: 'hour', used: 3, of: 3, renewedAt: beganAt + 3_600_000 },
    })
    await queue.take(by('grace'))

    clock.pass(3_600_000)
    await queue.take(by('ada'))
    await queue.take(by('ada'))
    await expect(queue.take(by('ada'))).rejects.toMatchObject({ spent: { period: 'day', used: 5 } })
    expect(queue.spent('ada')).toMatchObject([
      { period: 'hour', used: 2 },
      { period: 'day', used: 5 },
    ])
    clock.pass(86_400_000)
    await queue.take(by('ada'))
  })

  test('bulk work leaves a tenth of a budget for the person', async () => {
    const queue = createQueue({ burst: 100, perSecond: 100, budgets: { perHour: 10 } }, fakeClock())
    for (let count = 0; count < 9; count += 1) await queue.take(by('ada', 'bulk'))
    await expect(queue.take(by('ada', 'bulk'))).rejects.toThrow('spent')
    await queue.take(by('ada'))
    await expect(queue.take(by('ada'))).rejects.toThrow('spent')
  })
})
