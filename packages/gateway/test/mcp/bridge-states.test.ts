import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TenantId, UpstreamId } from '../../src/base/ids.ts'
import { Problem, problem } from '../../src/base/problem.ts'
import { mayRunAgain } from '../../src/mcp/bridge/retry.ts'
import { createSeals, type SealedFor } from '../../src/mcp/bridge/states.ts'
import { createTestClock } from '../stores/databases.ts'
import { ada, bob, KEY, request } from './bridge-scene.ts'

const about: SealedFor = { ...ada, upstream: 'travel' as UpstreamId, method: 'tools/call', target: 'book' }
const others: readonly [string, Partial<SealedFor>][] = [
  ['another user', bob],
  ['a user of that name elsewhere', { tenant: 'other' as TenantId }],
  ['another server', { upstream: 'hotel' as UpstreamId }],
  ['another method', { method: 'prompts/get' }],
  ['another tool', { target: 'cancel' }],
]

function openSeals(key = KEY) {
  const clock = createTestClock()
  return { clock, ...createSeals({ key, clock }) }
}

function codeOf(run: () => unknown): string {
  try {
    run()
    return 'none'
  } catch (error) {
    if (error instanceof Problem) return error.code
    throw error
  }
}

const asking = (state: string) =>
  Buffer.from(`{"id":1,"result":{ "resultType":"input_required", "requestState": ${state} ,"big":1e400}}`)
const coming = (state: string) => request(`{"name":"book","requestState": ${state} ,"n":1.50}`)

/** The JSON text of the state in an answer. */
function stateIn(answer: Buffer): string {
  return /"requestState": ("[^"]*")/.exec(answer.toString())?.[1] ?? ''
}

describe('the state of a server that takes all users for one', () => {
  test('goes out sealed and comes back as it was, byte for byte; nothing else is touched', () => {
    const { sealState, openState } = openSeals()
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.constant('é\ud800"\\')), fc.boolean(), (own, escaped) => {
        const plain = JSON.stringify(own)
        const text = escaped ? plain.replace(/[a-z]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`) : plain
        fc.pre(isJson(text))
        const sealed = sealState(asking(text), about)
        const state = stateIn(sealed)
        expect(state).toMatch(/^"sk2\.[\w-]+"$/)
        expect(sealed.toString()).toBe(asking(state).toString())
        expect(openState(coming(state), about).bytes.toString()).toBe(coming(text).bytes.toString())
      }),
    )
  })

  test.each(others)('is of no use for %s', (_who, changed) => {
    const { sealState, openState } = openSeals()
    const state = stateIn(sealState(asking('"own"'), about))
    expect(codeOf(() => openState(coming(state), { ...about, ...changed }))).toBe('call.state')
    expect(codeOf(() => openState(coming(state), about))).toBe('none')
  })

  test.each(['"own"', '"sk2."', '7', 'null', '{}', '"sk2.AAAA"'])('is taken from the gate alone: not %s', (state) => {
    expect(codeOf(() => openSeals().openState(coming(state), about))).toBe('call.state')
  })

  test('is not taken changed, from another gate, or after an hour', () => {
    const { clock, sealState, openState } = openSeals()
    const state = stateIn(sealState(asking('"own"'), about))
    const letters = fc.constantFrom('A', 'Z', 'a', '0', '-', '_', '.')
    fc.assert(
      fc.property(fc.integer({ min: 1, max: state.length - 2 }), letters, (at, by) => {
        const changed = state.slice(0, at) + by + state.slice(at + 1)
        fc.pre(changed !== state)
        return codeOf(() => openState(coming(changed), about)) === 'call.state'
      }),
    )
    expect(codeOf(() => openState(coming(`${state.slice(0, -1)}="`), about))).toBe('call.state')
    expect(codeOf(() => openSeals(Buffer.alloc(32, 9)).openState(coming(state), about))).toBe('call.state')
    clock.turn(3_599_999)
    expect(codeOf(() => openState(coming(state), about))).toBe('none')
    clock.turn(1)
    expect(codeOf(() => openState(coming(state), about))).toBe('call.state')
  })

  test('is not to be found where there is none: the very same bytes', () => {
    const { sealState, openState } = openSeals()
    for (const text of [
      '{"id":1,"result":{"content":[{"type":"text","text":"input_required"}],"requestState":"x"}}',
      '{"id":1,"result":{"resultType":"input_required","inputRequests":{}}}',
      '{"id":1,"error":{"code":1,"message":"\\"input_required\\""}}',
    ]) {
      const answer = Buffer.from(text)
      expect(sealState(answer, about)).toBe(answer)
    }
    const plain = request('{"name":"book"}')
    expect(openState(plain, about)).toBe(plain)
  })

  test('in an answer that is no JSON is the fault of its server', () => {
    expect(codeOf(() => openSeals().sealState(Buffer.from('{"result":{"a":"input_required",'), about))).toBe(
      'upstream.bad_answer',
    )
  })
})

describe('the id of a task', () => {
  test('is always the same for its user, and is opened by nobody else', () => {
    const { sealTask, openTask } = openSeals()
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (id) => {
        const sealed = sealTask(about, id)
        expect(sealed).toBe(openSeals().sealTask(about, id))
        expect(openTask(about, sealed)).toBe(id)
      }),
    )
    const sealed = sealTask(about, 'one')
    expect(sealed).not.toBe(sealTask(about, 'two'))
    for (const [, changed] of others.slice(0, 3)) {
      expect(codeOf(() => openTask({ ...about, ...changed }, sealed))).toBe('task.unknown')
    }
    for (const text of ['one', '', `${sealed}A`, sealed.slice(0, -1), sealed.replace('sk3.', 'sk2.')]) {
      expect(codeOf(() => openTask(about, text))).toBe('task.unknown')
    }
  })

  test('is never taken for a state, nor a state for one', () => {
    const { sealTask, openState } = openSeals()
    const task = sealTask(about, '9999999999999 "own"').replace('sk3.', 'sk2.')
    expect(codeOf(() => openState(coming(JSON.stringify(task)), about))).toBe('call.state')
  })
})

test('only what may be done twice is done again, and only where nobody knows whether it was done', () => {
  const uncertain = ['upstream.died', 'upstream.unreachable', 'shared.gone', 'call.lost'] as const
  for (const code of uncertain) {
    expect(mayRunAgain({ retriable: true }, problem(code))).toBe(true)
    expect(mayRunAgain({ retriable: false }, problem(code))).toBe(false)
    expect(mayRunAgain(undefined, problem(code))).toBe(false)
  }
  for (const code of [
    'upstream.timeout',
    'upstream.refused',
    'call.expired',
    'request.cancelled',
    'upstream.busy',
  ] as const)
    expect(mayRunAgain({ retriable: true }, problem(code))).toBe(false)
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
