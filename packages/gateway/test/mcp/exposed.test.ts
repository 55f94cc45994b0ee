import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { UpstreamId } from '../../src/base/ids.ts'
import { readMessage, type RpcRequest } from '../../src/base/json-rpc.ts'
import { Problem } from '../../src/base/problem.ts'
import {
  exposeAnswer,
  exposeNotification,
  exposeTasks,
  restoreParams,
  withPrompt,
  type NameTask,
} from '../../src/mcp/exposed.ts'

/** Control characters, and what takes more than one of anything to write. */
const anyText = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary-ascii' }))

const maps = 'maps' as UpstreamId
const sealed: NameTask = (server, id) => `sealed-${server}-${id}`

function exposed(text: string, method: string): string {
  return exposeAnswer(Buffer.from(text), maps, method).toString()
}

function request(method: string, params: string): RpcRequest {
  const message = readMessage(Buffer.from(`{"id":1, "jsonrpc":"2.0","method":"${method}","params":${params}}`))
  if (message.kind !== 'request') throw new TypeError('not a request')
  return message
}

/** A JSON text in pieces: what stays, and URIs as they stand in it. */
type Pieces = readonly (string | { readonly uri: string })[]

const before = (pieces: Pieces) => pieces.map((piece) => (typeof piece === 'string' ? piece : piece.uri)).join('')
const after = (pieces: Pieces) => pieces.map((piece) => (typeof piece === 'string' ? piece : named(piece.uri))).join('')
const named = (uri: string) => (uri.startsWith('"ui://') ? `"ui://maps+${uri.slice(6)}` : `"maps+${uri.slice(1)}`)

const space = fc.constantFrom('', '', ' ', '\n\t', '  ')
const uri = fc
  .oneof(
    anyText.map((text) => JSON.stringify(text)),
    fc.constantFrom('"test:\\/\\/x"', '"ui://globe"', '"\\u0065\\ud800"', '""'),
  )
  .filter((text) => !/^"ui:(?!\/\/)/.test(text))
  .map((text) => ({ uri: text }))
/** Values that hold everything but a URI of a resource, though some look like one. */
const anything = fc.oneof(
  fc.json({ maxDepth: 3 }),
  fc.constantFrom('{"uri":"test://not-one"}', '12345678901234567890', '1.0', '"\\"uri\\":"', '[{"taskId":"x"}]'),
)
const others = fc.array(fc.tuple(fc.constantFrom('x', 'é "', 'annotations', '__proto__', 'text', 'uris'), anything))

/** An object of these members and others, in any order and with any space. */
function object(members: Record<string, fc.Arbitrary<Pieces>>): fc.Arbitrary<Pieces> {
  const wanted = Object.entries(members).map(([key, value]) => value.map((pieces) => [key, pieces] as const))
  const odd = others.map((list) => list.map(([key, text]): readonly [string, Pieces] => [key, [text]]))
  return fc
    .tuple(fc.tuple(...wanted), odd)
    .chain(([own, more]) =>
      fc.tuple(fc.shuffledSubarray([...own, ...more], { minLength: own.length + more.length }), space),
    )
    .map(([all, gap]) => [
      `{${gap}`,
      ...all.flatMap(([key, pieces], index) => [
        `${index === 0 ? '' : `,${gap}`}${JSON.stringify(key)}${gap}:${gap}`,
        ...pieces,
      ]),
      `${gap}}`,
    ])
}

function list(of: fc.Arbitrary<Pieces>): fc.Arbitrary<Pieces> {
  return fc
    .tuple(fc.array(of, { maxLength: 4 }), space)
    .map(([all, gap]) => [`[${gap}`, ...all.flatMap((one, index) => [index === 0 ? '' : `,${gap}`, ...one]), `${gap}]`])
}

const piece = (text: string): fc.Arbitrary<Pieces> => fc.constant([text])
const place: fc.Arbitrary<Pieces> = uri.map((one) => [one])
const contents = object({ uri: place })
const block = fc.oneof(
  object({ type: piece('"resource_link"'), uri: place }),
  object({ type: piece('"resource"'), resource: contents }),
  object({ type: piece('"text"'), uri: piece('"test://of-no-resource"') }),
  object({ type: piece('"hologram"'), resource: piece('{"uri":"x"}') }),
  object({ type: piece('"resource_link"'), uri: piece('null') }),
  anything.map((text): Pieces => [text]),
)
const results: Readonly<Record<string, fc.Arbitrary<Pieces>>> = {
  'tools/call': object({ content: list(block) }),
  'prompts/get': object({ messages: list(object({ content: fc.oneof(block, list(block)) })) }),
  'resources/read': object({ contents: list(contents) }),
}

describe('an answer on the merged endpoint', () => {
  test.for(Object.entries(results))(
    'of %s has the server’s name with every URI, and every other byte as it came',
    ([method, result]) => {
      fc.assert(
        fc.property(object({ id: piece('1'), result }), (pieces) => {
          expect(exposed(before(pieces), method)).toBe(after(pieces))
        }),
      )
    },
  )

  test('of any other request, or without a URI, is the very same buffer', () => {
    const plain = Buffer.from('{"result":{"content":[{"type":"text","text":"a uri"}]},"id":1}')
    expect(exposeAnswer(plain, maps, 'tools/call')).toBe(plain)
    const link = Buffer.from('{"result":{"content":[{"type":"resource_link","uri":"a:b"}]},"id":1}')
    for (const method of ['completion/complete', 'vendor/own', 'constructor'])
      expect(exposeAnswer(link, maps, method)).toBe(link)
    const error = Buffer.from('{"error":{"code":-32602,"message":"no","data":{"uri":"test://x"}},"id":1}')
    expect(exposeAnswer(error, maps, 'resources/read')).toBe(error)
  })

  test('of a shape nobody expects is passed on as it is', () => {
    for (const result of [
      '[]',
      'null',
      '{"contents":[{"uri":"x"}],"messages":[{"content":{"type":"resource_link","uri":"x"}}]}',
      '{"content":{"uri":"x"}}',
      '{"content":["uri",[{"uri":"x"}],null]}',
    ])
      expect(exposed(`{"result":${result},"x":"uri"}`, 'tools/call')).toBe(`{"result":${result},"x":"uri"}`)
  })

  test('that is no JSON is a failure of its server', () => {
    for (const text of ['{"result":{"contents":[{"uri":"x"', '{"result":{"contents":[{"uri":"\\x"}]}}', '"uri"']) {
      expect(() => exposed(text, 'resources/read')).toThrow(Problem)
    }
  })

  test('however deep it goes is read without end of the stack', () => {
    const deep = `{"result":{"contents":[{"uri":"a:b","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}]}}`
    expect(exposed(deep, 'resources/read')).toBe(deep.replace('a:b', 'maps+a:b'))
  })
})

describe('the ids of tasks', () => {
  test('have their server’s name with them wherever a task is begun, asked about or told of', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['tools/call', '{"resultType":"task","taskId":"#","status":"working","ttlMs":1.0}'],
      ['tools/call', '{"task":{"taskId":"#","status":"working"},"_meta":{"x":1}}'],
      ['tools/call', '{"content":[],"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"#"}}}'],
      ['tasks/get', '{"status":"working","taskId" : "#"}'],
      ['tasks/cancel', '{"taskId":"#","status":"cancelled"}'],
      ['tasks/list', '{"tasks":[{"taskId":"#"},{"taskId":"#","x":[]}],"nextCursor":"c"}'],
      ['tasks/result', '{"content":[],"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"#"}}}'],
    ]
    for (const [method, result] of cases) {
      const text = (id: string) => `{"jsonrpc":"2.0","id":1,"result":${result.replaceAll('#', id)}}`
      expect([method, exposed(text('786'), method)]).toEqual([method, text('maps+786')])
      const bytes = Buffer.from(text('786'))
      expect(exposeAnswer(bytes, maps, method, sealed).toString()).toBe(text('sealed-maps-786'))
      expect(exposeTasks(bytes, maps, method, sealed).toString()).toBe(text('sealed-maps-786'))
    }
  })

  test('stay what they are in a tool’s own words', () => {
    const text = '{"result":{"content":[{"type":"text","taskId":"1"}],"task":{"taskId":"2"},"taskId":"3"}}'
    expect(exposed(text, 'tools/call')).toBe(text)
  })

  test('and the result of a task that has ended shows its resources as any other does', () => {
    const ended = (id: string, link: string) =>
      `{"result":{"taskId":"${id}","status":"completed","result":{"content":[{"type":"resource_link","uri":"${link}"}]}}}`
    expect(exposed(ended('1', 'test://x'), 'tasks/get')).toBe(ended('maps+1', 'maps+test://x'))
    const bytes = Buffer.from(ended('1', 'test://x'))
    expect(exposeTasks(bytes, maps, 'tasks/get', sealed).toString()).toBe(ended('sealed-maps-1', 'test://x'))
    const turned = '{"result":{"result":{"content":[{"type":"resource_link","uri":"a:b"}]},"taskId":"1"}}'
    expect(exposed(turned, 'tasks/get')).toBe(turned.replace('a:b', 'maps+a:b').replace('"1"', '"maps+1"'))
    const whole = '{"result":{"contents":[{"uri":"test://x"}]}}'
    expect(exposed(whole, 'tasks/result')).toBe(whole.replace('test:', 'maps+test:'))
  })
})

describe('a notification on the merged endpoint', () => {
  const told = (method: string, params: string) => {
    const text = `{"jsonrpc":"2.0","method":"${method}","params":${params}}`
    return exposeNotification(Buffer.from(text), method, maps)
      .toString()
      .replace(/^.*"params":/, '')
      .slice(0, -1)
  }

  test('names the resource that was updated, and the task that went on', () => {
    expect(told('notifications/resources/updated', '{"uri": "test://x","title":1.0}')).toBe(
      '{"uri": "maps+test://x","title":1.0}',
    )
    expect(told('notifications/tasks/status', '{"taskId":"1","status":"working"}')).toBe(
      '{"taskId":"maps+1","status":"working"}',
    )
    const related = (id: string) => `{"progress":1,"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"${id}"}}}`
    expect(told('notifications/progress', related('1'))).toBe(related('maps+1'))
    const inlined = (id: string, link: string) => `{"taskId":"${id}","result":{"contents":[{"uri":"${link}"}]}}`
    expect(told('notifications/tasks', inlined('1', 'a:b'))).toBe(inlined('maps+1', 'maps+a:b'))
  })

  test('of anything else is the very same buffer', () => {
    const bytes = Buffer.from('{"method":"notifications/message","params":{"data":{"uri":"test://x"}}}')
    expect(exposeNotification(bytes, 'notifications/message', maps)).toBe(bytes)
  })
})

describe('a request to the merged endpoint', () => {
  test('for a resource goes to its server with the server’s own URI; nothing else of it changes', () => {
    for (const method of ['resources/read', 'resources/subscribe', 'resources/unsubscribe']) {
      const read = restoreParams(request(method, '{"_meta":{"n":1.0}, "uri" : "maps+test://a b"}'))
      expect(read).toMatchObject({ server: 'maps', prompt: undefined, request: { uri: 'test://a b' } })
      expect(read?.request.bytes.toString()).toContain('"params":{"_meta":{"n":1.0}, "uri" : "test://a b"}')
    }
  })

  test('finds every resource again by the URI it was shown with', () => {
    fc.assert(
      fc.property(anyText, (own) => {
        const answer = exposed(`{"result":{"contents":[{"uri":${JSON.stringify(own)}}]}}`, 'resources/read')
        const shown: unknown = JSON.parse(answer).result.contents[0].uri
        const restored = restoreParams(request('resources/read', JSON.stringify({ uri: shown })))
        expect(restored).toMatchObject({ server: 'maps', request: { uri: own } })
      }),
    )
  })

  test('for a completion goes to the server of the template or the prompt', () => {
    const argument = '"argument":{"name":"id","value":"1.0"}'
    const template = restoreParams(
      request('completion/complete', `{"ref":{"x":1.0,"uri":"maps+test://{id}","type":"ref/resource"},${argument}}`),
    )
    expect(template).toMatchObject({ server: 'maps', prompt: undefined })
    expect(template?.request.bytes.toString()).toContain(
      `{"ref":{"x":1.0,"uri":"test://{id}","type":"ref/resource"},${argument}}`,
    )
    const asked = request('completion/complete', `{"ref":{"type":"ref/prompt","name":"maps__p_12345678"},${argument}}`)
    expect(restoreParams(asked)).toEqual({ server: 'maps', prompt: 'maps__p_12345678', request: asked })
    expect(withPrompt(asked, 'p/"é').bytes.toString()).toContain(
      String.raw`{"ref":{"type":"ref/prompt","name":"p/\"é"},${argument}}`,
    )
  })

  test('that names nothing the gate can have named has no server', () => {
    const requests: readonly (readonly [string, string])[] = [
      ['resources/read', '{"uri":"test://static-text"}'],
      ['resources/read', '{"uri":7}'],
      ['resources/read', '{}'],
      ['completion/complete', '{"uri":"maps+test://x"}'],
      ['completion/complete', '{"ref":"maps+test://x"}'],
      ['completion/complete', '{"ref":{"type":"ref/resource","name":"maps__p"}}'],
      ['completion/complete', '{"ref":{"type":"ref/prompt","name":"p"}}'],
      ['completion/complete', '{"ref":{"type":"ref/other","uri":"maps+x"}}'],
    ]
    for (const [method, params] of requests)
      expect([params, restoreParams(request(method, params))]).toEqual([params, undefined])
  })
})
