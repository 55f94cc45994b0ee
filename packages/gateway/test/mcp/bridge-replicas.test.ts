import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { UpstreamId } from '../../src/base/ids.ts'
import { problem } from '../../src/base/problem.ts'
import { createPark } from '../../src/mcp/bridge/park.ts'
import { createParking, type Resumed } from '../../src/mcp/bridge/parking.ts'
import type { Relay } from '../../src/storage/shared/relay.ts'
import { PLAIN_CLIENT } from '../../src/upstreams/client.ts'
import { codeOf } from '../stores/outcome.ts'
import {
  ACCEPT,
  answered,
  ARGUMENTS,
  bob,
  call,
  come,
  createTime,
  EVERYTHING,
  form,
  KEY,
  openGates,
  read,
  request,
} from './bridge-scene.ts'

/** Two gates on one bus, and a call that one of them keeps. */
async function openTwo() {
  const { time, gates, close } = openGates(2)
  onTestFinished(close)
  const [keeper, other] = gates
  if (!keeper || !other) throw new Error('no two gates')
  const under = call(keeper.parking)
  const reply = under.parked.ask(form)
  await time.pass(5)
  return { time, keeper, other, ...under, reply, ...read(under.results[0]) }
}

describe('a client that comes again to another process', () => {
  test('has its answer from the one that keeps its call, byte for byte, and all that is told before it', async () => {
    const { other, state, reply, parked } = await openTwo()
    const told: string[] = []
    const coming = come(other.parking, {
      state,
      params: `${ARGUMENTS},"_meta":{"progressToken":"new"}`,
      said: { q1: ACCEPT },
      notify: (message, method) => void told.push(`${method} ${message.toString()}`),
    })
    expect(await reply).toBe(`"result":${ACCEPT}`)
    for (let index = 0; index < 3; index++) {
      const news = `{"method":"notifications/progress","params":{"progressToken":1,"progress":${index}}}`
      parked.notify(Buffer.from(news), 'notifications/progress')
    }
    const answer: Resumed = { kind: 'answer', status: 404, member: Buffer.from(`"error":"\n${'é'.repeat(1_000_000)}"`) }
    parked.finish(answer)
    expect(await coming).toEqual(answer)
    expect(told).toEqual(
      [0, 1, 2].map(
        (index) =>
          `notifications/progress {"method":"notifications/progress","params":{"progressToken":"new","progress":${index}}}`,
      ),
    )
  })

  test('is asked more there, and may answer that anywhere', async () => {
    const { time, keeper, other, state, parked } = await openTwo()
    const coming = come(other.parking, { state, said: { q1: ACCEPT } })
    await turn()
    const second = parked.ask(form)
    await time.pass(5)
    const next = read(await coming)
    expect(next.keys).toEqual(['q2'])
    expect(read(await come(other.parking, { state: next.state })).keys).toEqual(['q2'])
    const last = come(keeper.parking, { state: next.state, said: { q2: ACCEPT } })
    expect(await second).toBe(`"result":${ACCEPT}`)
    parked.finish(answered('x'))
    expect(await last).toEqual(answered('x'))
  })

  test('hears there how the call failed', async () => {
    const { other, state, reply, parked } = await openTwo()
    const coming = come(other.parking, { state, said: { q1: ACCEPT } })
    await reply
    parked.finish({ kind: 'failed', problem: problem('upstream.died', { server: 'travel' }) })
    await expect(coming).rejects.toMatchObject({ code: 'upstream.died', message: expect.stringContaining('travel') })
  })

  test('is known for who it is there too', async () => {
    const { other, state } = await openTwo()
    expect(await codeOf(come(other.parking, { state, user: bob, said: { q1: ACCEPT } }))).toBe('call.state')
    expect(await codeOf(come(other.parking, { state: `${state}x`, said: { q1: ACCEPT } }))).toBe('call.state')
  })

  test('and whose connection breaks there leaves the call to go on for as long as it may stay away', async () => {
    const { time, other, state, reply, aborted } = await openTwo()
    const broken = new AbortController()
    const coming = come(other.parking, { state, said: { q1: ACCEPT }, signal: broken.signal })
    await reply
    await time.pass(5_000_000)
    broken.abort(problem('request.cancelled'))
    expect(await codeOf(coming)).toBe('request.cancelled')
    await time.pass(599_999)
    expect(aborted).toEqual([])
    await time.pass(1)
    expect(aborted.map(({ code }) => code)).toEqual(['call.expired'])
    expect(await codeOf(come(other.parking, { state }))).toBe('call.expired')
  })

  test('after the process that kept its call has gone hears that the call is lost', async () => {
    const { keeper, other, state } = await openTwo()
    await keeper.bus.close()
    expect(await codeOf(come(other.parking, { state, said: { q1: ACCEPT } }))).toBe('call.lost')
  })

  test('hears that nothing can be asked where the bus cannot be reached', async () => {
    const { other, state } = await openTwo()
    await other.bus.close()
    expect(await codeOf(come(other.parking, { state, said: { q1: ACCEPT } }))).toBe('shared.unreachable')
  })

  test('hears that the gate stops, where the process that keeps its call does', async () => {
    const { keeper, other, state, reply } = await openTwo()
    const coming = come(other.parking, { state, said: { q1: ACCEPT } })
    await reply
    await keeper.parking.close()
    expect(await codeOf(coming)).toBe('gate.stopping')
  })

  test('has its answer where a piece of it got lost on the way, and both processes live', async () => {
    const { time, keeper, other, state, reply, parked } = await openTwo()
    let lost = 0
    const relay: Relay = {
      serve() {},
      async ask(...asked) {
        const answer = await other.relay.ask(...asked)
        if (lost++ === 0) throw problem('shared.gone', { missing: 0 })
        return answer
      },
    }
    const behind = createParking({ key: KEY, instance: other.bus.instance, relay, clock: time.clock })
    const coming = come(behind, { state, said: { q1: ACCEPT } })
    expect(await reply).toBe(`"result":${ACCEPT}`)
    parked.finish(answered('booked'))
    expect(await coming).toEqual(answered('booked'))
    expect({ lost, size: keeper.parking.size }).toEqual({ lost: 2, size: 0 })
  })
})

test('a client that has gone before it could wait leaves nobody waiting', async () => {
  const time = createTime()
  const aborted: string[] = []
  const park = createPark({
    ...time,
    call: {
      principal: bob,
      request: request(`{${ARGUMENTS}}`),
      client: { ...PLAIN_CLIENT, capabilities: EVERYTHING },
      server: 'travel' as UpstreamId,
      abort: ({ code }) => void aborted.push(code),
      detach() {},
    },
    stateOf: String,
    take: () => true,
    give() {},
    ended: () => false,
    past() {},
    parkMs: 1_000,
  })
  void park.ask(form)
  await time.pass(5)
  const signal = AbortSignal.abort(problem('shared.gone'))
  const coming = park.resume({ round: 1, said: new Map([['q1', ACCEPT]]), signal, notify() {} })
  expect(await codeOf(coming)).toBe('shared.gone')
  await time.pass(1_000)
  expect(aborted).toEqual(['call.expired'])
})
