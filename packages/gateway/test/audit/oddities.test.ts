import { describe, expect, test } from 'vitest'
import { BURST, findOddSignIn, hasMoved, placeOf, REMEMBERED_MS } from '../../src/audit/oddities.ts'
import type { RecentEntry } from '../../src/audit/recent.ts'
import { createWatch } from '../../src/audit/watch.ts'
import type { AuditEvent, EventKind } from '../../src/audit/events.ts'
import type { UserId } from '../../src/base/ids.ts'
import { createTestClock, ten } from '../stores/databases.ts'

const HOUR = 3_600_000
const NOW = 1_000 * HOUR
const here = { browser: 'Firefox on Linux', address: '192.0.2.7' }

const entry = (kind: EventKind, hoursAgo: number, fields = {}): RecentEntry => ({
  kind,
  at: NOW - hoursAgo * HOUR,
  fields,
})
const came = (hoursAgo: number, from = {}) => entry('login.ok', hoursAgo, { ...here, ...from })
const failed = (count: number, hoursAgo: number) => Array.from({ length: count }, () => entry('login.failed', hoursAgo))

describe('R0-56d: a sign-in', () => {
  test.for<[string, RecentEntry[], object, string[]]>([
    ['of somebody who was never there', [], {}, []],
    ['as always', [came(5)], {}, []],
    ['from elsewhere in the same network', [came(5)], { address: '192.0.99.1' }, []],
    ['from another network', [came(5)], { address: '198.51.100.1' }, ['new_place']],
    ['with another browser', [came(5)], { browser: 'Chrome on Windows' }, ['new_place']],
    [
      'with a browser and from a network that are known from different times',
      [came(5, { browser: 'Safari on iPhone' }), came(9, { address: '2001:db8::1' })],
      { browser: 'Safari on iPhone', address: '2001:db8:7::1' },
      [],
    ],
    ['after four failures', [...failed(4, 1), came(5)], {}, []],
    ['after five failures', [...failed(5, 1), came(5)], {}, ['after_failures']],
    ['after five failures, a first time', failed(5, 1), {}, ['after_failures']],
    ['after failures before the sign-in before', [came(1), ...failed(5, 2)], {}, []],
    ['after failures of the day before yesterday', failed(5, 48), {}, []],
    [
      'after failures, and from nowhere known',
      [...failed(5, 1), came(9)],
      { address: '198.51.100.1' },
      ['new_place', 'after_failures'],
    ],
  ])('%s', ([, before, from, odd]) => {
    expect(findOddSignIn({ ...here, ...from }, before, NOW)).toEqual(odd)
  })
})

test.for([
  ['192.0.2.7', '192.0.0.0/16'],
  ['2001:db8::1', '2001:db8::/32'],
  ['::1', 'this machine'],
  ['127.0.0.1', 'this machine'],
  ['unknown', 'unknown'],
] as const)('the place of %s is its network, and no more is kept of it', ([address, place]) => {
  expect(placeOf(address)).toBe(place)
})

test.for([
  ['was not used yet', { usedAt: null, place: '198.51.0.0/16' }, false],
  ['was never seen anywhere', { usedAt: NOW - 1_000 * HOUR, place: null }, false],
  ['was used last week', { usedAt: NOW - 100 * HOUR, place: '198.51.0.0/16' }, false],
  ['was long away, and is where it was', { usedAt: NOW - 1_000 * HOUR, place: '192.0.0.0/16' }, false],
  ['was long away, and is elsewhere', { usedAt: NOW - 1_000 * HOUR, place: '198.51.0.0/16' }, true],
] as const)('a client that %s', ([, before, moved]) => {
  expect(hasMoved(before, here.address, NOW)).toBe(moved)
})

describe('refused calls', () => {
  function openWatch() {
    const clock = createTestClock()
    const events: AuditEvent[] = []
    const odd: string[] = []
    const audit = {
      note: (_tenant: string, event: AuditEvent) => void events.push(event),
      flush: () => Promise.resolve(),
    }
    const watch = createWatch({ audit, recent: () => Promise.resolve([]), clock, onOdd: (what) => void odd.push(what) })
    const refuse = (times: number, userId = 'usr_ada' as UserId) => {
      for (let count = 0; count < times; count++) watch.refused({ tenant: ten, userId }, { key: 'key_1' })
    }
    return { clock, events, odd, refuse }
  }

  test('are told once they are a burst, once an hour, of each user apart', () => {
    const { clock, events, odd, refuse } = openWatch()
    refuse(BURST.calls - 1)
    refuse(BURST.calls - 1, 'usr_ben' as UserId)
    expect(odd).toEqual([])
    refuse(3)
    expect(events).toEqual([
      {
        kind: 'account.odd',
        what: 'many_refused',
        userId: 'usr_ada',
        key: 'key_1',
        count: BURST.calls,
        requestId: undefined,
      },
    ])
    refuse(BURST.calls)
    clock.turn(BURST.againMs)
    refuse(BURST.calls)
    expect(odd).toEqual(['many_refused', 'many_refused'])
  })

  test('that are far between are none', () => {
    const { clock, odd, refuse } = openWatch()
    for (let round = 0; round < 4; round++) {
      refuse(BURST.calls - 1)
      clock.turn(BURST.withinMs)
    }
    expect(odd).toEqual([])
  })
})

test('sign-ins are compared for as long as the page shows them', () => {
  expect(REMEMBERED_MS).toBe(90 * 24 * HOUR)
})
