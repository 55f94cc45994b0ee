import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { withParams } from '../../src/base/json-rpc.ts'
import { readInputResponses, withInput } from '../../src/mcp/eras/input-required.ts'
import { request } from './bridge-scene.ts'

describe('setting members of params', () => {
  const members = fc.dictionary(
    fc.string().filter((key) => !/^(?:name|uri|cursor|_meta)$/i.test(key)),
    fc.jsonValue(),
  )
  const written = (object: object) =>
    Object.fromEntries(Object.entries(object).map(([key, value]) => [key, JSON.stringify(value)]))

  test('sets those and no others, whatever is there', () => {
    fc.assert(
      fc.property(members, members, fc.constantFrom('', ' ', '\n\t'), (before, set, space) => {
        const text = JSON.stringify(before, undefined, space)
        const changed = withParams(request(text, { id: 5 }), written(set))
        expect(changed.id).toBe(5)
        expect(changed.paramsValue).toEqual(JSON.parse(JSON.stringify({ ...before, ...set })))
        expect(JSON.parse(changed.bytes.toString())).toMatchObject({ jsonrpc: '2.0', id: 5, method: 'tools/call' })
      }),
    )
  })

  test('leaves every other byte, and makes params where there are none', () => {
    const changed = withParams(request('{ "a": 1.50, "b" : [1e400] }'), { b: '2.0', c: '"x"' })
    expect(changed.bytes.toString()).toContain('"params":{ "a": 1.50, "b" : 2.0 ,"c":"x"}')
    expect(withParams(request('{ }'), { c: '1' }).bytes.toString()).toContain('"params":{ "c":1}')
  })

  test('without params makes some', () => {
    const bare = request('{}')
    const none = { ...bare, bytes: Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}'), params: undefined }
    expect(withParams(none, { a: '1' }).bytes.toString()).toBe(
      '{"jsonrpc":"2.0","id":1,"params":{"a":1},"method":"ping"}',
    )
  })
})

test('what is said to questions is read as it was written, and what is no object is nothing', () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue())
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.oneof(object, fc.jsonValue())), (said) => {
      const texts = new Map(Object.entries(said).map(([key, value]) => [key, JSON.stringify(value, undefined, 1)]))
      const objects = [...texts].filter(([, text]) => text.startsWith('{'))
      const read = readInputResponses(withInput(request('{"name":"x"}'), texts, undefined))
      expect([...read]).toEqual(objects)
    }),
  )
  expect([...readInputResponses(request('{"inputResponses":[{}]}'))]).toEqual([])
  expect([...readInputResponses(request('{}'))]).toEqual([])
})
