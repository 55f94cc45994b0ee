import { setTimeout as pause } from 'node:timers/promises'
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { eras } from '../../e2e/eras.ts'
import { failureOf } from '../../e2e/failures.ts'
import { doorOf, until } from '../../e2e/place.ts'
import { namesOf, send, textFrom } from '../../e2e/wire.ts'
import { json, result, said, startOddUpstream, type Call, type OddUpstream } from '../odd-upstream.ts'
import { startScripted, type Scripted } from '../../e2e/scripted.ts'
import { memoryOf } from './memory.ts'

const ZEROS = Buffer.alloc(256 * 1024 * 1024)
const fastest = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }

/** Each a few kilobytes that unpack to a quarter of a gigabyte. */
const packed: Readonly<Record<string, Buffer>> = {
  gzip: gzipSync(ZEROS, { level: 1 }),
  br: brotliCompressSync(ZEROS, fastest),
  zstd: zstdCompressSync(ZEROS),
  deflate: deflateSync(ZEROS, { level: 1 }),
  'gzip, gzip': gzipSync(gzipSync(ZEROS, { level: 1 })),
}

const levels = 400_000
const wide = (count: number) => Array.from({ length: count }, (_none, index) => `"${index}":0`).join(',')

/** Members of a result. */
const explosive: Readonly<Record<string, string>> = {
  'of 400,000 levels': `"structuredContent":${'['.repeat(levels)}${']'.repeat(levels)}`,
  'of 400,000 objects in each other': `"structuredContent":${'{"a":'.repeat(levels)}0${'}'.repeat(levels)}`,
  'of a million members': `"structuredContent":{${wide(1_000_000)}}`,
  'with numbers beyond all measure': `"structuredContent":{"a":1e999999999,"b":-${'9'.repeat(1_000_000)}}`,
  'with members twice': '"content":[],"content":[{"type":"text","text":"two"}],"isError":false,"isError":true',
  'with __proto__ and constructor': '"__proto__":{"isError":true},"constructor":{"prototype":{"polluted":1}}',
  'of a hundred thousand blocks': `"content":[${'{"type":"text","text":""},'.repeat(100_000)}{"type":"text","text":""}]`,
}

function explode(call: Call): void {
  const members = explosive[String(argumentOf(call, 'kind'))] ?? ''
  json(call.response, `{"jsonrpc":"2.0","id":${JSON.stringify(call.id)},"result":{"resultType":"complete",${members}}}`)
}

/** Header lines for as long as somebody reads them, as fast as they are read or one now and then. */
function pourHeaders({ response: { socket } }: Call, everyMs: number): void {
  socket?.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n')
  const timer = setInterval(() => socket?.write('X-More: and more\r\n'.repeat(everyMs === 0 ? 200 : 1)), everyMs)
  socket?.once('close', () => clearInterval(timer))
}

function argumentOf({ message }: Call, name: string): unknown {
  return Reflect.get(message.params?.arguments ?? {}, name)
}

const MANY = 30_000
const manyTools = Array.from({ length: MANY }, (_none, index) => ({
  name: `tool_${index}`,
  description: 'One of very many.',
  inputSchema: { type: 'object' },
}))

let elsewhere: Scripted
let upstream: OddUpstream
let gate: Gate
let key = ''

beforeAll(async () => {
  elsewhere = await startScripted(() => ({ body: '{"type":"object"}' }))
  const refers = {
    name: 'refers',
    inputSchema: { $schema: elsewhere.url, $ref: elsewhere.url, properties: { a: { $ref: `${elsewhere.url}#/a` } } },
    outputSchema: { $ref: elsewhere.url, $dynamicRef: elsewhere.url },
    icons: [{ src: elsewhere.url }],
  }
  upstream = await startOddUpstream({
    tools: {
      packed: (call) => {
        const encoding = String(argumentOf(call, 'encoding'))
        json(call.response, packed[encoding] ?? '', { 'Content-Encoding': encoding })
      },
      explode,
      headers: (call) => pourHeaders(call, 0),
      drippingHeaders: (call) => pourHeaders(call, 50),
      refers: (call) => result(call, { ...said('done'), structuredContent: { $ref: elsewhere.url } }),
    },
    lists: {
      refers: (call) => result(call, { tools: [refers] }),
      full: (call) => result(call, { tools: manyTools }),
    },
  })
  const at = (path: string, more: object = {}) => ({ url: `${upstream.origin}/${path}`, ...more })
  gate = await startGate({
    config: {
      mcpServers: {
        dual: at('dual'),
        brief: at('dual', { timeoutMs: 1_000 }),
        refers: at('dual/refers'),
        full: at('dual/full'),
      },
      limits: { answerBytes: 32_000_000 },
    },
  })
  key = (await gate.addUser('ada')).key
})

afterAll(async () => {
  await gate.stop()
  await upstream[Symbol.asyncDispose]()
  await elsewhere.close()
})

afterEach(async () => {
  for (const era of eras) await textFrom(doorOf(gate, { key }, era, 'dual'), 'echo')
})

const MEGABYTE = 1024 * 1024

test.for(Object.keys(packed))(
  'an answer packed with %s that unpacks to 256 MB is not unpacked (CWE-409)',
  async (encoding) => {
    const before = memoryOf(gate.pid)
    for (const era of eras) {
      const call = { name: 'packed', arguments: { encoding } }
      const reply = await send(doorOf(gate, { key }, era, 'dual'), 'tools/call', call)
      expect(failureOf(reply)).toEqual({ code: 'upstream.bad_answer', words: expect.stringContaining('compressed') })
    }
    expect(memoryOf(gate.pid) - before).toBeLessThan(64 * MEGABYTE)
    expect(upstream.seen.findLast(({ tool }) => tool === 'packed')?.headers['accept-encoding']).toBeUndefined()
  },
)

test.for(Object.keys(explosive))(
  'an answer of JSON %s costs its own call only (CWE-674, CWE-1333)',
  { timeout: 60_000 },
  async (kind) => {
    for (const era of eras) {
      const began = performance.now()
      const call = { name: 'explode', arguments: { kind } }
      const door = doorOf(gate, { key }, era, 'dual')
      const [reply, beside] = await Promise.all([send(door, 'tools/call', call), textFrom(door, 'echo')])
      expect(reply.status).toBe(200)
      expect(reply.bytes.includes(explosive[kind] ?? '?')).toBe(true)
      expect(beside).toContain('echo')
      console.log(`JSON ${kind} was passed on after ${(performance.now() - began).toFixed(0)} ms`)
    }
    expect(gate.log()).not.toContain('gate.fault')
  },
)

test('headers without end are given up, whether they rush or drip (CWE-400)', async () => {
  for (const era of eras) {
    const rushing = await send(doorOf(gate, { key }, era, 'dual'), 'tools/call', { name: 'headers' })
    expect(failureOf(rushing).code).toBe('upstream.bad_answer')
    const dripping = await send(doorOf(gate, { key }, era, 'brief'), 'tools/call', { name: 'drippingHeaders' })
    expect(failureOf(dripping).code).toBe('upstream.timeout')
  }
  await until(() => upstream.seen.every(({ tool, hungUp }) => !/headers/i.test(tool) || hungUp))
})

test('what a schema, an icon or a result refers to by $ref is never fetched (CWE-918)', async () => {
  for (const era of eras) {
    const door = doorOf(gate, { key }, era, 'refers')
    expect(await namesOf(door)).toEqual(['refers'])
    expect(await textFrom(door, 'refers', { $ref: elsewhere.url })).toBe('done')
  }
  await pause(200)
  expect(elsewhere.asked).toEqual([])
})

test('30,000 tools are listed, page by page, and called by name (CWE-770)', { timeout: 60_000 }, async () => {
  const before = memoryOf(gate.pid)
  for (const era of eras) {
    const names = await namesOf(doorOf(gate, { key }, era, 'full'))
    expect([names.length, new Set(names).size]).toEqual([MANY, MANY])
    expect(await textFrom(doorOf(gate, { key }, era), 'full__tool_29999')).toContain('tool_29999')
  }
  expect(memoryOf(gate.pid) - before).toBeLessThan(512 * MEGABYTE)
})
