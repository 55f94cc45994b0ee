import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeHeader, encodeHeader } from '../../src/base/header-value.ts'
import { readMessage, type RpcRequest } from '../../src/base/json-rpc.ts'
import { Problem } from '../../src/base/problem.ts'
import { checkParamHeaders, makeParamHeaders } from '../../src/mcp/param-headers.ts'
import { readParamHeaders, type ParamHeaders } from '../../src/registry/param-headers.ts'

/** Control characters, and what takes more than one of anything to write. */
const anyText = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary-ascii' }))

const wanted = (name: string, type: string) => ({ type, 'x-mcp-header': name })

const paramHeaders: ParamHeaders = read({
  region: wanted('Region', 'string'),
  limit: wanted('Limit', 'integer'),
  options: { type: 'object', properties: { dry: wanted('Dry', 'boolean'), constructor: wanted('Odd', 'string') } },
})

function read(properties: object): ParamHeaders {
  const found = readParamHeaders({ type: 'object', properties })
  if (found === undefined || found === 'invalid') throw new TypeError('no headers are wanted')
  return found
}

function call(args: string): RpcRequest {
  const params = `{"name":"t","arguments":${args}}`
  const message = readMessage(Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`))
  if (message.kind !== 'request') throw new TypeError('not a request')
  return message
}

/** How the check ends: the header that does not agree, or `fine`. */
function checked(args: string, headers: Readonly<Record<string, string>> | readonly string[]): unknown {
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers).flat()
  try {
    checkParamHeaders(call(args), pairs, paramHeaders)
    return 'fine'
  } catch (error) {
    return error instanceof Problem && error.code === 'request.header_mismatch' ? error.details['header'] : error
  }
}

describe('headers that a tool wants', () => {
  test('agree with the arguments, in whatever case they are written', () => {
    expect(
      checked('{"region":"us-west1","limit":42,"options":{"dry":false}}', {
        'mcp-param-REGION': 'us-west1',
        'Mcp-Param-Limit': '42',
        'Mcp-Param-Dry': 'false',
        'Mcp-Param-Unknown': 'nobody asks for it',
      }),
    ).toBe('fine')
    expect(checked('{}', {})).toBe('fine')
    expect(checked('{"region":null,"options":7,"x":"y"}', {})).toBe('fine')
  })

  test('are refused where they say something else, are missing, or say what the arguments do not', () => {
    expect(checked('{"region":"us-west1"}', { 'Mcp-Param-Region': 'eu' })).toBe('Mcp-Param-Region')
    expect(checked('{"region":"us-west1"}', { 'Mcp-Param-Region': 'US-WEST1' })).toBe('Mcp-Param-Region')
    expect(checked('{"region":"us-west1"}', {})).toBe('Mcp-Param-Region')
    expect(checked('{"options":{"dry":true}}', { 'Mcp-Param-Dry': '1' })).toBe('Mcp-Param-Dry')
    for (const nothing of ['{}', '{"region":null}', 'null', '[]', '{"options":{"region":"eu"}}'])
      expect([nothing, checked(nothing, { 'Mcp-Param-Region': 'eu' })]).toEqual([nothing, 'Mcp-Param-Region'])
  })

  test('are refused where there are two of one: nobody knows which is believed', () => {
    const twice = ['Mcp-Param-Region', 'eu', 'mcp-param-region', 'eu']
    expect(checked('{"region":"eu"}', twice)).toBe('Mcp-Param-Region')
  })

  test('hold a number in whatever way it is written, and no other number', () => {
    for (const same of ['42', '42.0', '4.2e1', '042'])
      expect(checked('{"limit":42}', { 'Mcp-Param-Limit': same })).toBe('fine')
    expect(checked('{"limit":42.0}', { 'Mcp-Param-Limit': '42' })).toBe('fine')
    for (const odd of ['43', '', '0x2a', ' 42', '42,42', 'NaN'])
      expect([odd, checked('{"limit":42}', { 'Mcp-Param-Limit': odd })]).toEqual([odd, 'Mcp-Param-Limit'])
    expect(checked('{"limit":0}', { 'Mcp-Param-Limit': '' })).toBe('Mcp-Param-Limit')
  })

  test('cannot hold what is no plain value, which is left for the server to refuse', () => {
    for (const value of ['{"a":1}', '[1]', '12345678901234567890', '1e400']) {
      expect(checked(`{"limit":${value}}`, {})).toBe('fine')
      expect(checked(`{"limit":${value}}`, { 'Mcp-Param-Limit': value })).toBe('Mcp-Param-Limit')
    }
  })

  test('are taken from the arguments alone, not from what every object has', () => {
    expect(checked('{"options":{}}', {})).toBe('fine')
    expect(makeParamHeaders(call('{"options":{}}'), paramHeaders)).toEqual([])
  })

  test('hold base64 only where they say so, and only such as everybody reads alike', () => {
    const base64 = Buffer.from('Hello').toString('base64')
    const region = (value: string, header: string) =>
      checked(JSON.stringify({ region: value }), { 'Mcp-Param-Region': header })
    expect(region('Hello', `=?base64?${base64}?=`)).toBe('fine')
    expect(region('Hello', '=?base64?SGVsbG8?=')).toBe('Mcp-Param-Region')
    expect(region('Hello', '=?base64?SGVs!!!bG8=?=')).toBe('Mcp-Param-Region')
    expect(region(base64, base64)).toBe('fine')
    expect(region(`=?base64?${base64}`, `=?base64?${base64}`)).toBe('fine')
    expect(region('', '')).toBe('fine')
  })

  test('are made for a client that knows nothing of them, as the server will check them', () => {
    const args = '{"region":"line1\\r\\nline2","limit":-7,"options":{"dry":true,"constructor":" padded "},"x":"y"}'
    const made = makeParamHeaders(call(args), paramHeaders)
    expect(Object.fromEntries(pairsOf(made))).toEqual({
      'Mcp-Param-Region': '=?base64?bGluZTENCmxpbmUy?=',
      'Mcp-Param-Limit': '-7',
      'Mcp-Param-Dry': 'true',
      'Mcp-Param-Odd': '=?base64?IHBhZGRlZCA=?=',
    })
    const value = fc.oneof(anyText, fc.integer(), fc.boolean(), fc.constant(null))
    fc.assert(
      fc.property(fc.record({ region: value, limit: value, options: fc.record({ dry: value }) }), (sent) => {
        const text = JSON.stringify(sent)
        expect(checked(text, makeParamHeaders(call(text), paramHeaders))).toBe('fine')
      }),
    )
  })

  test('carry any text that can be written, as printable ASCII without space at the ends', () => {
    const text = fc.oneof(
      anyText,
      fc.constantFrom('', ' a', 'a ', '\t', 'a\tb', '=?base64?eA==?=', '=?base64??=', '=?base64?x\n?='),
    )
    fc.assert(
      fc.property(text, (plain) => {
        const value = encodeHeader(plain)
        expect(value).toMatch(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/)
        expect(decodeHeader(value)).toBe(plain)
      }),
    )
    expect(encodeHeader('us west 1')).toBe('us west 1')
  })
})

function pairsOf(flat: readonly string[]): (readonly [string, string])[] {
  return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? ''] as const] : []))
}
