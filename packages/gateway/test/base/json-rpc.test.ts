import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readMessage, withId, withName, type RpcRequest } from '../../src/base/json-rpc.ts'
import { Problem } from '../../src/base/problem.ts'

function read(text: string) {
  return readMessage(Buffer.from(text))
}

function readRequest(text: string): RpcRequest {
  const message = read(text)
  if (message.kind !== 'request') throw new Error(`not a request: ${message.kind}`)
  return message
}

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof Problem) return error.code
    throw error
  }
  return 'none'
}

describe('reading a message', () => {
  test('a request, a notification and a response are told apart', () => {
    expect(read('{"jsonrpc":"2.0","id":"a","method":"ping"}').kind).toBe('request')
    expect(read('{"jsonrpc":"2.0","method":"notifications/initialized"}').kind).toBe('notification')
    expect(read('{"jsonrpc":"2.0","id":1,"result":{}}').kind).toBe('response')
  })

  test.each([
    ['', 'request.malformed'],
    ['{', 'request.malformed'],
    ['{"jsonrpc":"2.0","id":1,"method":"x","params":{"arguments":{bad}}}', 'request.malformed'],
    ['[]', 'request.invalid'],
    ['[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 'request.invalid'],
    ['"text"', 'request.invalid'],
    ['null', 'request.invalid'],
    ['{"id":1,"method":"ping"}', 'request.invalid'],
    ['{"jsonrpc":"1.0","id":1,"method":"ping"}', 'request.invalid'],
    ['{"jsonrpc":"2.0","id":null,"method":"ping"}', 'request.invalid'],
    ['{"jsonrpc":"2.0","id":1.5,"method":"ping"}', 'request.invalid'],
    ['{"jsonrpc":"2.0","id":{},"method":"ping"}', 'request.invalid'],
    ['{"jsonrpc":"2.0","id":1,"method":7}', 'request.invalid'],
    ['{"jsonrpc":"2.0","id":1}', 'request.invalid'],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', 'request.params'],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":"x"}}', 'request.params'],
  ])('%s is refused as %s', (text, code) => {
    expect(codeOf(() => read(text))).toBe(code)
  })

  test('bytes that are not UTF-8 are refused', () => {
    const bytes = Buffer.concat([
      Buffer.from('{"jsonrpc":"2.0","id":1,"method":"'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"}'),
    ])
    expect(codeOf(() => readMessage(bytes))).toBe('request.malformed')
  })

  test('a member that decides something may not stand there twice, in any spelling', () => {
    const twice = (inner: string) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{${inner}}}`
    expect(codeOf(() => read(twice('"name":"allowed","name":"forbidden"')))).toBe('request.invalid')
    expect(codeOf(() => read(twice('"name":"allowed","Name":"forbidden"')))).toBe('request.invalid')
    expect(codeOf(() => read(twice('"name":"allowed","n\\u0061me":"forbidden"')))).toBe('request.invalid')
    expect(codeOf(() => read('{"jsonrpc":"2.0","id":1,"method":"ping","METHOD":"tools/call"}'))).toBe('request.invalid')
    expect(codeOf(() => read(twice('"name":"allowed","arguments":{"name":"a","Name":"b"}')))).toBe('none')
  })

  test('a new name or id changes nothing else, whatever else is there', () => {
    const extra = fc.dictionary(
      fc.string().filter((key) => !/^(name|uri|cursor|_meta)$/i.test(key)),
      fc.jsonValue(),
    )
    fc.assert(
      fc.property(
        extra,
        fc.oneof(fc.integer(), fc.string()),
        fc.string(),
        fc.boolean(),
        (params, id, name, nameFirst) => {
          const named = nameFirst ? { name: 'before', ...params } : { ...params, name: 'before' }
          const value = { jsonrpc: '2.0', id, method: 'tools/call', params: { ...named, _meta: { progressToken: 1 } } }
          const request = withId(withName(readRequest(JSON.stringify(value)), name), 77)
          const expected = { ...value, id: 77, params: { ...named, name, _meta: { progressToken: 1 } } }
          expect(JSON.parse(request.bytes.toString())).toEqual(JSON.parse(JSON.stringify(expected)))
          for (const [span, text] of [
            [request.idSpan, '77'],
            [request.nameSpan, JSON.stringify(name)],
            [request.metaSpan, '{"progressToken":1}'],
          ] as const) {
            expect(request.bytes.toString('utf8', span?.start, span?.end)).toBe(text)
          }
        },
      ),
    )
  })
})
