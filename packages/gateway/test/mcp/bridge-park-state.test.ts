import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TenantId } from '../../src/base/ids.ts'
import { codeOf } from '../stores/outcome.ts'
import {
  ACCEPT,
  ada,
  answered,
  askedCall,
  bob,
  call,
  come,
  form,
  openGate,
  read,
  request,
  type Coming,
} from './bridge-scene.ts'

describe('the state a client carries', () => {
  const others: readonly [string, Partial<Coming>][] = [
    ['another user', { user: bob }],
    ['a user of that name elsewhere', { user: { ...ada, tenant: 'other' as TenantId } }],
    ['another tool', { params: '"name":"cancel","arguments":{"seats":2}' }],
    ['other arguments', { params: '"name":"book","arguments":{"seats":3}' }],
    ['one more argument', { params: '"name":"book","arguments":{"seats":2,"x":null}' }],
    ['a list for an object', { params: '"name":"book","arguments":[["seats",2]]' }],
    ['another method', { method: 'prompts/get' }],
    ['no text', { state: 7 }],
  ]

  test.each(others)('is of no use with %s', async (_what, changed) => {
    const gate = openGate()
    const { state } = await askedCall(gate)
    expect(await codeOf(come(gate.parking, { state, said: { q1: ACCEPT }, ...changed }))).toBe('call.state')
    expect(gate.parking.size).toBe(1)
  })

  test('is good whatever the client writes anew of the same request', async () => {
    const gate = openGate()
    const { parked, state, reply } = await askedCall(gate)
    const params = '"_meta":{"progressToken":9},"arguments" : { "seats": 2.0 },"name":"b\\u006fok"'
    void come(gate.parking, { state, params, said: { q1: ACCEPT } }).catch(() => {})
    expect(await reply).toBe(`"result":${ACCEPT}`)
    parked.finish(answered('x'))
  })

  test('opens for nobody who changed it, by one letter or by something added', async () => {
    const gate = openGate()
    const { state } = await askedCall(gate)
    const letter = fc.constantFrom('A', 'a', '0', '-', '_', '.', '=', '+', ' ')
    await fc.assert(
      fc.asyncProperty(fc.nat(state.length - 1), letter, fc.string(), async (at, by, tail) => {
        const changed = [state.slice(0, at) + by + state.slice(at + 1), state + tail].filter((text) => text !== state)
        for (const text of changed)
          expect(await codeOf(come(gate.parking, { state: text, said: { q1: ACCEPT } }))).toBe('call.state')
      }),
    )
  })

  test('is known to its own gate, and not taken for one by a gate in front of it', async () => {
    const gate = openGate()
    const inFront = openGate({ key: Buffer.alloc(32, 8) })
    const { state } = await askedCall(gate)
    expect(state).toMatch(/^sk1\.[\w-]+$/)
    expect(gate.parking.recognises(state)).toBe(true)
    expect(inFront.parking.recognises(state)).toBe(false)
    fc.assert(fc.property(fc.string(), (text) => !gate.parking.recognises(`sk1.${text}`)))
  })

  test('of a request that is nested without end does no harm', async () => {
    const gate = openGate()
    const deep = `"name":"book","arguments":${'['.repeat(50_000)}${']'.repeat(50_000)}`
    const { parked, results } = call(gate.parking, { request: request(`{${deep}}`) })
    const reply = parked.ask(form)
    await gate.time.pass(5)
    void come(gate.parking, { state: read(results[0]).state, params: deep, said: { q1: ACCEPT } }).catch(() => {})
    expect(await reply).toBe(`"result":${ACCEPT}`)
  })
})
