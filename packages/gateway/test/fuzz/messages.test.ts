import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { UpstreamId } from '../../src/base/ids.ts'
import {
  isBatch,
  readBatch,
  readMessage,
  withId,
  withName,
  withParams,
  withoutParams,
  type RpcMessage,
} from '../../src/base/json-rpc.ts'
import { eachMember, elements, findMember, skipValue, type Span } from '../../src/base/json-spans.ts'
import { carried } from '../../src/mcp/sessions/carried.ts'
import { exposeAnswer, exposeNotification, restoreParams } from '../../src/mcp/exposed.ts'
import { isWantedMessage } from '../../src/mcp/messages.ts'
import { decideEra } from '../../src/mcp/eras/era.ts'
import { readInputResponses, readInputRequired, readQuestions } from '../../src/mcp/eras/input-required.ts'
import { readInbound } from '../../src/upstreams/answers.ts'
import { anyBytes, messageText } from './bytes.ts'
import { jsonText, objectText, otherMembers, space } from './json-text.ts'
import { outcomeOf } from './outcome.ts'
import { holds, TIME_MS } from './runs.ts'

const RUNS = 2_000
const server = 'odd' as UpstreamId

function textOf(bytes: Buffer, { start, end }: Span): string {
  return bytes.toString('utf8', start, end)
}

function isJson(bytes: Buffer): boolean {
  return outcomeOf(() => JSON.parse(bytes.toString()), [SyntaxError]) === 'ok'
}

describe('a message that anybody may have written', () => {
  test('is read, or refused as the sender’s fault', { timeout: TIME_MS }, async () => {
    const property = fc.property(anyBytes, (bytes) => {
      let message: RpcMessage | undefined
      const outcome = outcomeOf(() => (message = readMessage(bytes)))
      expect(outcome).toMatch(/^(?:ok|request\.(?:malformed|invalid|params))$/)
      expect(message && misread(message)).toBeUndefined()
    })
    await holds('readMessage', property, RUNS)
  })

  /** What was not read as JSON.parse reads it. */
  function misread({ bytes, params, nameSpan, metaSpan, name, meta, ...message }: RpcMessage): string | undefined {
    const value = JSON.parse(bytes.toString())
    const isAt = (place: Span | undefined, wanted: unknown) =>
      place === undefined || isDeepStrictEqual(JSON.parse(textOf(bytes, place)), wanted)
    if (message.kind !== 'response' && message.method !== value.method) return 'method'
    if (message.kind === 'request' && !isAt(message.idSpan, message.id)) return 'id'
    if (!isAt(params, value.params)) return 'params'
    if (!isAt(nameSpan, value.params?.name) || (name !== undefined && name !== value.params.name)) return 'name'
    return isAt(metaSpan, meta) ? undefined : '_meta'
  }

  test('in an array, with others, all the same', { timeout: TIME_MS }, async () => {
    const many = fc.array(fc.tuple(anyBytes, space), { maxLength: 6 })
    const property = fc.property(many, (parts) => {
      const text = Buffer.concat([
        Buffer.from('['),
        ...parts.flatMap(([bytes], index) => (index === 0 ? [bytes] : [Buffer.from(','), bytes])),
        Buffer.from(']'),
      ])
      expect(isBatch(text)).toBe(true)
      expect(outcomeOf(() => readBatch(text))).toMatch(/^(?:ok|request\.(?:malformed|invalid|params))$/)
    })
    await holds('readBatch', property, RUNS / 2)
  })

  test('keeps all other bytes when one value of it is replaced', { timeout: TIME_MS }, async () => {
    const params = fc.tuple(otherMembers(/^(?:name|uri|cursor|_meta|added|gone)$/i), fc.boolean())
    const property = fc.property(params, jsonText, space, ([others, isFirst], args, white) => {
      const own = [
        ['"name"', '"before"', white],
        ['"arguments"', args],
        ['"_meta"', '{"n":1e400}'],
        ['"gone"', args],
      ] as const
      const inner = objectText(isFirst ? [...own, ...others] : [...others, ...own])
      const message = readMessage(
        Buffer.from(`{"id":${white}1.0${white},"params":${inner},"jsonrpc":"2.0","method":"tools/call"}`),
      )
      if (message.kind !== 'request') throw new Error(message.kind)
      const at = message.nameSpan
      if (!at) throw new Error('no name')
      const before = message.bytes.toString('utf8', 0, at.start)
      const after = message.bytes.toString('utf8', at.end)
      expect(withName(message, 'é').bytes.toString() === `${before}"é"${after}`).toBe(true)
      expect(withId(message, 7).bytes.toString() === message.bytes.toString().replace('1.0', () => '7')).toBe(true)
      const added = withParams(message, { added: '[1.0]' })
      expect(
        added.bytes.toString() ===
          message.bytes.toString().replace(inner, () => `${inner.slice(0, -1)},"added":[1.0]}`),
      ).toBe(true)
      const without = withoutParams(added, ['gone'])
      expect(without.paramsValue).not.toHaveProperty('gone')
      expect(without.params && findMember(without.bytes, without.params.start, 'arguments')).toBeDefined()
    })
    await holds('replacing', property, RUNS / 4)
  })

  test('is of one era, or of none', { timeout: TIME_MS }, async () => {
    const versions = fc.constantFrom(undefined, '2026-07-28', '2025-11-25', '', 'x'.repeat(100), '=?base64?!?=')
    const property = fc.property(messageText, versions, versions, (text, version, method) => {
      const headers = { 'mcp-protocol-version': version, 'mcp-method': method, 'mcp-name': method }
      const outcome = outcomeOf(() => {
        const message = readMessage(Buffer.from(text))
        const era = decideEra(message, headers)
        if (message.kind !== 'request') return
        era.clientOf(message)
        era.operation(message.method)
        era.readOpened(message)
        restoreParams(message)
        readInputResponses(message)
      })
      expect(outcome).toMatch(/^(?:ok|request\.\w+)$/)
    })
    await holds('decideEra', property, RUNS)
  })

  test('however deep it is', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    const message = readMessage(Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":${deep}}}`))
    expect(message.kind).toBe('request')
    for (const capability of ['elicitation', 'extensions', 'roots', 'sampling']) {
      const inner = { elicitation: 'form', extensions: 'x', roots: 'listChanged', sampling: 'tools' }[capability] ?? ''
      const capabilities = JSON.parse(`{"${capability}":{"${inner}":{"x":${deep}}}}`)
      expect(outcomeOf(() => carried(capabilities))).toBe('ok')
    }
  })
})

describe('places in a text', () => {
  test('are those of its values, in every spelling of JSON', { timeout: TIME_MS }, async () => {
    const property = fc.property(
      otherMembers(/^$/),
      fc.array(jsonText, { maxLength: 4 }),
      space,
      (members, values, white) => {
        const object = Buffer.from(white + objectText(members))
        const found: [string, string][] = []
        expect(eachMember(object, 0, (key, start, end) => void found.push([key, textOf(object, { start, end })]))).toBe(
          object.length,
        )
        expect(found).toEqual(members.map(([key, text]) => [JSON.parse(key), text]))
        const array = Buffer.from(`${white}[${values.map((text) => white + text + white).join(',')}]`)
        expect(elements(array, 0).map((place) => textOf(array, place))).toEqual(values)
      },
    )
    await holds('spans', property, RUNS / 2)
  })

  test('are looked for in anything, and the search ends', { timeout: TIME_MS }, async () => {
    const property = fc.property(anyBytes, fc.nat(20), (bytes, at) => {
      for (const look of [() => eachMember(bytes, at, () => {}), () => elements(bytes, at), () => skipValue(bytes, at)])
        expect(outcomeOf(look, [SyntaxError])).toMatch(/^(?:ok|SyntaxError)$/)
    })
    await holds('spans of anything', property, RUNS)
  })
})

describe('what a server may have written', () => {
  const TOLD = /^(?:ok|upstream\.bad_answer)$/

  test('is told apart, or is a bad answer', { timeout: TIME_MS }, async () => {
    const property = fc.property(anyBytes, (bytes) => {
      const outcome = outcomeOf(() => readInbound(bytes, server))
      expect(outcome).toMatch(TOLD)
      isWantedMessage(bytes, 'debug')
    })
    await holds('readInbound', property, RUNS)
  })

  test(
    'is shown on the merged endpoint as JSON where it was JSON, or is a bad answer',
    { timeout: TIME_MS },
    async () => {
      const methods = fc.constantFrom('tools/call', 'prompts/get', 'resources/read', 'tasks/get', 'tasks/list', 'x')
      const member = fc.constantFrom('result', 'params', 'error')
      const blocks = fc.constantFrom(
        '"content"',
        '"contents"',
        '"messages"',
        '"task"',
        '"tasks"',
        '"_meta"',
        '"taskId"',
        '"uri"',
        '"resource"',
      )
      const inner = fc
        .array(
          fc.tuple(
            blocks,
            fc.oneof(
              jsonText,
              fc.constantFrom('[{"type":"resource_link","uri":"x:y"},7]', '{"taskId":"t","uri":"a:b"}'),
            ),
            space,
          ),
          { maxLength: 6 },
        )
        .map(objectText)
      const text = fc
        .tuple(member, fc.oneof(inner, jsonText))
        .map(([name, value]) => Buffer.from(`{"id":1,"${name}":${value}}`))
      const property = fc.property(fc.oneof(text, anyBytes), methods, (bytes, method) => {
        for (const show of [
          () => exposeAnswer(bytes, server, method),
          () => exposeNotification(bytes, 'notifications/resources/updated', server),
          () => exposeNotification(bytes, 'notifications/tasks/status', server),
        ]) {
          const shown: Buffer[] = []
          expect(outcomeOf(() => shown.push(show()))).toMatch(TOLD)
          expect(isJson(bytes) && shown.some((one) => !isJson(one))).toBe(false)
        }
      })
      await holds('exposed', property, RUNS)
    },
  )

  test('may ask for something, or only seem to', { timeout: TIME_MS }, async () => {
    const result = fc
      .tuple(jsonText, jsonText)
      .map(
        ([state, questions]) => `{"resultType":"input_required","requestState":${state},"inputRequests":${questions}}`,
      )
    const property = fc.property(
      fc.oneof(
        anyBytes,
        result.map((text) => Buffer.from(`{"id":1,"result":${text}}`)),
      ),
      (bytes) => {
        const outcome = outcomeOf(() => {
          const asked = readInputRequired(bytes)
          if (asked) readQuestions(bytes, asked)
        }, [SyntaxError])
        expect(outcome).toMatch(/^(?:ok|SyntaxError)$/)
      },
    )
    await holds('input required', property, RUNS)
  })
})
