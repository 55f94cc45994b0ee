import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { openOnRedis, withoutRedis } from '../storage/shared/places.ts'
import { eventually, initialize, openGate, openStream, type Call } from './sessions-scene.ts'

const call = { id: 'the "id"', method: 'tools/call', params: { name: 'x' } }
const progress = (n: number) => Buffer.from(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"n":${n}}}`)

/** Gives the call that is under way to the test. */
function holdCalls() {
  const { promise, resolve } = Promise.withResolvers<Call>()
  return { onCall: resolve, call: promise }
}

test('who lost the stream of a call has the rest of it, and the answer, at any process', async () => {
  const { onCall, call: begun } = holdCalls()
  const { one, two } = await openGate(2, { onCall })
  const session = await initialize(one)
  const first = await openStream(one, { session, body: (void begun.then((it) => it.outlet.notify(progress(1))), call) })
  expect(await first.next()).toMatchObject({ params: { n: 1 } })
  const seen = first.lastId()
  first.cut()
  const { outlet, end } = await begun
  outlet.notify(progress(2))
  const second = await openStream(two, { session, after: seen })
  expect(await second.next()).toMatchObject({ params: { n: 2 } })
  outlet.notify(progress(3))
  expect(await second.next()).toMatchObject({ params: { n: 3 } })
  const before = second.lastId()
  second.cut()
  end('{"done":true}')
  const third = await openStream(one, { session, after: before })
  expect(await third.next()).toEqual({ jsonrpc: '2.0', id: call.id, result: { done: true } })
  await third.ended()
})

test('the stream of a call begins with an id to come back by, for clients that know what that means', async () => {
  const { onCall, call: begun } = holdCalls()
  const { one } = await openGate(1, { onCall })
  const session = await initialize(one)
  const opened = openStream(one, { session, body: call })
  const { outlet, end } = await begun
  outlet.keepAlive()
  const stream = await opened
  await eventually(() => stream.lastId() !== undefined, 'primed')
  expect(stream.events[0]?.data).toBe('')
  stream.cut()
  const again = await openStream(one, { session, after: stream.events[0]?.id })
  end('{}')
  expect(await again.next()).toMatchObject({ id: call.id })
})

test('a call whose id is longer than what a client could come back with is told all the same, and kept nowhere', async () => {
  const { onCall, call: begun } = holdCalls()
  const { one } = await openGate(1, { onCall })
  const session = await initialize(one)
  const id = 'i'.repeat(100_000)
  void begun.then((it) => it.outlet.notify(progress(1)))
  const stream = await openStream(one, { session, body: { ...call, id } })
  expect(await stream.next()).toMatchObject({ params: { n: 1 } })
  const { end } = await begun
  end('{}')
  expect(await stream.next()).toMatchObject({ id, result: {} })
  expect(stream.lastId()).toBeUndefined()
})

test('nobody but its own session comes back to a call', async () => {
  const { onCall, call: begun } = holdCalls()
  const { one } = await openGate(1, { onCall })
  const session = await initialize(one)
  void begun.then((it) => it.outlet.notify(progress(1)))
  const stream = await openStream(one, { session, body: call })
  await stream.next()
  const after = stream.lastId() ?? ''
  const other = await openStream(one, { session: await initialize(one), after })
  const bob = await openStream(one, { session: await initialize(one, {}, { user: 'bob' }), user: 'bob', after })
  expect([other.status, bob.status]).toEqual([404, 404])
})

test('a call whose stream is kept no more has an answer that says so', async () => {
  const { onCall, call: begun } = holdCalls()
  const { one, clock } = await openGate(1, { onCall })
  const session = await initialize(one)
  void begun.then((it) => it.outlet.notify(progress(1)))
  const stream = await openStream(one, { session, body: call })
  await stream.next()
  stream.cut()
  const { end } = await begun
  end('{}')
  clock.turn(3_600_000)
  const again = await openStream(one, { session, after: stream.lastId() })
  const { id, error } = await again.next()
  expect([id, error?.data?.['code']]).toEqual([call.id, 'request.stream_unknown'])
  await again.ended()
})

test('a call goes on for a while when its client is gone, longer where somebody comes back, and no longer', async () => {
  const { onCall, call: begun } = holdCalls()
  const { one, two, clock } = await openGate(2, { onCall, times: { pulseMs: 30, graceMs: 60_000 } })
  const session = await initialize(one)
  void begun.then((it) => it.outlet.notify(progress(1)))
  const stream = await openStream(one, { session, body: call })
  await stream.next()
  const journal = one.calls.journal((await begun).session, '1')
  expect(journal.start).toBeDefined()
  let givenUp = 0
  journal.broke(() => givenUp++)
  const rest = async () => new Promise((resolve) => setTimeout(resolve, 120))

  clock.turn(59_000)
  await rest()
  expect(givenUp).toBe(0)
  // Somebody reads on at another process, which says so with every beat.
  const again = await openStream(two, { session, after: journal.start })
  for (let minute = 0; minute < 3; minute++) {
    await again.comments(2)
    clock.turn(50_000)
  }
  await again.comments(2)
  expect(givenUp).toBe(0)
  again.cut()
  await eventually(() => two.reading.size === 0, 'noticed')
  clock.turn(61_000)
  await eventually(() => givenUp === 1, 'given up')
  await rest()
  expect(givenUp).toBe(1)
})

test('a call that has its answer is not given up', async () => {
  const { onCall, call: begun } = holdCalls()
  const { one, clock } = await openGate(1, { onCall, times: { pulseMs: 30 } })
  const session = await initialize(one)
  void begun.then((it) => it.outlet.notify(progress(1)))
  await openStream(one, { session, body: call })
  const journal = one.calls.journal((await begun).session, '1')
  let givenUp = 0
  journal.broke(() => givenUp++)
  journal.finish()
  clock.turn(3_600_000)
  await new Promise((resolve) => setTimeout(resolve, 120))
  expect(givenUp).toBe(0)
})

test('which sessions can come back, their revision says', async () => {
  const { onCall, call: begun } = holdCalls()
  const { one } = await openGate(1, { onCall })
  const session = await initialize(one, { protocolVersion: '2024-11-05' })
  void begun.then((it) => it.end('{}'))
  await openStream(one, { session, body: call })
  expect(one.calls.mayResume((await begun).session, '1')).toBe(false)
  expect(one.calls.mayResume({ ...(await begun).session, version: '2025-03-26' }, '1')).toBe(true)
})

describe.skipIf(withoutRedis)('on Redis', () => {
  test('where the process that kept a call is gone, the call has an answer that says so', async () => {
    const [dying, living] = await openOnRedis(2)
    if (!dying || !living) throw new Error('no Redis')
    const { onCall, call: begun } = holdCalls()
    // Of one gate: what the first process seals the second one opens.
    const { one } = await openGate(1, { onCall, bus: dying.bus, events: dying.events, clock: systemClock as never })
    const { one: two } = await openGate(1, { bus: living.bus, events: living.events, clock: systemClock as never })
    onTestFinished(() => one.close())
    const session = await initialize(one)
    void begun.then((it) => it.outlet.notify(progress(1)))
    const stream = await openStream(one, { session, body: call })
    await stream.next()
    const again = await openStream(two, { session, after: stream.events[0]?.id })
    expect(await again.next()).toMatchObject({ params: { n: 1 } })
    await dying.close()
    const { id, error } = await again.next()
    expect([id, error?.data?.['code']]).toEqual([call.id, 'call.lost'])
    await again.ended()
    // The session itself goes on.
    expect((await openStream(two, { session })).status).toBe(200)
  })
})
