import fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemRandom, type TenantId, type UserId } from '../../src/base/ids.ts'
import type { Log } from '../../src/base/log.ts'
import { carried } from '../../src/mcp/sessions/carried.ts'
import { createSealedIds } from '../../src/mcp/sessions/sealed-id.ts'
import { eventId, readEventId } from '../../src/mcp/sessions/stream-ids.ts'
import { createTestClock, quiet } from '../stores/databases.ts'

const ada = { tenant: 'ten_a' as TenantId, userId: 'usr_ada' as UserId }

function createIds(key = Buffer.alloc(32, 7), log: Log = quiet) {
  return createSealedIds({ key, log, clock: createTestClock(), random: systemRandom })
}

test('what the gate carries of a client’s capabilities has one text, whatever order it came in', () => {
  const one = { roots: { listChanged: true }, elicitation: { url: {}, form: {} }, sampling: { tools: {}, context: {} } }
  const other = {
    sampling: { context: {}, tools: {} },
    elicitation: { form: {}, url: {} },
    roots: { listChanged: true },
  }
  expect(carried(one)).toBe(carried(other))
  expect(JSON.parse(carried(one))).toEqual(one)
})

test.for([
  ['forms are meant where no mode is named', { elicitation: {} }, { elicitation: { form: {} } }],
  ['only what is known is carried', { sampling: { x: 1 }, tasks: {}, experimental: { y: {} } }, { sampling: {} }],
  [
    'extensions are carried, but for tasks, which every era has its own way of',
    { extensions: { 'io.modelcontextprotocol/tasks': {}, 'io.modelcontextprotocol/ui': { a: [{ c: 1, b: 2 }] } } },
    { extensions: { 'io.modelcontextprotocol/ui': { a: [{ b: 2, c: 1 }] } } },
  ],
  ['what is no object is nothing', { sampling: true, roots: 'yes', elicitation: null, extensions: {} }, {}],
] as const)('%s', ([, capabilities, expected]) => {
  expect(JSON.parse(carried(capabilities))).toEqual(expected)
})

test('an id opens for its own user alone, and for no other key', () => {
  const ids = createIds()
  const params = { capabilities: { sampling: {} }, clientInfo: { name: 'claude', version: '1.2' } }
  const { headerValue, facts } = ids.make(ada, params, '2025-06-18')
  expect(ids.open(ada, headerValue)).toEqual(facts)
  expect(facts).toMatchObject({ version: '2025-06-18', capabilities: '{"sampling":{}}', clientName: 'claude 1.2' })
  expect(ids.open({ ...ada, userId: 'usr_bob' as UserId }, headerValue)).toBeUndefined()
  expect(ids.open({ ...ada, tenant: 'ten_b' as TenantId }, headerValue)).toBeUndefined()
  expect(createIds(Buffer.alloc(32, 8)).open(ada, headerValue)).toBeUndefined()
  expect(headerValue).not.toContain(facts.id)
})

test('an id that was changed anywhere is none', () => {
  const ids = createIds()
  const { headerValue } = ids.make(ada, {}, '2025-11-25')
  const places = fc.nat({ max: headerValue.length - 1 })
  fc.assert(
    fc.property(places, fc.string({ minLength: 1, maxLength: 1 }), (at, by) => {
      fc.pre(headerValue[at] !== by)
      expect(ids.open(ada, headerValue.slice(0, at) + by + headerValue.slice(at + 1))).toBeUndefined()
    }),
  )
})

test('whatever a client says of itself, its id is visible ASCII of at most 1 KB; what is too much is told', () => {
  const dropped: unknown[] = []
  const ids = createIds(undefined, { ...quiet, warn: (_facts, event) => void dropped.push(event) })
  const anyone = fc.record({ name: fc.string({ unit: 'binary' }), version: fc.string({ maxLength: 100 }) })
  fc.assert(
    fc.property(anyone, fc.json(), (clientInfo, extension) => {
      const capabilities = { sampling: {}, extensions: { 'x/y': JSON.parse(extension) } }
      const { headerValue, facts } = ids.make(ada, { clientInfo, capabilities }, '2025-11-25')
      expect(headerValue).toMatch(/^[\x21-\x7e]{1,1024}$/)
      expect(ids.open(ada, headerValue)).toEqual(facts)
    }),
  )
  dropped.length = 0
  const long = { sampling: {}, extensions: { 'x/y': { words: 'x'.repeat(2_000) } } }
  expect(ids.make(ada, { capabilities: long }, '2025-11-25').facts.capabilities).toBe('{"sampling":{}}')
  expect(dropped).toEqual(['session.capabilities_dropped'])
}, 120_000)

test('an event is found by its id in its own session alone', () => {
  const session = 'a_session-with_22chars'
  const stream = `${session}.0a1b.z.${Buffer.from('"my-id_1"').toString('base64url')}`
  expect(readEventId(eventId(stream, 12), session)).toEqual({ stream, after: 12, requestId: '"my-id_1"' })
  const own = `${session}.0a1b.1`
  expect(readEventId(eventId(own, 0), session)).toEqual({ stream: own, after: 0, requestId: undefined })
  expect(readEventId(eventId(stream, 12), 'another')).toBeUndefined()
  const notAnId = Buffer.from('{"a":1}').toString('base64url')
  for (const text of ['', '_1', `${own}_`, `${own}_-1`, own, `${own}.${notAnId}_1`, `${own}.!!_1`])
    expect(readEventId(text, session)).toBeUndefined()
})
