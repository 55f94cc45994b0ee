import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeHeader, encodeHeader } from '../../src/base/header-value.ts'
import { systemRandom, type TenantId, type UpstreamId, type UserId } from '../../src/base/ids.ts'
import { readMessage, type RpcRequest } from '../../src/base/json-rpc.ts'
import { createParkStates } from '../../src/mcp/bridge/park-state.ts'
import { createSealedText } from '../../src/mcp/bridge/sealed-text.ts'
import { createSeals } from '../../src/mcp/bridge/states.ts'
import { checkParamHeaders } from '../../src/mcp/param-headers.ts'
import { createSealedIds } from '../../src/mcp/sessions/sealed-id.ts'
import { createStreamIds, eventId, readEventId } from '../../src/mcp/sessions/stream-ids.ts'
import { exposeTask, exposeUri, exposeUriAt, readTask, readUri, serverOf } from '../../src/registry/names.ts'
import { createTestClock, quiet } from '../stores/databases.ts'
import { jsonText, stringText } from './json-text.ts'
import { outcomeOf } from './outcome.ts'
import { holds, TIME_MS } from './runs.ts'

const RUNS = 2_000
const KEY = Buffer.alloc(32, 7)
const clock = createTestClock()
const ada = { tenant: 'ten' as TenantId, userId: 'ada' as UserId }
const holder = { ...ada, upstream: 'odd' as UpstreamId }
const about = { ...holder, method: 'tools/call', target: 'thing' }

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({ maxLength: 100 }),
  fc.base64String({ maxLength: 100 }),
  fc.constantFrom('', 'constructor', '__proto__', '+', 'ui://', 'ui://+', '__', 'é'.repeat(5_000), 'x'.repeat(20_000)),
)

/** One of theirs that somebody has changed. */
function changed(own: string): fc.Arbitrary<string> {
  return fc
    .tuple(fc.nat(own.length), fc.nat(3), fc.string({ maxLength: 3 }))
    .map(([at, cut, by]) => own.slice(0, at) + by + own.slice(at + cut))
    .filter((text) => text !== own)
}

function request(params: string): RpcRequest {
  const message = readMessage(Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`))
  if (message.kind !== 'request') throw new Error(message.kind)
  return message
}

describe('what the gate sealed opens as it was; what anybody else wrote does not open, and breaks nothing', () => {
  test('texts', { timeout: TIME_MS }, async () => {
    const texts = createSealedText({ key: KEY, prefix: 'sk9.' })
    const property = fc.property(
      fc.uint8Array({ maxLength: 60 }),
      anyText,
      fc.array(anyText, { maxLength: 3 }),
      (plain, other, whom) => {
        expect(texts.open(texts.seal(Buffer.from(plain), whom), whom)).toEqual(Buffer.from(plain))
        expect(texts.open(other, whom)).toBeUndefined()
        expect(texts.open(`sk9.${other}`, whom)).toBeUndefined()
      },
    )
    await holds('sealed texts', property, RUNS / 2)
  })

  test('ids of sessions', { timeout: TIME_MS }, async () => {
    const ids = createSealedIds({ key: KEY, log: quiet, clock, random: systemRandom })
    const { headerValue, facts } = ids.make(ada, {}, '2025-11-25')
    expect(ids.open(ada, headerValue)).toEqual(facts)
    const property = fc.property(fc.oneof(changed(headerValue), anyText), jsonText, (text, params) => {
      expect(ids.open(ada, text)).toBeUndefined()
      const made = ids.make(ada, { capabilities: JSON.parse(params), clientInfo: JSON.parse(params) }, '2025-11-25')
      expect(ids.open(ada, made.headerValue)).toEqual(made.facts)
      expect(made.headerValue).toMatch(/^[!-~]{1,1024}$/)
    })
    await holds('sealed ids', property, RUNS / 2)
  })

  test('states of servers and ids of tasks', { timeout: TIME_MS }, async () => {
    const seals = createSeals({ key: KEY, clock })
    const property = fc.property(anyText, stringText, (text, state) => {
      expect(outcomeOf(() => seals.openTask(holder, text))).toBe('task.unknown')
      expect(outcomeOf(() => seals.openState(request(JSON.stringify({ requestState: text })), about))).toBe(
        'call.state',
      )
      const answer = Buffer.from(`{"id":1,"result":{"resultType":"input_required","requestState":${state}}}`)
      const sealed = JSON.parse(seals.sealState(answer, about).toString()).result.requestState
      const opened = seals.openState(request(JSON.stringify({ requestState: sealed })), about)
      expect(opened.bytes.toString()).toContain(`"requestState":${state}`)
    })
    await holds('seals', property, RUNS / 2)
  })

  test('states of calls that wait', { timeout: TIME_MS }, async () => {
    const states = createParkStates(KEY)
    const property = fc.property(anyText, jsonText, (text, args) => {
      const asker = { principal: ada, request: request(`{"name":"x","arguments":${args}}`) }
      const state = { id: text, instance: 'i', round: 1, until: 5, server: 's' as UpstreamId }
      expect(states.read(states.write(state, asker), asker)).toEqual({ ...state, id: text })
      states.recognises(text)
      expect(outcomeOf(() => states.read(text, asker))).toBe('call.state')
      expect(outcomeOf(() => states.read(JSON.parse(args), asker))).toBe('call.state')
    })
    await holds('park states', property, RUNS / 2)
  })
})

describe('names that the gate makes', () => {
  test(
    'are read back exactly; what it did not make names nothing, or something that is made just so',
    { timeout: TIME_MS },
    async () => {
      const property = fc.property(anyText, stringText, (text, spelled) => {
        expect(readUri(exposeUri('my_server', text))).toEqual({ server: 'my_server', uri: text })
        expect(readTask(exposeTask('my_server', text))).toEqual({ server: 'my_server', id: text })
        const read = readUri(text)
        expect(read ? exposeUri(read.server, read.uri) : text).toBe(text)
        serverOf(text)
        const bytes = Buffer.from(spelled)
        const edit = exposeUriAt(bytes, { start: 0, end: bytes.length }, 'a')
        const by = edit
          ? bytes.toString('utf8', 0, edit.start) + String(edit.by) + bytes.toString('utf8', edit.end)
          : ''
        expect(JSON.parse(by)).toBe(exposeUri('a', JSON.parse(spelled)))
      })
      await holds('names', property, RUNS)
    },
  )

  test('places in streams are read back; anything else is none', { timeout: TIME_MS }, async () => {
    const ids = createStreamIds('i0')
    const requestIds = fc.oneof(
      stringText.filter((text) => JSON.stringify(JSON.parse(text)) !== ''),
      fc.integer().map(String),
    )
    const property = fc.property(anyText, requestIds, fc.nat(), (text, requestId, after) => {
      expect(readEventId(eventId(ids.own('ses'), after), 'ses')).toMatchObject({ after, requestId: undefined })
      expect(readEventId(eventId(ids.ofCall('ses', requestId), after), 'ses')).toMatchObject({ after, requestId })
      expect(readEventId(eventId(ids.own('ses'), after), 'other')).toBeUndefined()
      expect(readEventId(text, 'ses')).toBeUndefined()
      expect(readEventId(`ses.i0.${text}_1`, 'ses')?.stream ?? `ses.i0.${text}`).toBe(`ses.i0.${text}`)
    })
    await holds('stream ids', property, RUNS)
  })
})

describe('values of headers', () => {
  test('stand for the text they were made of', { timeout: TIME_MS }, async () => {
    const property = fc.property(anyText, (text) => {
      const value = encodeHeader(text)
      expect(value).toMatch(/^[\x20-\x7e]*$/)
      expect(decodeHeader(value)).toBe(text.toWellFormed())
      decodeHeader(text)
      decodeHeader(`=?base64?${text}?=`)
    })
    await holds('headers', property, RUNS)
  })

  test('agree with the arguments, or are refused', { timeout: TIME_MS }, async () => {
    const wanted = [{ header: 'Mcp-Param-A', lowerCase: 'mcp-param-a', path: ['a', 'b'] }]
    const property = fc.property(jsonText, anyText, fc.boolean(), (value, header, isSent) => {
      const inner = request(`{"arguments":{"a":{"b":${value}}}}`)
      const headers = isSent ? ['MCP-PARAM-A', header] : []
      expect(outcomeOf(() => checkParamHeaders(inner, headers, wanted))).toMatch(/^(?:ok|request\.header_mismatch)$/)
    })
    await holds('param headers', property, RUNS)
  })
})
