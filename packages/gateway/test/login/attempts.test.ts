import { expect, test } from 'vitest'
import { problem, type Problem } from '../../src/base/problem.ts'
import { createAttempts, type Attempt } from '../../src/login/attempts.ts'
import { createTestClock, other, ten } from '../stores/databases.ts'

const SECOND = 1_000
const HOUR = 3_600_000

function open(refusal?: 'device.throttled') {
  const clock = createTestClock()
  const attempts = createAttempts({ clock, ...(refusal && { refusal }) })
  /** The seconds to wait; none where the attempt was looked at. */
  function waitFor(name = 'ada', tenant = ten): number {
    try {
      attempts.begin(tenant, name)
      return 0
    } catch (error) {
      return Number((error as Problem).details['seconds'])
    }
  }
  return { clock, waitFor, begin: (name = 'ada') => attempts.begin(ten, name) }
}

test('five attempts are free; after that each wait is twice the one before, fifteen minutes at most', () => {
  const { clock, waitFor } = open()
  expect([1, 2, 3, 4, 5].map(() => waitFor())).toEqual([0, 0, 0, 0, 0])
  for (const seconds of [15, 30, 60, 120, 240, 480, 900, 900]) {
    expect([waitFor(), waitFor()]).toEqual([seconds, seconds])
    clock.turn(seconds * SECOND - 1)
    expect(waitFor()).toBe(1)
    clock.turn(1)
    expect(waitFor()).toBe(0)
  }
})

test('whoever waits a day begins anew, and so does whoever was right', () => {
  const { clock, waitFor, begin } = open()
  for (let times = 0; times < 5; times++) begin()
  clock.turn(24 * HOUR - 1)
  expect([waitFor(), waitFor()]).toEqual([0, 30])
  clock.turn(24 * HOUR)
  expect([1, 2, 3, 4, 5, 6].map(() => waitFor())).toEqual([0, 0, 0, 0, 0, 15])
  clock.turn(15 * SECOND)
  begin()()
  expect([1, 2, 3, 4, 5, 6].map(() => waitFor())).toEqual([0, 0, 0, 0, 0, 15])
})

test('each name waits for itself, in each tenant, however its accents are composed', () => {
  const { waitFor } = open()
  for (let times = 0; times < 5; times++) waitFor('zo\u00eb')
  expect(waitFor('zoe\u0308')).toBe(15)
  expect([waitFor('zoe'), waitFor('zo\u00eb', other)]).toEqual([0, 0])
})

test('the refusal says what was guessed at', () => {
  for (const refusal of [undefined, 'device.throttled'] as const) {
    const { begin } = open(refusal)
    for (let times = 0; times < 5; times++) begin()
    expect(() => begin()).toThrow(problem(refusal ?? 'login.throttled', { seconds: 15 }))
  }
})

test('what comes to one process counts in the others, and so does that it was right after all', () => {
  const clock = createTestClock()
  const hearers: ((attempt: Attempt) => void)[] = []
  const openOne = () => {
    const own: ((attempt: Attempt) => void)[] = []
    const tell = (attempt: Attempt) => hearers.filter((take) => !own.includes(take)).forEach((take) => take(attempt))
    const hear = (take: (attempt: Attempt) => void): void => {
      for (const list of [own, hearers]) list.push(take)
    }
    return createAttempts({ clock, others: { tell, hear } })
  }
  const processes = [openOne(), openOne(), openOne()]
  const [one, two, three] = processes
  for (const each of [one, two, three, one]) each?.begin(ten, 'ada')
  const wasRight = two?.begin(ten, 'ada')
  for (const each of processes) {
    expect(() => each.begin(ten, 'ada')).toThrow(problem('login.throttled', { seconds: 15 }))
    each.begin(ten, 'ben')
  }
  wasRight?.()
  for (const each of processes) each.begin(ten, 'ada')
})
