import { expect, test } from 'vitest'
import type { UserId } from '../../src/base/ids.ts'
import { createLimits } from '../../src/limits/spend.ts'
import { createMemoryCounters } from '../../src/storage/shared/memory.ts'
import { createTestClock, other, ten } from '../stores/databases.ts'

const ada = { tenant: ten, userId: 'usr_ada' as UserId }
const grace = { tenant: ten, userId: 'usr_grace' as UserId }

function createScene(allowance: { callsPerMinute: number; concurrentCalls: number }) {
  const clock = createTestClock()
  return { clock, limits: createLimits({ counters: createMemoryCounters(clock), ...allowance }) }
}

const tooOften = (seconds: number) =>
  expect.objectContaining({ code: 'limit.rate', details: { seconds, user: ada.userId } })
const tooMany = expect.objectContaining({ code: 'limit.concurrency' })

test('a minute of calls may come at once; then one is let through as each becomes due', () => {
  const { clock, limits } = createScene({ callsPerMinute: 6, concurrentCalls: 100 })
  for (let index = 0; index < 6; index++) limits.spend(ada)()
  expect(() => limits.spend(ada)).toThrow(tooOften(10))
  clock.turn(9_999)
  expect(() => limits.spend(ada)).toThrow(tooOften(1))
  clock.turn(1)
  limits.spend(ada)()
  expect(() => limits.spend(ada)).toThrow(tooOften(10))
})

test('a long rest saves up no more than a minute of calls', () => {
  const { clock, limits } = createScene({ callsPerMinute: 2, concurrentCalls: 100 })
  clock.turn(3_600_000)
  limits.spend(ada)()
  limits.spend(ada)()
  expect(() => limits.spend(ada)).toThrow(tooOften(30))
})

test('a clock that is set back neither lets calls through nor holds them up', () => {
  const { clock, limits } = createScene({ callsPerMinute: 1, concurrentCalls: 100 })
  limits.spend(ada)()
  clock.turn(-3_600_000)
  expect(() => limits.spend(ada)).toThrow(tooOften(60))
  clock.turn(60_000)
  limits.spend(ada)()
})

test('one call too many at once is refused until another has ended, and costs nothing of the rate', () => {
  const { limits } = createScene({ callsPerMinute: 3, concurrentCalls: 2 })
  const release = limits.spend(ada)
  limits.spend(ada)
  expect(() => limits.spend(ada)).toThrow(tooMany)
  release()
  limits.spend(ada)
})

test('a call that is ended twice makes room once', () => {
  const { limits } = createScene({ callsPerMinute: 100, concurrentCalls: 2 })
  const release = limits.spend(ada)
  limits.spend(ada)
  release()
  release()
  limits.spend(ada)
  expect(() => limits.spend(ada)).toThrow(tooMany)
})

test('nobody draws on the allowance of another user, or of the same id in another tenant', () => {
  const { limits } = createScene({ callsPerMinute: 1, concurrentCalls: 1 })
  limits.spend(ada)
  limits.spend(grace)
  limits.spend({ ...ada, tenant: other })
  expect(() => limits.spend(ada)).toThrow(tooMany)
})
