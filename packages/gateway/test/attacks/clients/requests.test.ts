import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openBadPlace, REQUEST_BYTES, type BadPlace } from './bad-place.ts'
import { eras } from '../../e2e/eras.ts'
import { asAnswer, codeOf, rpcCodeOf } from '../../e2e/failures.ts'
import { doorOf, until } from '../../e2e/place.ts'
import { openLine, parseAnswer, rawRequest } from '../../e2e/raw.ts'
import { openSession, post, send, tell } from '../../e2e/wire.ts'

let place: BadPlace

beforeAll(async () => {
  place = await openBadPlace()
})
afterAll(() => place[Symbol.asyncDispose]())
/** Whatever a client did, the gate goes on serving others. */
afterEach(() => place.stillServes())

const LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
const callOf = (params: string) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`

describe('a body', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

  test.for<[what: string, body: string | Buffer, code: string, rpc: number]>([
    ['that is empty', '', 'request.malformed', -32700],
    ['that is not JSON', '{"jsonrpc":', 'request.malformed', -32700],
    ['with something after it', `${LIST}{}`, 'request.malformed', -32700],
    ['in Latin-1', Buffer.from(LIST.replace('tools', 't\xe9'), 'latin1'), 'request.malformed', -32700],
    ['in UTF-16', Buffer.from(LIST, 'utf16le'), 'request.malformed', -32700],
    ['with zero bytes', `${LIST}\0\0`, 'request.malformed', -32700],
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
    [
      'whose id is too great to be kept',
      `{"jsonrpc":"2.0","id":${'9'.repeat(400)},"method":"ping"}`,
      'request.invalid',
      -32600,
    ],
    ['whose params are a list', '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[]}', 'request.params', -32602],
    ['whose params are null', '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":null}', 'request.params', -32602],
    ['whose _meta is a text', callOf('{"name":"odd__echo","_meta":"x"}'), 'request.params', -32602],
    ['with two methods', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}', 'request.invalid', -32600],
    ['with two names', callOf('{"name":"odd__echo","name":"odd__html"}'), 'request.invalid', -32600],
    ['with a name in another case', callOf('{"name":"odd__echo","Name":"odd__html"}'), 'request.invalid', -32600],
    ['with an escaped second name', callOf('{"name":"odd__echo","n\\u0061me":"odd__html"}'), 'request.invalid', -32600],
  ])('%s is refused (RFC 8259 §4)', async ([, body, code, rpc]) => {
    const answer = await place.sendBody(body)
    expect([answer.status, codeOf(answer), rpcCodeOf(answer)]).toEqual([400, code, rpc])
  })

  test.for(['2024-11-05', '2025-06-18', '2025-11-25'])('that is a batch is refused in revision %s', async (version) => {
    const answer = await place.sendBody(`[${LIST},${LIST}]`, { headers: [`MCP-Protocol-Version: ${version}`] })
    expect([answer.status, codeOf(answer), rpcCodeOf(answer)]).toEqual([400, 'request.invalid', -32600])
  })

  test('that is a batch is answered in revision 2025-03-26, each of its requests for itself', async () => {
    const batch = `[${LIST},{"jsonrpc":"2.0","method":"notifications/initialized"},{"jsonrpc":"2.0","id":2,"method":"none"}]`
    const answer = await place.sendBody(batch, { headers: ['MCP-Protocol-Version: 2025-03-26'] })
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toMatchObject([
      { id: 2, error: { code: -32601, data: { code: 'request.method_unknown' } } },
      { id: 1, result: { tools: expect.arrayContaining([expect.objectContaining({ name: 'odd__echo' })]) } },
    ])
  })

  test('that is a batch with one message that may not stand in it does nothing at all', async () => {
    const before = place.upstream.seen.length
    const modern = `{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`
    const answer = await place.sendBody(`[${callOf('{"name":"odd__echo"}')},${modern}]`, {
      headers: ['MCP-Protocol-Version: 2025-03-26'],
    })
    expect([answer.status, codeOf(answer)]).toEqual([400, 'request.header_mismatch'])
    await place.stillServes()
    // The two calls by which that was seen.
    expect(place.upstream.seen.slice(before).filter(({ tool }) => tool === 'echo')).toHaveLength(2)
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
    const answer = await place.sendBody(callOf(params))
    expect([answer.status, codeOf(answer), rpcCodeOf(answer)]).toEqual([200, code, -32602])
    expect(answer.body).toContain('"id":1,')
    expect(answer.body.length).toBeLessThan(1_000)
  })

  test.for(['__proto__', 'constructor', 'toString', 'tools/call/x', 'x'.repeat(100_000)])(
    'with the method %.20s is unknown',
    async (method) => {
      const answer = await place.sendBody(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: {} }))
      expect([answer.status, codeOf(answer)]).toEqual([200, 'request.method_unknown'])
      expect(answer.body.length).toBeLessThan(1_000)
    },
  )

  test('reaches the upstream byte for byte, however deep or odd, and the answer has its id byte for byte', async () => {
    const args = `{"__proto__":{"a":1},"constructor":1e400,"a":1,"a":2,"deep":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
    for (const id of ['"\\u0041"', '1.0', '-0', `"${'i'.repeat(200_000)}"`, '9007199254740991']) {
      const body = `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"odd__long","arguments":${args}}}`
      const { status, body: answer } = await place.sendBody(body)
      expect([status, answer.includes('x'.repeat(1_000))]).toEqual([200, true])
      expect(place.upstream.seen.at(-1)?.body).toContain(args)
    }
  })

  test('that is too large is refused, with its length said before and without, and the answer arrives (CWE-400)', async () => {
    const large = Buffer.alloc(REQUEST_BYTES * 20, 0x20)
    const size = large.length.toString(16)
    const chunked = Buffer.concat([Buffer.from(`${size}\r\n`), large, Buffer.from('\r\n0\r\n\r\n')])
    const headers = [`Authorization: Bearer ${place.key}`, 'Content-Type: application/json']
    const line = openLine(place.gate.url)
    line.socket.write(rawRequest(place.gate.url, { headers, body: large }))
    await line.match(/request\.too_large/)
    line.socket.write(
      rawRequest(place.gate.url, { headers: [...headers, 'Transfer-Encoding: chunked'], body: chunked }),
    )
    await line.match(/request\.too_large[^]*request\.too_large/)
    line.socket.write(rawRequest(place.gate.url, { headers, body: LIST }))
    await line.match(/sekisho_status/)
    line.socket.destroy()
    expect([...line.text().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['413', '413', '200'])
    const reply = await post(place.door(), large.toString(), {})
    expect([reply.status, codeOf(asAnswer(reply))]).toEqual([413, 'request.too_large'])
  })

  test('as large as allowed is taken', async () => {
    expect((await place.sendBody(LIST.padEnd(REQUEST_BYTES))).status).toBe(200)
  })
})

describe('a request that does not arrive', () => {
  test.for<[what: string, beginning: () => string]>([
    ['in its headers', () => `POST /mcp HTTP/1.1\r\nHost: ${new URL(place.gate.url).host}\r\nX-Drip: `],
    ['in its body', () => rawRequest(place.gate.url, { headers: knownHeaders(['Content-Length: 10000']) }).toString()],
    [
      'in a chunk',
      () =>
        `${rawRequest(place.gate.url, { headers: knownHeaders(['Transfer-Encoding: chunked']) }).toString()}fff\r\n`,
    ],
  ])('and drips %s is given up (CWE-400)', async ([, beginning]) => {
    const line = openLine(place.gate.url)
    line.socket.write(beginning())
    const drip = setInterval(() => line.socket.write('x'), 50)
    const answer = parseAnswer(await line.closed)
    clearInterval(drip)
    expect([answer.status, codeOf(answer)]).toEqual([408, 'request.timeout'])
  })

  test('because its client hung up in the middle leaves nothing behind', async () => {
    const before = place.upstream.seen.length
    for (const headers of [['Content-Length: 1000'], ['Transfer-Encoding: chunked']]) {
      const line = openLine(place.gate.url)
      line.socket.write(rawRequest(place.gate.url, { headers: knownHeaders(headers) }))
      line.socket.end(LIST.slice(0, 20))
      await line.closed
    }
    expect(place.upstream.seen).toHaveLength(before)
  })

  function knownHeaders(more: readonly string[]): string[] {
    return [`Authorization: Bearer ${place.key}`, 'Content-Type: application/json', ...more]
  }
})

describe('a client that leaves', () => {
  test('before the answer ends the call at the upstream', async () => {
    const before = place.upstream.seen.length
    for (const era of eras) {
      const stop = new AbortController()
      const gone = send(doorOf(place.gate, place, era), 'tools/call', { name: 'odd__wait' }, { signal: stop.signal })
      await until(() => place.upstream.seen.slice(before).some(({ tool, hungUp }) => tool === 'wait' && !hungUp))
      stop.abort()
      await expect(gone).rejects.toThrow('aborted')
      await until(() => place.upstream.seen.slice(before).every(({ tool, hungUp }) => tool !== 'wait' || hungUp))
    }
  })

  test('in the middle of the answer ends it at the upstream', async () => {
    const line = openLine(place.gate.url)
    const headers = [`Authorization: Bearer ${place.key}`, 'Content-Type: application/json']
    const call = { target: '/mcp/odd', headers, body: callOf('{"name":"endless"}') }
    line.socket.write(rawRequest(place.gate.url, call))
    await line.match(/xxxx/)
    expect(line.text()).toContain('HTTP/1.1 200 OK')
    line.socket.destroy()
    await until(() => place.upstream.seen.findLast(({ tool }) => tool === 'endless')?.hungUp === true)
  })

  test('a cancelled call is answered as one, and the upstream is hung up on', async () => {
    const legacy = doorOf(place.gate, place, 'legacy')
    const headers = await openSession(legacy)
    const before = place.upstream.seen.length
    const cancelled = send(legacy, 'tools/call', { name: 'odd__wait' }, { id: 'c', headers })
    await until(() => place.upstream.seen.slice(before).some(({ tool }) => tool === 'wait'))
    await tell(legacy, 'notifications/cancelled', { requestId: 'c' }, headers)
    expect(codeOf(asAnswer(await cancelled))).toBe('request.cancelled')
    await until(() => place.upstream.seen.findLast(({ tool }) => tool === 'wait')?.hungUp === true)
  })
})

describe('one connection', () => {
  test('carries requests sent without waiting, answered in their order', async () => {
    const line = openLine(place.gate.url)
    const headers = [`Authorization: Bearer ${place.key}`, 'Content-Type: application/json']
    const ids = [1, 2, 3, 4, 5]
    const bodies = ids.map((id) => `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"odd__echo"}}`)
    const requests = [...bodies, '{"jsonrpc":', LIST].map((body) => rawRequest(place.gate.url, { headers, body }))
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
  ])(
    'with %s is refused and closed, so that no second request can hide in the first (RFC 9112 §6.3, CWE-444)',
    async ([, head]) => {
      const hidden = `0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: ${new URL(place.gate.url).host}\r\n\r\n`
      const line = openLine(place.gate.url)
      const headers = [`Authorization: Bearer ${place.key}`, 'Content-Type: application/json', ...head]
      line.socket.write(rawRequest(place.gate.url, { headers, body: hidden }))
      const text = await line.closed
      const answer = parseAnswer(text)
      expect([answer.status, codeOf(answer), text.match(/HTTP\/1\.1/g)?.length]).toEqual([400, 'request.http', 1])
    },
  )

  test('on which something else than HTTP is spoken is answered and closed', async () => {
    for (const bytes of ['\x16\x03\x01\x02\x00\x01\x00', 'HELO example.com\r\n', 'GET\r\n\r\n', '\0\0\0\0']) {
      const line = openLine(place.gate.url)
      line.socket.write(bytes, 'latin1')
      expect(codeOf(parseAnswer(await line.closed))).toBe('request.http')
    }
  })
})
