import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { asAnswer, codeOf } from '../../e2e/failures.ts'
import { doorOf, until } from '../../e2e/place.ts'
import { openLine, parseAnswer, rawRequest } from '../../e2e/raw.ts'
import { send, textFrom } from '../../e2e/wire.ts'
import { startOddUpstream, type OddUpstream } from '../odd-upstream.ts'

let upstream: OddUpstream
beforeAll(async () => {
  upstream = await startOddUpstream()
})
afterAll(() => upstream[Symbol.asyncDispose]())

const open = (limits: object, more: object = {}) =>
  startGate({ config: { mcpServers: { odd: { url: `${upstream.origin}/dual` } }, limits, ...more } })

/** Opens connections from an address of this machine; gives those that are still open after a moment. */
async function openFrom(localAddress: string, gate: Gate, count: number): Promise<Socket[]> {
  const port = Number(new URL(gate.url).port)
  const sockets = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1', localAddress }))
  for (const socket of sockets) socket.on('error', () => {})
  await pause(500)
  return sockets.filter((socket) => !socket.destroyed && socket.readyState === 'open')
}

function closeAll(sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.destroy()
}

/** What a metric says that is labelled with a limit. */
async function refused(gate: Gate, limit: string): Promise<number> {
  const { body } = await gate.admin('GET', '/metrics')
  const [, value] = new RegExp(`^sekisho_refused_total\\{limit="${limit}"\\} (\\d+)$`, 'm').exec(String(body)) ?? []
  return Number(value ?? 0)
}

describe('more connections', () => {
  test('of one address than one may have are ended at once, and others are served (CWE-770)', async () => {
    await using gate = await open({ connectionsPerAddress: 20 })
    const { key } = await gate.addUser('ada')
    const held = await openFrom('127.0.0.7', gate, 60)
    expect(held).toHaveLength(20)
    expect(await textFrom(doorOf(gate, { key }), 'odd__echo')).toContain('echo')
    expect(await refused(gate, 'limits.connectionsPerAddress')).toBe(40)
    closeAll(held)
    await until(async () => {
      const [again] = await openFrom('127.0.0.7', gate, 1)
      again?.destroy()
      return again !== undefined
    })
  })

  test('than there may be in all are ended at once, and room comes again (CWE-770)', async () => {
    await using gate = await open({ connections: 30 })
    const { key } = await gate.addUser('ada')
    const held = [...(await openFrom('127.0.0.7', gate, 20)), ...(await openFrom('127.0.0.8', gate, 20))]
    expect(held.length).toBeLessThanOrEqual(30)
    expect(await refused(gate, 'limits.connections')).toBeGreaterThanOrEqual(10)
    closeAll(held)
    await until(() => textFrom(doorOf(gate, { key }), 'odd__echo').then(Boolean, () => false))
  })

  test('of a trusted proxy are those of many, and are not counted against its address', async () => {
    await using gate = await open({ connectionsPerAddress: 5 }, { trustProxy: ['127.0.0.9'] })
    const held = await openFrom('127.0.0.9', gate, 40)
    expect(held).toHaveLength(40)
    closeAll(held)
  })
})

test('more requests in flight than there may be are refused at once with Retry-After, while health stays green (CWE-770)', async () => {
  await using gate = await open({ requestsInFlight: 4 })
  const { key } = await gate.addUser('ada')
  const door = doorOf(gate, { key })
  const before = upstream.seen.length
  const waiting = [1, 2, 3, 4].map(() => send(door, 'tools/call', { name: 'odd__wait' }))
  await until(() => upstream.seen.slice(before).filter(({ tool }) => tool === 'wait').length === 4)
  const crowded = await send(door, 'tools/call', { name: 'odd__echo' })
  expect([crowded.status, crowded.headers.get('retry-after')]).toEqual([503, '1'])
  expect(codeOf(asAnswer(crowded))).toBe('gate.overloaded')
  for (const path of ['/health/live', '/health/ready']) expect((await fetch(gate.url + path)).status).toBe(200)
  expect(await refused(gate, 'limits.requestsInFlight')).toBe(1)
  upstream.release()
  for (const reply of await Promise.all(waiting)) expect(reply.status).toBe(200)
  expect(await textFrom(door, 'odd__echo')).toContain('echo')
})

/** Has 200 connections of one address send so many requests each at once; `answered` is how many answers came so far. */
async function crowd(gate: Gate, request: Buffer, each: number) {
  const sockets = await openFrom('127.0.0.7', gate, 200)
  let answered = 0
  for (const socket of sockets)
    socket.setEncoding('latin1').on('data', (text) => (answered += String(text).split('HTTP/1.1 ').length - 1))
  const requests = Buffer.concat(Array<Buffer>(each).fill(request))
  for (const socket of sockets) socket.write(requests)
  return { answered: () => answered, all: sockets.length * each, close: () => closeAll(sockets) }
}

test('who sends one request is not behind those who sent a thousand before (CWE-770)', async () => {
  await using gate = await open({ requestsWaiting: 10_000 })
  const crowded = await crowd(gate, rawRequest(gate.url, {}), 8)
  const line = openLine(gate.url, '127.0.0.8')
  line.socket.write(rawRequest(gate.url, { headers: ['Connection: close'] }))
  const answer = parseAnswer(await line.closed)
  const before = crowded.answered()
  expect(answer.status).toBe(401)
  expect(before).toBeLessThan(crowded.all / 2)
  await until(() => crowded.answered() === crowded.all)
  crowded.close()
})

test.for([
  ['requestsWaiting', 1],
  ['waitMs', 1],
] as const)('who has more wait than limits.%s is refused, and others are served (CWE-770)', async ([setting, most]) => {
  await using gate = await open({ [setting]: most })
  const { key } = await gate.addUser('ada')
  const crowded = await crowd(gate, rawRequest(gate.url, {}), 8)
  await until(() => textFrom(doorOf(gate, { key }), 'odd__echo').then(Boolean, () => false))
  crowded.close()
  expect(await refused(gate, `limits.${setting}`)).toBeGreaterThan(0)
})

test('whoever is refused for asking too much is heard again only after a moment, on that connection (CWE-770)', async () => {
  await using gate = await open({ callsPerMinute: 1 })
  const { key } = await gate.addUser('ada')
  const headers = [`Authorization: Bearer ${key}`, 'Content-Type: application/json', 'MCP-Protocol-Version: 2025-11-25']
  const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"odd__echo","arguments":{}}}'
  const request = rawRequest(gate.url, { headers, body })
  const line = openLine(gate.url, '127.0.0.7')
  const statuses = () => [...line.text().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
  const ask = async (count: number) => {
    line.socket.write(request)
    await until(() => statuses().length === count)
  }
  await ask(1)
  // The more an address is refused, the longer it waits: here for longer than what follows takes, however slow the machine.
  const crowded = await crowd(gate, request, 1)
  await until(() => crowded.answered() === crowded.all)
  await ask(2)
  const began = performance.now()
  line.socket.write(request)
  for (let count = 0; count < 3; count++) expect((await fetch(`${gate.url}/health/live`)).status).toBe(200)
  expect(statuses()).toEqual(['200', '429'])
  await until(() => statuses().length === 3)
  console.log(`the next request was heard after ${(performance.now() - began).toFixed(0)} ms`)
  expect(statuses()).toEqual(['200', '429', '429'])
  line.socket.destroy()
  crowded.close()
})

test('headers that take longer than they may are given up, though a body may take longer (CWE-400)', async () => {
  await using gate = await open({}, { timeouts: { headersMs: 500, bodyMs: 20_000 } })
  const { key } = await gate.addUser('ada')
  const headers = [`Authorization: Bearer ${key}`, 'Content-Type: application/json', 'Content-Length: 10']
  const waiting = openLine(gate.url)
  waiting.socket.write(rawRequest(gate.url, { headers }))
  const line = openLine(gate.url)
  line.socket.write(`POST /mcp HTTP/1.1\r\nHost: ${new URL(gate.url).host}\r\nX-Slow: `)
  const began = performance.now()
  const answer = parseAnswer(await line.closed)
  console.log(`the headers were given up after ${(performance.now() - began).toFixed(0)} ms`)
  expect([answer.status, codeOf(answer)]).toEqual([408, 'request.timeout'])
  expect([waiting.text(), waiting.socket.readyState]).toEqual(['', 'open'])
  waiting.socket.destroy()
})

test('headers larger than the setting are refused, and the setting is the limit (CWE-400)', async () => {
  await using gate = await open({ headerBytes: 4_096 })
  for (const [size, status] of [
    [1_000, 401],
    [8_000, 431],
  ] as const) {
    const line = openLine(gate.url)
    line.socket.write(rawRequest(gate.url, { headers: ['Connection: close', `X-Long: ${'x'.repeat(size)}`] }))
    expect(parseAnswer(await line.closed).status).toBe(status)
  }
  expect(await refused(gate, 'limits.headerBytes')).toBe(1)
})
