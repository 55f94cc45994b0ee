import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { systemRandom } from '../../../src/base/ids.ts'
import { makeKey } from '../../../src/identity/key-format.ts'
import { openBadPlace, type BadPlace } from './bad-place.ts'
import { envelopeOf, headersOf } from '../../e2e/eras.ts'
import { asAnswer, codeOf, rpcCodeOf } from '../../e2e/failures.ts'
import { doorOf, until } from '../../e2e/place.ts'
import { openLine, parseAnswer, rawRequest, type RawRequest } from '../../e2e/raw.ts'
import { post, send } from '../../e2e/wire.ts'

let place: BadPlace

beforeAll(async () => {
  place = await openBadPlace()
})
afterAll(() => place[Symbol.asyncDispose]())
/** Whatever a client did, the gate goes on serving others. */
afterEach(() => place.stillServes())

const LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
const callOf = (params: string) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`

describe('an address', () => {
  const known = (more: RawRequest) => place.sendBody(LIST, more)

  test.for([
    'evil.example',
    'localhost.evil.example:80',
    '127.0.0.1',
    '127.0.0.1:1',
    '0x7f.1:80',
    'localhost@evil.example',
    '',
  ])('whose host is %s is refused (CWE-350)', async (host) => {
    for (const answer of [await known({ host }), await place.knock({ method: 'GET', target: '/metrics', host })]) {
      expect([answer.status, codeOf(answer)]).toEqual([403, 'request.host'])
    }
  })

  test('with two hosts, or none, is refused (RFC 9112 §3.2)', async () => {
    const { host } = new URL(place.gate.url)
    const two = await known({ headers: [`Host: evil.example`] })
    expect([two.status, codeOf(two)]).toEqual([403, 'request.host'])
    expect((await known({ headers: [`Host: ${host}`] })).status).toBe(403)
    const line = openLine(place.gate.url)
    line.socket.write('GET /metrics HTTP/1.0\r\n\r\n')
    expect(codeOf(parseAnswer(await line.closed))).toBe('request.host')
  })

  test.for([
    ['authorization', 'Authorization: Bearer another', 'AUTHORIZATION: Bearer another'],
    ['content-type', 'Content-Type: text/plain', 'content-Type: application/json'],
  ])('with %s twice is refused, whichever comes first (RFC 9110 §5.3)', async ([header, ...others]) => {
    for (const other of others) {
      const answer = await known({ headers: [other] })
      expect([answer.status, codeOf(answer)]).toEqual([400, 'request.repeated'])
      expect(answer.body).toContain(header)
      expect(answer.body).not.toContain('another')
    }
    for (const target of ['/metrics', '/admin/api/users', '/account']) {
      const headers = ['Authorization: Bearer x', 'Authorization: Bearer another']
      const answer = await place.knock({ method: 'GET', target, headers })
      expect([target, answer.status]).toEqual([target, 400])
    }
  })

  test('under its names on loopback is answered', async () => {
    const { port } = new URL(place.gate.url)
    for (const name of ['localhost', '127.0.0.1', '[::1]', 'LOCALHOST']) {
      expect((await known({ host: `${name}:${port}` })).status).toBe(200)
    }
  })

  test.for(['https://evil.example', 'null', 'http://localhost.evil.example', 'file://'])(
    'called by a page of %s is refused (CWE-346)',
    async (origin) => {
      for (const method of ['POST', 'GET', 'OPTIONS']) {
        const answer = await known({ method, headers: [`Origin: ${origin}`] })
        expect([answer.status, codeOf(answer)]).toEqual([403, 'request.origin'])
        expect(answer.headers.has('access-control-allow-origin')).toBe(false)
      }
    },
  )

  test.for(['http://localhost', 'http://127.0.0.1:1', 'http://[::1]:5173'])(
    'called by a page of %s, which is this machine, may read MCP and nothing that is for people or operators',
    async (origin) => {
      const asked = await known({ method: 'POST', headers: [`Origin: ${origin}`] })
      expect(asked.headers.get('access-control-allow-origin')).toBe(origin)
      expect(asked.headers.has('access-control-allow-credentials')).toBe(false)
      expect(asked.headers.get('access-control-expose-headers')).toMatch(/WWW-Authenticate, Mcp-Session-Id/)
      const preflight = await known({
        method: 'OPTIONS',
        headers: [`Origin: ${origin}`, 'Access-Control-Request-Method: POST'],
      })
      expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, origin])
      for (const target of ['/admin/api/users', '/metrics', '/sign-in', '/account']) {
        const answer = await place.knock({ method: 'GET', target, headers: [`Origin: ${origin}`] })
        expect([answer.status, codeOf(answer)]).toEqual([403, 'request.origin'])
        expect(answer.headers.has('access-control-allow-origin')).toBe(false)
      }
    },
  )

  test.for([
    '//mcp',
    '/MCP',
    '/mcp%2f',
    '/mcp;x',
    '/%6dcp',
    '/./mcp',
    '/x/../mcp',
    '*',
    '/mcp\\odd',
    'http://evil.example/mcp',
    '/metrics/',
    '/admin',
    '/health',
  ])('%s leads nowhere', async (target) => {
    const answer = await known({ target })
    expect([answer.status, codeOf(answer)]).toEqual([404, 'request.not_found'])
  })

  test.for([
    '/mcp/',
    '/mcp/nobody',
    '/mcp/../admin/api/users',
    '/mcp/%2e%2e/metrics',
    '/mcp/odd/',
    '/mcp/odd%00',
    '/mcp/ODD',
    '/mcp//odd',
    '/mcp/__proto__',
    '/mcp/a"b',
    `/mcp/${'x'.repeat(10_000)}`,
  ])('%.40s names no server (CWE-22)', async (target) => {
    const answer = await known({ target })
    expect([answer.status, codeOf(answer)]).toEqual([404, 'upstream.unknown'])
    expect(answer.body.length).toBeLessThan(1_000)
  })

  test('does not tell a key of one server which others there are', async () => {
    const { key: narrow } = await place.gate.addUser('narrow', { scopes: ['mcp:odd'] })
    for (const name of ['other', 'nobody', 'a"b\\c']) {
      const headers = [`Authorization: Bearer ${narrow}`]
      const answer = await place.knock({ target: `/mcp/${name}`, headers })
      expect([answer.status, codeOf(answer)]).toEqual([403, 'auth.forbidden'])
      expect(answer.headers.get('www-authenticate')).toMatch(
        /^Bearer error="insufficient_scope", scope="mcp:[^"\\]+", resource_metadata="[^"\\]+"$/,
      )
    }
  })

  test('that is too long, or has too long headers, is refused (CWE-400)', async () => {
    for (const request of [
      { target: `/mcp/${'x'.repeat(100_000)}` },
      { headers: [`X-Long: ${'x'.repeat(100_000)}`] },
    ]) {
      const answer = await place.knock(request)
      expect([answer.status, codeOf(answer)]).toEqual([431, 'request.headers_too_large'])
    }
  })
})

describe('an HTTP method', () => {
  test.for(['GET', 'DELETE', 'OPTIONS', 'PUT', 'PATCH', 'TRACE', 'PROPFIND'])('%s is not for MCP', async (method) => {
    for (const target of ['/mcp', '/mcp/odd']) {
      const answer = await place.sendBody('', { method, target })
      expect([answer.status, answer.headers.get('allow'), codeOf(answer)]).toEqual([405, 'POST', 'request.http_method'])
    }
  })

  test('HEAD is answered without a body', async () => {
    expect(await place.sendBody('', { method: 'HEAD' })).toMatchObject({ status: 405, body: '' })
  })

  test('that there is not is no HTTP, and CONNECT is no proxy', async () => {
    expect(codeOf(await place.knock({ method: 'BREW' }))).toBe('request.http')
    const line = openLine(place.gate.url)
    line.socket.write('CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n')
    expect(await line.closed).not.toContain('200')
  })

  test('that the admin API cannot even be asked with is refused there too', async () => {
    const { key: admin } = await place.gate.addUser('root', { role: 'admin', scopes: ['admin'] })
    const headers = [`Authorization: Bearer ${admin}`]
    const answer = await place.knock({ method: 'TRACE', target: '/admin/api/users', headers })
    expect([answer.status, codeOf(answer)]).toEqual([405, 'request.http_method'])
  })
})

describe('what a client says it sends and takes', () => {
  test.for(['', 'text/plain', 'application/json-patch+json', 'application/jsonp', 'text/json', 'multipart/form-data'])(
    'the type %s is not taken',
    async (type) => {
      const answer = await place.knock({
        headers: [`Authorization: Bearer ${place.key}`, `Content-Type: ${type}`],
        body: LIST,
      })
      expect([answer.status, codeOf(answer)]).toEqual([415, 'request.media_type'])
    },
  )

  test.for(['text/html', 'text/event-stream', 'image/*'])('an answer in %s is not to be had', async (accept) => {
    const answer = await place.sendBody(LIST, { headers: [`Accept: ${accept}`] })
    expect([answer.status, codeOf(answer)]).toEqual([406, 'request.not_acceptable'])
  })

  test('usual ways to say JSON are understood', async () => {
    for (const accept of ['*/*', 'application/*', 'text/html, Application/JSON;q=0.5']) {
      expect((await place.sendBody(LIST, { headers: [`Accept: ${accept}`] })).status).toBe(200)
    }
    const type = 'Content-Type: Application/JSON ; charset=utf-8'
    expect((await place.knock({ headers: [`Authorization: Bearer ${place.key}`, type], body: LIST })).status).toBe(200)
  })

  test('an upgrade is not made', async () => {
    const answer = await place.sendBody(LIST, { headers: ['Upgrade: websocket', 'Connection: Upgrade, close'] })
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
    const reply = await post(place.door(), text, headers)
    return { status: reply.status, code: codeOf(asAnswer(reply)), rpc: rpcCodeOf(asAnswer(reply)), reply }
  }
  const MISMATCH = { status: 400, code: 'request.header_mismatch', rpc: -32020 }

  test.for(['MCP-Protocol-Version', 'Mcp-Method', 'Mcp-Name'])(
    '%s must be there, and agree (MCP 2026-07-28 basic/transports/streamable-http)',
    async (name) => {
      expect(await failure(body(), without(name))).toMatchObject(MISMATCH)
      expect(await failure(body(), { ...right, [name]: 'another' })).toMatchObject(MISMATCH)
      expect(await failure(body(), { ...right, [name]: `${right[name]}, ${right[name]}` })).toMatchObject(MISMATCH)
    },
  )

  test('a name may come in base64, and must agree then too', async () => {
    const encoded = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`
    expect((await post(place.door(), body(), { ...right, 'Mcp-Name': encoded('odd__echo') })).status).toBe(200)
    expect(await failure(body(), { ...right, 'Mcp-Name': encoded('odd__html') })).toMatchObject(MISMATCH)
    expect(await failure(body(), { ...right, 'Mcp-Name': '=?base64?%%%?=' })).toMatchObject(MISMATCH)
  })

  test('an unknown version is answered with those there are', async () => {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2099-01-01',
      'io.modelcontextprotocol/clientCapabilities': {},
    }
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

  test.for(['initialize', 'ping', 'logging/setLevel', 'resources/subscribe'])(
    '%s is of another era',
    async (method) => {
      const reply = await send(place.door(), method)
      expect([reply.status, codeOf(asAnswer(reply)), rpcCodeOf(asAnswer(reply))]).toEqual([
        404,
        'request.method_unknown',
        -32601,
      ])
    },
  )
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
  ])('%s opens nothing (CWE-287)', async ([, headers, challenge]) => {
    for (const request of [
      { body: LIST },
      { target: '/mcp/odd' },
      { target: '/mcp/nobody' },
      { method: 'GET', target: '/metrics' },
      { method: 'GET', target: '/admin/api/users' },
    ]) {
      const answer = await place.knock({ ...request, headers })
      const { method, target = '/mcp' } = request
      const resource = target === '/mcp/nobody' ? '/mcp' : target
      const where = `${place.gate.url}/.well-known/oauth-protected-resource${resource}`
      const more = method === 'GET' ? [] : ['scope="mcp"', `resource_metadata="${where}"`]
      const whole = [challenge, ...more].join(', ').replace(/^Bearer,/, 'Bearer')
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, whole])
      expect(codeOf(answer)).toMatch(/^auth\.(?:required|invalid)$/)
    }
  })

  test('in the address opens nothing (RFC 6750 §2.3, §5.3)', async () => {
    for (const target of [`/mcp?access_token=${place.key}`, `/mcp?key=${place.key}`]) {
      expect((await place.knock({ target, headers: ['Content-Type: application/json'], body: LIST })).status).toBe(401)
    }
  })
})

describe('over the limits', () => {
  const limits = { callsPerMinute: 8, concurrentCalls: 2 }
  const startSmall = () =>
    startGate({ config: { mcpServers: { odd: { url: `${place.upstream.origin}/dual` } }, limits } })
  const calling = (to: Gate, who: { key: string }, name: string) => send(doorOf(to, who), 'tools/call', { name })
  const seen = (tool: string, from: number) => place.upstream.seen.slice(from).filter((one) => one.tool === tool)

  test('a user is told when to come again, and nobody else is (CWE-770)', async () => {
    await using small = await startSmall()
    const [ada, bob] = [await small.addUser('ada'), await small.addUser('bob')]
    const before = place.upstream.seen.length
    const waiting = [calling(small, ada, 'odd__wait'), calling(small, ada, 'odd__wait')]
    await until(() => seen('wait', before).length === 2)
    const crowded = await calling(small, ada, 'odd__echo')
    expect([crowded.status, crowded.headers.get('retry-after')]).toEqual([429, '1'])
    expect(codeOf(asAnswer(crowded))).toBe('limit.concurrency')
    expect((await calling(small, bob, 'odd__echo')).status).toBe(200)
    place.upstream.release()
    for (const reply of await Promise.all(waiting)) expect(reply.status).toBe(200)

    for (let left = limits.callsPerMinute - 2; left > 0; left--) {
      expect((await calling(small, ada, 'odd__echo')).status).toBe(200)
    }
    const asked = place.upstream.seen.length
    const late = await calling(small, ada, 'odd__echo')
    expect([late.status, codeOf(asAnswer(late))]).toEqual([429, 'limit.rate'])
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(place.upstream.seen).toHaveLength(asked)
    expect((await calling(small, bob, 'odd__echo')).status).toBe(200)
  })

  test('an answer that is not read to its end still counts as a call (CWE-400)', async () => {
    await using small = await startSmall()
    const ada = await small.addUser('ada')
    const headers = [`Authorization: Bearer ${ada.key}`, 'Content-Type: application/json']
    const lines = [1, 2].map(() => {
      const line = openLine(small.url)
      const call = { target: '/mcp/odd', headers, body: callOf('{"name":"endless"}') }
      line.socket.write(rawRequest(small.url, call))
      return line
    })
    for (const line of lines) await line.match(/xxxx/).then(() => line.socket.pause())
    expect(codeOf(asAnswer(await calling(small, ada, 'odd__echo')))).toBe('limit.concurrency')
    for (const line of lines) line.socket.destroy()
    await until(async () => (await calling(small, ada, 'odd__echo')).status === 200)
  })
})
