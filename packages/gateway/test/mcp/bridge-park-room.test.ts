import { describe, expect, test } from 'vitest'
import { codeOf } from '../stores/outcome.ts'
import { ACCEPT, ada, answered, askedCall, bob, call, come, form, openGate, read, type Call } from './bridge-scene.ts'

describe('how much is kept', () => {
  const limits = { calls: 3, callsPerUser: 2, bytes: 30_000, bytesPerUser: 20_000 }

  async function ask(under: Call, params = form.params) {
    return Promise.race([under.parked.ask({ ...form, params }), Promise.resolve('asked')])
  }

  test('is bounded in calls, for one user and for all; who ends makes room', async () => {
    const gate = openGate({ limits })
    const calls = [ada, ada, ada, bob, bob].map((user) => call(gate.parking, { user }))
    const outcomes: string[] = []
    for (const each of calls) outcomes.push(await ask(each))
    expect(outcomes.map((outcome) => outcome.slice(0, 7))).toEqual(['asked', 'asked', '"error"', 'asked', '"error"'])
    expect(gate.parking.size).toBe(3)
    calls[0]?.parked.finish(answered('x'))
    expect(gate.parking.size).toBe(2)
    expect(await ask(call(gate.parking, { user: bob }))).toBe('asked')
  })

  test('is bounded in bytes of questions', async () => {
    const gate = openGate({ limits })
    const under = call(gate.parking)
    expect(await ask(under, `"${'x'.repeat(20_000)}"`)).toContain('"error"')
    expect(gate.parking.size).toBe(0)
    expect(await ask(under, `"${'x'.repeat(8_000)}"`)).toBe('asked')
    expect(await ask(under, `"${'x'.repeat(8_000)}"`)).toContain('"error"')
    expect(await ask(under)).toBe('asked')
  })

  test('is bounded in bytes of all users together; what is kept of calls that have ended gives way', async () => {
    const gate = openGate({ limits: { ...limits, callsPerUser: 3, bytes: 22_000 } })
    const { parked, state } = await askedCall(gate)
    parked.finish(answered('x'))
    const large = `"${'x'.repeat(5_000)}"`
    expect(await ask(call(gate.parking, { user: bob }), large)).toBe('asked')
    expect(await codeOf(come(gate.parking, { state }))).toBe('none')
    expect(await ask(call(gate.parking, { user: bob }), `"${'x'.repeat(4_000)}"`)).toBe('asked')
    expect(await codeOf(come(gate.parking, { state }))).toBe('call.lost')
    expect(await ask(call(gate.parking), large)).toContain('"error"')
  })

  test('is bounded in bytes of answers: the oldest go first, of a user who has much before those of others', async () => {
    const gate = openGate({ limits: { ...limits, bytes: 100_000 } })
    const states: [typeof ada, string][] = []
    for (const user of [bob, ada, ada, ada]) {
      const { parked, results } = call(gate.parking, { user })
      void parked.ask(form)
      await gate.time.pass(5)
      parked.finish(answered('x'.repeat(4_000)))
      states.push([user, read(results[0]).state])
    }
    const outcomes = await Promise.all(states.map(([user, state]) => codeOf(come(gate.parking, { user, state }))))
    expect(outcomes).toEqual(['none', 'call.lost', 'none', 'none'])
    expect(gate.time.waiting).toBe(3)
  })

  test('an answer that is too big to keep still goes to the one who waits', async () => {
    const gate = openGate({ limits })
    const { parked, state, reply } = await askedCall(gate)
    const coming = come(gate.parking, { state, said: { q1: ACCEPT } })
    await reply
    parked.finish(answered('x'.repeat(50_000)))
    expect(await coming).toEqual(answered('x'.repeat(50_000)))
    expect(await codeOf(come(gate.parking, { state }))).toBe('call.lost')
    expect(gate.time.waiting).toBe(0)
  })

  test('is given back whole: as many calls as one likes, one after the other', async () => {
    const gate = openGate({ limits })
    for (let times = 0; times < 50; times++) {
      const { parked, state, reply } = await askedCall(gate)
      const coming = come(gate.parking, { state, said: { q1: ACCEPT } })
      await reply
      parked.finish(answered('x'))
      expect(await coming).toEqual(answered('x'))
    }
    await gate.time.pass(600_000)
    expect({ size: gate.parking.size, timers: gate.time.waiting }).toEqual({ size: 0, timers: 0 })
  })
})
