import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readMessage, type RpcRequest } from '../../src/base/json-rpc.ts'
import { Problem } from '../../src/base/problem.ts'
import { modernClient } from '../../src/mcp/eras/2026-07-28.ts'
import { modernUpstream } from '../../src/mcp/eras/2026-07-28-upstream.ts'
import { decideEra } from '../../src/mcp/eras/era.ts'
import { legacyClient } from '../../src/mcp/eras/legacy.ts'
import { legacyUpstream } from '../../src/mcp/eras/legacy-upstream.ts'
import { PLAIN_CLIENT } from '../../src/upstreams/client.ts'

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}

function request(value: object): RpcRequest {
  const message = readMessage(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, ...value })))
  if (message.kind !== 'request') throw new Error('not a request')
  return message
}

function call(name: string, headers: Record<string, string>, meta: object = META) {
  const message = request({ method: 'tools/call', params: { name, _meta: meta } })
  const standard = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name }
  return () => decideEra(message, { ...standard, ...headers })
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

describe('deciding the era', () => {
  test('a message says by itself that it is of the modern era', () => {
    expect(call('echo', {})().name).toBe('modern')
    expect(decideEra(request({ method: 'tools/list' }), { 'mcp-protocol-version': '2025-06-18' }).name).toBe('legacy')
    expect(decideEra(request({ method: 'tools/list' }), {}).name).toBe('legacy')
  })

  test('headers that do not agree with the body are refused', () => {
    expect(codeOf(call('echo', { 'mcp-name': 'other' }))).toBe('request.header_mismatch')
    expect(codeOf(call('echo', { 'mcp-method': 'tools/list' }))).toBe('request.header_mismatch')
    expect(codeOf(call('echo', { 'mcp-protocol-version': '2025-11-25' }))).toBe('request.header_mismatch')
    expect(codeOf(call('größe', { 'mcp-name': `=?base64?${Buffer.from('größe').toString('base64')}?=` }))).toBe('none')
  })

  test('what the modern era asks of every request is asked', () => {
    expect(codeOf(call('echo', {}, {}))).toBe('request.params')
    const withoutCapabilities = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }
    expect(codeOf(call('echo', {}, withoutCapabilities))).toBe('request.params')
    const future = { ...META, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' }
    expect(codeOf(call('echo', { 'mcp-protocol-version': '2099-01-01' }, future))).toBe('request.version_unsupported')
    const message = request({ method: 'tools/list' })
    expect(codeOf(() => decideEra(message, { 'mcp-protocol-version': '1999-01-01' }))).toBe(
      'request.version_unsupported',
    )
  })

  test('a method that is gone from an era is unknown in it', () => {
    expect(modernClient.operation('initialize')).toBeUndefined()
    expect(modernClient.operation('ping')).toBeUndefined()
    expect(legacyClient.operation('server/discover')).toBeUndefined()
  })
})

describe('between the eras', () => {
  test("a legacy client's request to a modern upstream says who asks, and loses nothing", () => {
    fc.assert(
      fc.property(fc.option(fc.dictionary(fc.string(), fc.jsonValue())), fc.boolean(), (args, withMeta) => {
        const meta = withMeta ? { _meta: { progressToken: 'p' } } : {}
        const params = args === null && !withMeta ? undefined : { name: 'echo', arguments: args, ...meta }
        const before = request({ method: 'tools/call', ...(params ? { params } : {}) })
        const after: unknown = JSON.parse(modernUpstream.dress(before, PLAIN_CLIENT).toString())
        const original = JSON.parse(before.bytes.toString())
        expect(after).toMatchObject(original)
        expect(after).toMatchObject({ params: { _meta: META } })
      }),
    )
  })

  test('a client of an older revision cannot say in place of the gate what it can do', () => {
    const _meta = { 'io.modelcontextprotocol/clientCapabilities': { sampling: {} }, kept: 1 }
    const dressed = modernUpstream.dress(
      request({ method: 'tools/call', params: { name: 'echo', _meta } }),
      PLAIN_CLIENT,
    )
    expect(dressed.toString().match(/clientCapabilities/g)).toHaveLength(1)
    expect(JSON.parse(dressed.toString())).toMatchObject({ params: { _meta: { ...META, kept: 1 } } })
  })

  test("a modern client's own envelope is passed on as it is", () => {
    const message = request({ method: 'tools/call', params: { name: 'echo', _meta: META } })
    expect(modernUpstream.dress(message, PLAIN_CLIENT)).toBe(message.bytes)
    expect(legacyUpstream.dress(message, PLAIN_CLIENT)).toBe(message.bytes)
  })

  test('a legacy answer is told to be complete, unless it says what it is', () => {
    const adopted = (text: string) =>
      modernClient.adopt(Buffer.from(text), request({ method: 'tools/call' })).toString()
    expect(adopted('{"jsonrpc":"2.0","id":1,"result":{"content":[]}}')).toBe(
      '{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[]}}',
    )
    expect(adopted('{"id":1,"result":{ }}')).toBe('{"id":1,"result":{"resultType":"complete" }}')
    const typed = '{"id":1,"result":{"resultType":"task","x":1}}'
    expect(adopted(typed)).toBe(typed)
    const failed = '{"id":1,"error":{"code":-32602,"message":"no"}}'
    expect(adopted(failed)).toBe(failed)
  })

  test('an address that is to be opened is asked for where that may be, linked to in a tool’s result, and else an error', () => {
    const elicitations = [{ mode: 'url', elicitationId: 'e', url: 'https://a.example/', message: 'Sign in.' }]
    const answer = { id: 1, error: { code: -32042, message: 'Not yet.', data: { elicitations } } }
    const adopted = (method: string, capabilities: object) => {
      const _meta = { ...META, 'io.modelcontextprotocol/clientCapabilities': capabilities }
      const bytes = modernClient.adopt(Buffer.from(JSON.stringify(answer)), request({ method, params: { _meta } }))
      const { result, error } = JSON.parse(bytes.toString())
      return result?.resultType ?? error.code
    }
    const opens = { elicitation: { url: {} } }
    const methods = ['tools/call', 'prompts/get', 'resources/read', 'completion/complete']
    expect(methods.map((method) => adopted(method, opens))).toEqual([...Array(3).fill('input_required'), -32603])
    expect(methods.map((method) => adopted(method, {}))).toEqual(['complete', ...Array(3).fill(-32603)])
  })

  test('a name that cannot stand in a header goes as base64', () => {
    const nameHeader = (name: string) => modernUpstream.headers('tools/call', name, '').at(-1)
    expect(nameHeader('plain_name')).toBe('plain_name')
    expect(nameHeader('größe')).toBe(`=?base64?${Buffer.from('größe').toString('base64')}?=`)
    expect(nameHeader('line\nbreak')).toMatch(/^=\?base64\?[A-Za-z0-9+/=]+\?=$/)
    expect(nameHeader('=?base64?eA==?=')).not.toBe('=?base64?eA==?=')
  })

  test('an initialize of an unknown revision is answered with the newest of this era', () => {
    const opened = (protocolVersion: string) => JSON.parse(legacyClient.opening('', { protocolVersion }, undefined))
    expect(opened('2025-03-26')).toMatchObject({ protocolVersion: '2025-03-26' })
    expect(opened('2026-07-28')).toMatchObject({ protocolVersion: '2025-11-25' })
  })
})
