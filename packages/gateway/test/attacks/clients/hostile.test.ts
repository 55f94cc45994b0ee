import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { asAnswer, codeOf } from '../../e2e/failures.ts'
import { openLine, parseAnswer, rawRequest, sendRaw } from '../../e2e/raw.ts'
import { errorOf, openSession, send } from '../../e2e/wire.ts'
import { doorOf, until } from '../../e2e/place.ts'
import { memoryOf } from '../upstreams/memory.ts'
import { openBadPlace, type BadPlace } from './bad-place.ts'

let place: BadPlace

beforeAll(async () => {
  place = await openBadPlace()
})
afterAll(() => place[Symbol.asyncDispose]())
/** Whatever a client did, the gate goes on serving others. */
afterEach(() => place.stillServes())

const LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
const MEGABYTE = 1024 * 1024
const callOf = (params: string) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`
const known = () => [`Authorization: Bearer ${place.key}`, 'Content-Type: application/json']

/** Sends bytes, and gives all that came until the gate closed or fell silent. */
async function exchange(bytes: string | Buffer, silentMs = 700): Promise<string> {
  const line = openLine(place.gate.url)
  line.socket.setTimeout(silentMs, () => line.socket.destroy())
  line.socket.write(bytes)
  return line.closed
}

describe('what one side may read as one request and the other as two', () => {
  const hidden = () => `GET /health/live HTTP/1.1\r\nHost: ${new URL(place.gate.url).host}\r\n\r\n`
  const head = (...lines: readonly string[]) =>
    ['POST /mcp HTTP/1.1', `Host: ${new URL(place.gate.url).host}`, ...known(), ...lines].join('\r\n')

  test.for<[what: string, bytes: () => string]>([
    ['headers that end in bare LF', () => `${head('Content-Length: 0').replaceAll('\r\n', '\n')}\n\n${hidden()}`],
    ['a bare LF before a header', () => `${head('X-A: b\nTransfer-Encoding: chunked', 'Content-Length: 2')}\r\n\r\n{}`],
    ['a bare CR before a header', () => `${head('X-A: b\rTransfer-Encoding: chunked', 'Content-Length: 2')}\r\n\r\n{}`],
    ['a chunk size with 0x', () => `${head('Transfer-Encoding: chunked')}\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n${hidden()}`],
    ['a chunk size with a sign', () => `${head('Transfer-Encoding: chunked')}\r\n\r\n+2\r\n{}\r\n0\r\n\r\n${hidden()}`],
    [
      'a chunk size beyond all measure',
      () => `${head('Transfer-Encoding: chunked')}\r\n\r\n${'f'.repeat(17)}\r\n{}\r\n0\r\n\r\n${hidden()}`,
    ],
    [
      'a chunk longer than it says',
      () => `${head('Transfer-Encoding: chunked')}\r\n\r\n1\r\n{}\r\n0\r\n\r\n${hidden()}`,
    ],
    ['chunks that end in bare LF', () => `${head('Transfer-Encoding: chunked')}\r\n\r\n2\n{}\n0\n\n${hidden()}`],
    [
      'a bare LF in a chunk extension',
      () => `${head('Transfer-Encoding: chunked')}\r\n\r\n2;a\n{}\r\n0\r\n\r\n${hidden()}`,
    ],
    ['chunked twice', () => `${head('Transfer-Encoding: chunked, chunked')}\r\n\r\n0\r\n\r\n${hidden()}`],
    [
      'two transfer codings',
      () => `${head('Transfer-Encoding: identity', 'Transfer-Encoding: chunked')}\r\n\r\n0\r\n\r\n${hidden()}`,
    ],
    [
      'HTTP/1.0 with chunks and a length',
      () =>
        `${head('Transfer-Encoding: chunked', 'Content-Length: 3').replace('1.1', '1.0')}\r\n\r\n0\r\n\r\n${hidden()}`,
    ],
    ['a space in the length', () => `${head('Content-Length: 4 2')}\r\n\r\n{}${hidden()}`],
    ['a length in hexadecimal', () => `${head('Content-Length: 0x2')}\r\n\r\n{}${hidden()}`],
  ])('%s smuggles no second request (RFC 9112 §2.2, §7.1)', async ([, bytes]) => {
    const text = await exchange(bytes())
    expect(text).not.toContain('200 OK')
    expect(parseAnswer(text)).toMatchObject({ status: 400 })
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  })

  test.for([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', (bytes: Buffer) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
  ] as const)(
    'a body in %s that unpacks to a quarter of a gigabyte is not unpacked (CWE-409)',
    async ([coding, pack]) => {
      const packed = pack(Buffer.alloc(256 * MEGABYTE))
      const before = memoryOf(place.gate.pid)
      for (const target of ['/mcp', '/mcp/odd', '/token', '/register', '/admin/api/users', '/sign-in']) {
        const headers = [...known(), `Content-Encoding: ${coding}`]
        const { status } = await sendRaw(place.gate.url, { target, headers, body: packed })
        expect([target, status >= 400 && status < 500]).toEqual([target, true])
      }
      expect(memoryOf(place.gate.pid) - before).toBeLessThan(64 * MEGABYTE)
    },
  )

  test('a header behind thousands of others counts, or nothing of the request does (CWE-444)', async () => {
    const many = Array.from({ length: 3_000 }, () => 'a:b')
    const behind = await sendRaw(place.gate.url, { headers: [...known(), ...many, 'Host: evil.example'], body: LIST })
    expect(behind.status).toBeGreaterThanOrEqual(400)
    const keyless = ['Content-Type: application/json', ...many, known()[0] ?? '']
    const answer = await sendRaw(place.gate.url, { headers: keyless, body: LIST })
    expect([200, 401, 431]).toContain(answer.status)
  })
})

test('chunk extensions and trailers without end are given up (RFC 9112 §7.1.1, CVE-2024-22019)', async () => {
  const begin = rawRequest(place.gate.url, { headers: [...known(), 'Transfer-Encoding: chunked'] }).toString()
  for (const rest of [`2;${'x'.repeat(200_000)}`, `0\r\n${'X-Trail: x\r\n'.repeat(20_000)}`]) {
    const answer = parseAnswer(await exchange(begin + rest))
    expect([400, 413, 431]).toContain(answer.status)
  }
})

test('a flood of pipelined requests is answered one after the other, in little memory (CWE-400)', async () => {
  const before = memoryOf(place.gate.pid)
  const line = openLine(place.gate.url)
  const bodies = Array.from({ length: 3_000 }, (_none, id) => `{"jsonrpc":"2.0","id":${id},"method":"ping"}`)
  line.socket.write(Buffer.concat(bodies.map((body) => rawRequest(place.gate.url, { headers: known(), body }))))
  await line.match(/"id":2999\b/)
  line.socket.destroy()
  const ids = [...line.text().matchAll(/"jsonrpc":"2.0","id":(\d+)/g)].map(([, id]) => Number(id))
  expect(ids).toEqual(bodies.map((_body, id) => id))
  expect(memoryOf(place.gate.pid) - before).toBeLessThan(128 * MEGABYTE)
})

test('a flood of pipelined calls that wait is hung up on, with all that it began (CWE-400)', async () => {
  const before = place.upstream.seen.length
  const line = openLine(place.gate.url)
  const body = callOf('{"name":"odd__wait","arguments":{}}')
  line.socket.write(
    Buffer.concat(Array.from({ length: 500 }, () => rawRequest(place.gate.url, { headers: known(), body }))),
  )
  await line.closed
  const begun = () => place.upstream.seen.slice(before).filter(({ tool }) => tool === 'wait')
  await until(() => begun().every(({ hungUp }) => hungUp))
  expect(begun().length).toBeLessThan(20)
})

test('a batch of too many messages, or of batches, is refused whole and reaches no server (CWE-400)', async () => {
  const before = place.upstream.seen.length
  const call = callOf('{"name":"odd__echo","arguments":{}}')
  const headers = ['MCP-Protocol-Version: 2025-03-26']
  for (const batch of [
    `[${Array(101).fill(call).join(',')}]`,
    `[${Array(15_000).fill('{}').join(',')}]`,
    `[${Array(50).fill(`[${call}]`).join(',')}]`,
    `[${call},[]]`,
    `[${call},1]`,
  ]) {
    const answer = await place.sendBody(batch, { headers })
    expect([answer.status, codeOf(answer)]).toEqual([400, 'request.invalid'])
  }
  expect(place.upstream.seen).toHaveLength(before)
})

const POLLUTION =
  '{"__proto__":{"isAdmin":true,"role":"owner","isError":true},"constructor":{"prototype":{"role":"owner"}}}'

test('__proto__ and constructor in anything that is sent change nothing for anybody (CWE-1321)', async () => {
  const { key: admin } = await place.gate.addUser('chief', { role: 'admin', scopes: ['mcp', 'admin'] })
  const legacy = doorOf(place.gate, place, 'legacy')
  for (const body of [
    callOf(`{"name":"odd__echo","arguments":${POLLUTION},"__proto__":{"name":"odd__html"}}`),
    callOf(`{"name":"odd__echo","_meta":${POLLUTION}}`),
    `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":${POLLUTION},"clientInfo":${POLLUTION}}}`,
    `{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":${POLLUTION},"argument":${POLLUTION}}}`,
    `{"jsonrpc":"2.0","id":1,"method":"__proto__","params":${POLLUTION},"__proto__":{"method":"tools/list"}}`,
  ]) {
    const answer = await place.sendBody(body)
    expect(answer.status).toBeLessThan(500)
  }
  await openSession(legacy, JSON.parse(POLLUTION) as object)
  for (const [method, target] of [
    ['POST', '/admin/api/users'],
    ['PUT', '/admin/api/tokens/odd'],
    ['POST', '/admin/api/keys'],
    ['POST', '/register'],
    ['POST', '/token'],
  ] as const) {
    const headers = [`Authorization: Bearer ${admin}`, 'Content-Type: application/json']
    const answer = await place.knock({ method, target, headers, body: POLLUTION })
    expect([400, 401, 404, 405, 422]).toContain(answer.status)
  }
  // Nobody became an administrator, and no result an error.
  const headers = [`Authorization: Bearer ${place.key}`]
  const asked = await place.knock({ method: 'GET', target: '/admin/api/users', headers })
  expect([asked.status, codeOf(asked)]).toEqual([403, 'auth.role'])
  const called = await place.sendBody(callOf('{"name":"odd__echo","arguments":{}}'))
  expect(called.body).not.toMatch(/"isError":true|isAdmin/)
})

describe('bytes that are no UTF-8', () => {
  const inside = (bytes: readonly number[]) => {
    const [before = '', after = ''] = callOf('{"name":"odd__echo","arguments":{"a":"?"}}').split('?')
    return Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)])
  }
  test.for<[what: string, bytes: readonly number[]]>([
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong NUL', [0xc0, 0x80]],
    ['half a surrogate pair', [0xed, 0xa0, 0x80]],
    ['a character beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
    ['a character cut short', [0xe2, 0x82]],
    ['a lone continuation', [0x80]],
    ['a byte of no meaning', [0xff]],
  ])('such as %s are refused, whatever a server would make of them (RFC 8259 §8.1)', async ([, bytes]) => {
    const before = place.upstream.seen.length
    const answer = await place.sendBody(inside(bytes))
    expect([answer.status, codeOf(answer)]).toEqual([400, 'request.malformed'])
    expect(place.upstream.seen).toHaveLength(before)
  })
})

test('a name that headers and body spell differently in Unicode is two names (MCP 2026-07-28 basic/transports/streamable-http)', async () => {
  const encoded = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`
  const composed = 'odd__caf\u00e9'
  const headers = { 'Mcp-Name': encoded(composed.normalize('NFD')) }
  const reply = await send(place.door(), 'tools/call', { name: composed }, { headers })
  expect([reply.status, errorOf(reply).code, codeOf(asAnswer(reply))]).toEqual([400, -32020, 'request.header_mismatch'])
})
