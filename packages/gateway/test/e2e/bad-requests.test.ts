import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../scripts/lib/gate.ts'
import { systemRandom } from '../../src/base/ids.ts'
import { makeKey } from '../../src/identity/key-format.ts'
import { eras, envelopeOf, headersOf } from './eras.ts'
import { startOddUpstream, type OddUpstream } from './fixtures/odd-upstream.ts'
import { doorOf, until } from './place.ts'
import { codeOf, openLine, parseAnswer, rawRequest, rpcCodeOf, sendRaw, type RawAnswer, type RawRequest } from './raw.ts'
import { post, send, tell, textFrom, type Reply } from './wire.ts'

const REQUEST_BYTES = 1_000_000

let upstream: OddUpstream
let gate: Gate
let key = ''

beforeAll(async () => {
  upstream = await startOddUpstream()
  const url = `${upstream.origin}/dual`
  gate = await startGate({
    config: {
      mcpServers: { odd: { url }, other: { url } },
      limits: { requestBytes: REQUEST_BYTES, callsPerMinute: 100_000 },
      timeouts: { bodyMs: 1_000 },
    },
  })
  key = (await gate.addUser('ada')).key
})

afterAll(async () => {
  await gate.stop()
  await upstream[Symbol.asyncDispose]()
})

/** Whatever a client did, the gate goes on serving others. */
afterEach(async () => {
  for (const era of eras) expect(await textFrom(doorOf(gate, { key }, era), 'odd__echo', { well: 1 })).toContain('"well":1')
})

const door = (server?: string) => doorOf(gate, { key }, 'modern', server)

/** Sends a body as a legacy client that is known. */
function sendBody(body: string | Buffer, more: RawRequest = {}): Promise<RawAnswer> {
  const headers = [`Authorization: Bearer ${key}`, 'Content-Type: application/json', ...(more.headers ?? [])]
  return sendRaw(gate.url, { ...more, headers, body })
}

const knock = (request: RawRequest) => sendRaw(gate.url, request)

const asAnswer = ({ headers, bytes }: Reply) => ({ headers, body: bytes.toString() })

const LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
const callOf = (params: string) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`

describe('a body', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

  test.for<[what: string, body: string | Buffer, code: string, rpc: number]>([
    ['that is empty', '', 'request.malformed', -32700],
    ['that is not JSON', '{"jsonrpc":', 'request.malformed', -32700],
    ['with something after it', `${LIST}{}`, 'request.malformed', -32700],
    ['that is not UTF-8', Buffer.from(LIST.replace('tools', 't\xe9')), 'request.method_unknown', -32601],
    ['in Latin-1', Buffer.from(LIST.replace('tools', 't\xe9'), 'latin1'), 'request.malformed', -32700],
    ['in UTF-16', Buffer.from(LIST, 'utf16le'), 'request.malformed', -32700],
    ['with zero bytes', `${LIST}\0\0`, 'request.malformed', -32700],
    ['that is a batch', `[${LIST},${LIST}]`, 'request.invalid', -32600],
    ['that is a batch of 100,000 levels', nested(100_000), 'request.invalid', -32600],
    ['that is a number', '7', 'request.invalid', -32600],
    ['that is null', 'null', 'request.invalid', -32600],
    ['without a version', '{"id":1,"method":"tools/list"}', 'request.invalid', -32600],
    ['of another version', '{"jsonrpc":"1.0","id":1,"method":"tools/list"}', 'request.invalid', -32600],
    ['without a method', '{"jsonrpc":"2.0","id":1}', 'request.invalid', -32600],
    ['whose method is a number', '{"jsonrpc":"2.0","id":1,"method":7}', 'request.invalid', -32600],
    ['whose id is an object', '{"jsonrpc":"2.0","id":{},"method":"tools/list"}', 'request.invalid', -32600],
    ['whose id is null', '{"jsonrpc":"2.0","id":null,"method":"tools/list"}', 'request.invalid', -32600],
    ['whose id is a fraction', '{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}', 'request.invalid', -32600],
    ['whose id is too great to be kept', `{"jsonrpc":"2.0","id":${'9'.repeat(400)},"method":"ping"}`, 'request.invalid', -32600],
    ['whose params are a list', '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[]}', 'request.params', -32602],
    ['whose params are null', '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":null}', 'request.params', -32602],
    ['whose _meta is a text', callOf('{"name":"odd__echo","_meta":"x"}'), 'request.params', -32602],
    ['with two methods', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}', 'request.invalid', -32600],
    ['with two names', callOf('{"name":"odd__echo","name":"odd__html"}'), 'request.invalid', -32600],
    ['with a name in another case', callOf('{"name":"odd__echo","Name":"odd__html"}'), 'request.invalid', -32600],
    ['with an escaped second name', callOf('{"name":"odd__echo","n\\u0061me":"odd__html"}'), 'request.invalid', -32600],
  ])('%s is refused', async ([, body, code, rpc]) => {
    const answer = await sendBody(body)
    expect([codeOf(answer), rpcCodeOf(answer)]).toEqual([code, rpc])
    expect(answer.status).toBe(code === 'request.method_unknown' ? 200 : 400)
  })

  test.for<[what: string, params: string, code: string]>([
    ['no name', '{}', 'request.params'],
    ['a number for a name', '{"name":7}', 'request.params'],
    ['a name of nobody', '{"name":"nobody__echo"}', 'tool.unknown'],
    ['a name of half a million characters', `{"name":"odd__${'x'.repeat(500_000)}"}`, 'tool.unknown'],
    ['the name of a member of every object', '{"name":"__proto__"}', 'tool.unknown'],
    ['a name with a line break', '{"name":"odd__\\r\\nSet-Cookie: x"}', 'tool.unknown'],
    ['half a character for a name', '{"name":"odd__\\ud800"}', 'tool.unknown'],
  ])('that calls with %s is answered with what is wrong, and its own id', async ([, params, code]) => {
    const answer = await sendBody(callOf(params))
    expect([answer.status, codeOf(answer), rpcCodeOf(answer)]).toEqual([200, code, -32602])
    expect(answer.body).toContain('"id":1,')
    expect(answer.body.length).toBeLessThan(1_000)
  })

  test.for(['__proto__', 'constructor', 'toString', 'tools/call/x', 'x'.repeat(100_000)])(
    'with the method %.20s is unknown',
    async (method) => {
      const answer = await sendBody(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: {} }))
      expect([answer.status, codeOf(answer)]).toEqual([200, 'request.method_unknown'])
      expect(answer.body.length).toBeLessThan(1_000)
    },
  )

  test('reaches the upstream byte for byte, however deep or odd, and the answer has its id byte for byte', async () => {
    const args = `{"__proto__":{"a":1},"constructor":1e400,"a":1,"a":2,"deep":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
    for (const id of ['"\\u0041"', '1.0', '-0', `"${'i'.repeat(200_000)}"`, '9007199254740991']) {
      const body = `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"odd__long","arguments":${args}}}`
      const { status, body: answer } = await sendBody(body)
      expect([status, answer.includes('x'.repeat(1_000))]).toEqual([200, true])
      expect(upstream.seen.at(-1)?.body).toContain(args)
    }
  })

  test('that is too large is refused, with its length said before and without, and the answer arrives', async () => {
    const large = Buffer.alloc(REQUEST_BYTES * 20, 0x20)
    const size = large.length.toString(16)
    const chunked = Buffer.concat([Buffer.from(`${size}\r\n`), large, Buffer.from('\r\n0\r\n\r\n')])
    const headers = [`Authorization: Bearer ${key}`, 'Content-Type: application/json']
    const line = openLine(gate.url)
    line.socket.write(rawRequest(gate.url, { headers, body: large }))
    await line.match(/request\.too_large/)
    line.socket.write(rawRequest(gate.url, { headers: [...headers, 'Transfer-Encoding: chunked'], body: chunked }))
    await line.match(/request\.too_large[^]*request\.too_large/)
    line.socket.write(rawRequest(gate.url, { headers, body: LIST }))
    await line.match(/sekisho_status/)
    line.socket.destroy()
    expect([...line.text().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['413', '413', '200'])
    const reply = await post(door(), large.toString(), {})
    expect([reply.status, codeOf(asAnswer(reply))]).toEqual([413, 'request.too_large'])
  })

  test('as large as allowed is taken', async () => {
    expect((await sendBody(LIST.padEnd(REQUEST_BYTES))).status).toBe(200)
  })
})

describe('a request that does not arrive', () => {
  test.for<[what: string, beginning: () => string]>([
    ['in its headers', () => `POST /mcp HTTP/1.1\r\nHost: ${new URL(gate.url).host}\r\nX-Drip: `],
    ['in its body', () => rawRequest(gate.url, { headers: knownHeaders(['Content-Length: 10000']) }).toString()],
    ['in a chunk', () => `${rawRequest(gate.url, { headers: knownHeaders(['Transfer-Encoding: chunked']) }).toString()}fff\r\n`],
  ])('and drips %s is given up', async ([, beginning]) => {
    const line = openLine(gate.url)
    line.socket.write(beginning())
    const drip = setInterval(() => line.socket.write('x'), 50)
    const answer = parseAnswer(await line.closed)
    clearInterval(drip)
    expect([answer.status, codeOf(answer)]).toEqual([408, 'request.timeout'])
  })

  test('because its client hung up in the middle leaves nothing behind', async () => {
    const before = upstream.seen.length
    for (const headers of [['Content-Length: 1000'], ['Transfer-Encoding: chunked']]) {
      const line = openLine(gate.url)
      line.socket.write(rawRequest(gate.url, { headers: knownHeaders(headers) }))
      line.socket.end(`${LIST.slice(0, 20)}`)
      await line.closed
    }
    expect(upstream.seen).toHaveLength(before)
  })

  function knownHeaders(more: readonly string[]): string[] {
    return [`Authorization: Bearer ${key}`, 'Content-Type: application/json', ...more]
  }
})

describe('a client that leaves', () => {
  test('before the answer ends the call at the upstream', async () => {
    const before = upstream.seen.length
    for (const era of eras) {
      const stop = new AbortController()
      const gone = send(doorOf(gate, { key }, era), 'tools/call', { name: 'odd__wait' }, { signal: stop.signal })
      await until(() => upstream.seen.slice(before).some(({ tool, hungUp }) => tool === 'wait' && !hungUp))
      stop.abort()
      await expect(gone).rejects.toThrow('aborted')
      await until(() => upstream.seen.slice(before).every(({ tool, hungUp }) => tool !== 'wait' || hungUp))
    }
  })

  test('in the middle of the answer ends it at the upstream', async () => {
    const line = openLine(gate.url)
    const headers = [`Authorization: Bearer ${key}`, 'Content-Type: application/json']
    line.socket.write(rawRequest(gate.url, { headers, body: callOf('{"name":"odd__endless"}') }))
    await line.match(/xxxx/)
    line.socket.destroy()
    await until(() => upstream.seen.findLast(({ tool }) => tool === 'endless')?.hungUp === true)
  })

  test('a cancelled call is answered as one, and the upstream is hung up on', async () => {
    const legacy = doorOf(gate, { key }, 'legacy')
    const headers = { 'Mcp-Session-Id': 'mine' }
    const before = upstream.seen.length
    const cancelled = send(legacy, 'tools/call', { name: 'odd__wait' }, { id: 'c', headers })
    await until(() => upstream.seen.slice(before).some(({ tool }) => tool === 'wait'))
    await tell(legacy, 'notifications/cancelled', { requestId: 'c' }, headers)
    expect(codeOf(asAnswer(await cancelled))).toBe('request.cancelled')
    await until(() => upstream.seen.findLast(({ tool }) => tool === 'wait')?.hungUp === true)
  })
})

describe('one connection', () => {
  test('carries requests sent without waiting, answered in their order', async () => {
    const line = openLine(gate.url)
    const headers = [`Authorization: Bearer ${key}`, 'Content-Type: application/json']
    const ids = [1, 2, 3, 4, 5]
    const bodies = ids.map((id) => `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"odd__echo"}}`)
    const requests = [...bodies, '{"jsonrpc":', LIST].map((body) => rawRequest(gate.url, { headers, body }))
    line.socket.write(Buffer.concat(requests))
    await line.match(/request\.malformed[\s\S]*sekisho_status/)
    line.socket.destroy()
    expect([...line.text().matchAll(/"jsonrpc":"2.0","id":(\d)/g)].map(([, id]) => Number(id))).toEqual([...ids, 1])
  })

  test.for<[what: string, head: readonly string[]]>([
    ['a length and chunks', ['Content-Length: 4', 'Transfer-Encoding: chunked']],
    ['chunks and a length', ['Transfer-Encoding: chunked', 'Content-Length: 4']],
    ['two lengths', ['Content-Length: 4', 'Content-Length: 50']],
    ['a list of lengths', ['Content-Length: 4, 50']],
    ['a length with a sign', ['Content-Length: +4']],
    ['a negative length', ['Content-Length: -4']],
    ['a length that is too great', [`Content-Length: ${'9'.repeat(40)}`]],
    ['another transfer coding', ['Transfer-Encoding: xchunked']],
    ['a coding after chunks', ['Transfer-Encoding: chunked, identity']],
    ['a space before the colon', ['Transfer-Encoding : chunked']],
    ['a folded header', ['X-A: b', ' Transfer-Encoding: chunked', 'Content-Length: 4']],
    ['a zero byte in a header', ['X-A: b\0c', 'Content-Length: 4']],
    ['a line that is no header', ['nothing', 'Content-Length: 4']],
  ])('with %s is refused and closed, so that no second request can hide in the first', async ([, head]) => {
    const hidden = `0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: ${new URL(gate.url).host}\r\n\r\n`
    const line = openLine(gate.url)
    const headers = [`Authorization: Bearer ${key}`, 'Content-Type: application/json', ...head]
    line.socket.write(rawRequest(gate.url, { headers, body: hidden }))
    const text = await line.closed
    const answer = parseAnswer(text)
    expect([answer.status, codeOf(answer), text.match(/HTTP\/1\.1/g)?.length]).toEqual([400, 'request.http', 1])
  })

  test('on which something else than HTTP is spoken is answered and closed', async () => {
    for (const bytes of ['\x16\x03\x01\x02\x00\x01\x00', 'HELO example.com\r\n', 'GET\r\n\r\n', '\0\0\0\0']) {
      const line = openLine(gate.url)
      line.socket.write(bytes, 'latin1')
      expect(codeOf(parseAnswer(await line.closed))).toBe('request.http')
    }
  })
})

describe('an address', () => {
  const known = (more: RawRequest) => sendBody(LIST, more)

  test.for([
    'evil.example',
    'localhost.evil.example:80',
    '127.0.0.1',
    '127.0.0.1:1',
    '0x7f.1:80',
    'localhost@evil.example',
    '',
  ])('whose host is %s is refused', async (host) => {
    for (const answer of [await known({ host }), await knock({ method: 'GET', target: '/metrics', host })]) {
      expect([answer.status, codeOf(answer)]).toEqual([403, 'request.host'])
    }
  })

  test('with two hosts, or none, is refused', async () => {
    const { host } = new URL(gate.url)
    const two = await known({ headers: [`Host: evil.example`] })
    expect([two.status, codeOf(two)]).toEqual([403, 'request.host'])
    expect((await known({ headers: [`Host: ${host}`] })).status).toBe(403)
    const line = openLine(gate.url)
    line.socket.write('GET /metrics HTTP/1.0\r\n\r\n')
    expect(codeOf(parseAnswer(await line.closed))).toBe('request.host')
  })

  test('under its names on loopback is answered', async () => {
    const { port } = new URL(gate.url)
    for (const name of ['localhost', '127.0.0.1', '[::1]', 'LOCALHOST']) {
      expect((await known({ host: `${name}:${port}` })).status).toBe(200)
    }
  })

  test.for(['https://evil.example', 'null', 'http://localhost', 'http://127.0.0.1:1', 'file://'])(
    'called by a page of %s is refused',
    async (origin) => {
      for (const method of ['POST', 'GET', 'OPTIONS']) {
        const answer = await known({ method, headers: [`Origin: ${origin}`] })
        expect([answer.status, codeOf(answer)]).toEqual([403, 'request.origin'])
        expect(answer.headers.has('access-control-allow-origin')).toBe(false)
      }
    },
  )

  test.for([
    '/', '//mcp', '/MCP', '/mcp%2f', '/mcp;x', '/%6dcp', '/./mcp', '/x/../mcp', '*', '/mcp\\odd',
    'http://evil.example/mcp', '/metrics/', '/admin', '/health',
  ])('%s leads nowhere', async (target) => {
    const answer = await known({ target })
    expect([answer.status, codeOf(answer)]).toEqual([404, 'request.not_found'])
  })

  test.for([
    '/mcp/', '/mcp/nobody', '/mcp/../admin/api/users', '/mcp/%2e%2e/metrics', '/mcp/odd/', '/mcp/odd%00', '/mcp/ODD',
    '/mcp//odd', '/mcp/__proto__', '/mcp/a"b', `/mcp/${'x'.repeat(10_000)}`,
  ])('%.40s names no server', async (target) => {
    const answer = await known({ target })
    expect([answer.status, codeOf(answer)]).toEqual([404, 'upstream.unknown'])
    expect(answer.body.length).toBeLessThan(1_000)
  })

  test('does not tell a key of one server which others there are', async () => {
    const { key: narrow } = await gate.addUser('narrow', { scopes: ['mcp:odd'] })
    for (const name of ['other', 'nobody', 'a"b\\c']) {
      const headers = [`Authorization: Bearer ${narrow}`]
      const answer = await knock({ target: `/mcp/${name}`, headers })
      expect([answer.status, codeOf(answer)]).toEqual([403, 'auth.forbidden'])
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer error="insufficient_scope", scope="mcp:[^"\\]+"$/)
    }
  })

  test('that is too long, or has too long headers, is refused', async () => {
    for (const request of [{ target: `/mcp/${'x'.repeat(100_000)}` }, { headers: [`X-Long: ${'x'.repeat(100_000)}`] }]) {
      const answer = await knock(request)
      expect([answer.status, codeOf(answer)]).toEqual([431, 'request.headers_too_large'])
    }
  })
})

describe('an HTTP method', () => {
  test.for(['GET', 'DELETE', 'OPTIONS', 'PUT', 'PATCH', 'TRACE', 'PROPFIND'])('%s is not for MCP', async (method) => {
    for (const target of ['/mcp', '/mcp/odd']) {
      const answer = await sendBody('', { method, target })
      expect([answer.status, answer.headers.get('allow'), codeOf(answer)]).toEqual([405, 'POST', 'request.http_method'])
    }
  })

  test('HEAD is answered without a body', async () => {
    expect(await sendBody('', { method: 'HEAD' })).toMatchObject({ status: 405, body: '' })
  })

  test('that there is not is no HTTP, and CONNECT is no proxy', async () => {
    expect(codeOf(await knock({ method: 'BREW' }))).toBe('request.http')
    const line = openLine(gate.url)
    line.socket.write('CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n')
    expect(await line.closed).not.toContain('200')
  })

  test('that the admin API cannot even be asked with is refused there too', async () => {
    const { key: admin } = await gate.addUser('root', { role: 'admin', scopes: ['admin'] })
    const headers = [`Authorization: Bearer ${admin}`]
    const answer = await knock({ method: 'TRACE', target: '/admin/api/users', headers })
    expect([answer.status, codeOf(answer)]).toEqual([405, 'request.http_method'])
  })
})

describe('what a client says it sends and takes', () => {
  test.for(['', 'text/plain', 'application/json-patch+json', 'application/jsonp', 'text/json', 'multipart/form-data'])(
    'the type %s is not taken',
    async (type) => {
      const answer = await knock({ headers: [`Authorization: Bearer ${key}`, `Content-Type: ${type}`], body: LIST })
      expect([answer.status, codeOf(answer)]).toEqual([415, 'request.media_type'])
    },
  )

  test.for(['text/html', 'text/event-stream', 'image/*'])('an answer in %s is not to be had', async (accept) => {
    const answer = await sendBody(LIST, { headers: [`Accept: ${accept}`] })
    expect([answer.status, codeOf(answer)]).toEqual([406, 'request.not_acceptable'])
  })

  test('usual ways to say JSON are understood', async () => {
    for (const accept of ['*/*', 'application/*', 'text/html, Application/JSON;q=0.5']) {
      expect((await sendBody(LIST, { headers: [`Accept: ${accept}`] })).status).toBe(200)
    }
    const type = 'Content-Type: Application/JSON ; charset=utf-8'
    expect((await knock({ headers: [`Authorization: Bearer ${key}`, type], body: LIST })).status).toBe(200)
  })

  test('an upgrade is not made', async () => {
    const answer = await sendBody(LIST, { headers: ['Upgrade: websocket', 'Connection: Upgrade, close'] })
    expect(answer.status).not.toBe(101)
  })
})

describe('the headers of revision 2026-07-28', () => {
  const params = { name: 'odd__echo', arguments: {} }
  const right = headersOf('modern', 'tools/call', params)
  const body = (changed: object = {}) =>
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: envelopeOf('modern', params), ...changed })
  const without = (name: string) => Object.fromEntries(Object.entries(right).filter(([key]) => key !== name))

  async function failure(text: string, headers: Record<string, string>) {
    const reply = await post(door(), text, headers)
    return { status: reply.status, code: codeOf(asAnswer(reply)), rpc: rpcCodeOf(asAnswer(reply)), reply }
  }
  const MISMATCH = { status: 400, code: 'request.header_mismatch', rpc: -32020 }

  test.for(['MCP-Protocol-Version', 'Mcp-Method', 'Mcp-Name'])('%s must be there, and agree', async (name) => {
    expect(await failure(body(), without(name))).toMatchObject(MISMATCH)
    expect(await failure(body(), { ...right, [name]: 'another' })).toMatchObject(MISMATCH)
    expect(await failure(body(), { ...right, [name]: `${right[name]}, ${right[name]}` })).toMatchObject(MISMATCH)
  })

  test('a name may come in base64, and must agree then too', async () => {
    const encoded = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`
    expect((await post(door(), body(), { ...right, 'Mcp-Name': encoded('odd__echo') })).status).toBe(200)
    expect(await failure(body(), { ...right, 'Mcp-Name': encoded('odd__html') })).toMatchObject(MISMATCH)
    expect(await failure(body(), { ...right, 'Mcp-Name': '=?base64?%%%?=' })).toMatchObject(MISMATCH)
  })

  test('an unknown version is answered with those there are', async () => {
    const meta = { 'io.modelcontextprotocol/protocolVersion': '2099-01-01', 'io.modelcontextprotocol/clientCapabilities': {} }
    const future = body({ params: { ...params, _meta: meta } })
    const modern = await failure(future, { ...right, 'MCP-Protocol-Version': '2099-01-01' })
    expect(modern).toMatchObject({ status: 400, code: 'request.version_unsupported', rpc: -32022 })
    expect(asAnswer(modern.reply).body).toContain('"supported":["2026-07-28"')
    const legacy = await failure(LIST, { 'MCP-Protocol-Version': '1999-01-01' })
    expect(legacy).toMatchObject({ status: 400, code: 'request.version_unsupported', rpc: -32022 })
    expect(asAnswer(legacy.reply).body).toMatch(/"supported":\[.*"2025-11-25"/)
  })

  test('a request without its envelope lacks parameters', async () => {
    const version = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }
    for (const _meta of [undefined, {}, version]) {
      const answered = await failure(body({ params: { ...params, _meta } }), right)
      expect(answered).toMatchObject({ status: 400, code: 'request.params', rpc: -32602 })
    }
  })

  test.for(['initialize', 'ping', 'logging/setLevel', 'resources/subscribe'])('%s is of another era', async (method) => {
    const reply = await send(door(), method)
    expect([reply.status, codeOf(asAnswer(reply)), rpcCodeOf(asAnswer(reply))]).toEqual([404, 'request.method_unknown', -32601])
  })
})

describe('a key', () => {
  test.for<[what: string, header: readonly string[], challenge: string]>([
    ['that is missing', [], 'Bearer'],
    ['of another scheme', ['Authorization: Basic YWRhOmFkYQ=='], 'Bearer'],
    ['that is empty', ['Authorization: Bearer '], 'Bearer'],
    ['that is two', [`Authorization: Bearer a b`], 'Bearer'],
    ['that is malformed', ['Authorization: Bearer sekisho_x'], 'Bearer error="invalid_token"'],
    ['with odd bytes', ['Authorization: Bearer sekisho_\xe9\xff'], 'Bearer error="invalid_token"'],
    ['that is long', [`Authorization: Bearer ${'x'.repeat(10_000)}`], 'Bearer error="invalid_token"'],
    ['of another gate', [`Authorization: Bearer ${makeKey(systemRandom)}`], 'Bearer error="invalid_token"'],
  ])('%s opens nothing', async ([, headers, challenge]) => {
    for (const request of [{ body: LIST }, { target: '/mcp/odd' }, { target: '/mcp/nobody' }, { method: 'GET', target: '/metrics' }, { method: 'GET', target: '/admin/api/users' }]) {
      const answer = await knock({ ...request, headers })
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, challenge])
      expect(codeOf(answer)).toMatch(/^auth\.(?:required|invalid)$/)
    }
  })

  test('in the address opens nothing', async () => {
    for (const target of [`/mcp?access_token=${key}`, `/mcp?key=${key}`]) {
      expect((await knock({ target, headers: ['Content-Type: application/json'], body: LIST })).status).toBe(401)
    }
  })

  test('that is revoked opens nothing from then on', async () => {
    const { key: lost } = await gate.addUser('bob')
    const lostDoor = doorOf(gate, { key: lost })
    expect((await send(lostDoor, 'tools/list')).status).toBe(200)
    const { body } = await gate.admin('GET', '/admin/api/keys?user=bob')
    const { keys }: { keys: { id: string }[] } = JSON.parse(JSON.stringify(body))
    await gate.admin('DELETE', `/admin/api/keys/${keys[0]?.id}`)
    const reply = await send(lostDoor, 'tools/list')
    expect([reply.status, codeOf(asAnswer(reply))]).toEqual([401, 'auth.invalid'])
  })
})

test('over its limits a user is told when to come again, and nobody else is', async () => {
  const limits = { callsPerMinute: 4, concurrentCalls: 2 }
  await using small = await startGate({ config: { mcpServers: { odd: { url: `${upstream.origin}/dual` } }, limits } })
  const [ada, bob] = [await small.addUser('ada'), await small.addUser('bob')]
  const calling = (who: { key: string }, name: string) => send(doorOf(small, who), 'tools/call', { name })
  const before = upstream.seen.length
  const waiting = [calling(ada, 'odd__wait'), calling(ada, 'odd__wait')]
  await until(() => upstream.seen.slice(before).filter(({ tool }) => tool === 'wait').length === 2)
  const crowded = await calling(ada, 'odd__echo')
  expect([crowded.status, crowded.headers.get('retry-after'), codeOf(asAnswer(crowded))]).toEqual([429, '1', 'limit.concurrency'])
  upstream.release()
  for (const reply of await Promise.all(waiting)) expect(reply.status).toBe(200)
  for (const _ of [1, 2]) expect((await calling(ada, 'odd__echo')).status).toBe(200)
  const asked = upstream.seen.length
  const late = await calling(ada, 'odd__echo')
  expect([late.status, codeOf(asAnswer(late))]).toEqual([429, 'limit.rate'])
  expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(upstream.seen).toHaveLength(asked)
  expect((await calling(bob, 'odd__echo')).status).toBe(200)
})
