import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { secret } from '../../src/base/secret.ts'
import { carry } from '../../src/cli/bridge.ts'

interface Asked {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A gate that answers what a test tells it to, and the bridge to it. */
async function openBridge(answer: (asked: Asked, response: ServerResponse) => void) {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const one = { method: request.method ?? '', headers: request.headers, body }
      asked.push(one)
      answer(one, response)
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const [input, output] = [new PassThrough(), new PassThrough()]
  const notes: string[] = []
  const tokens = ['stale', 'fresh']
  const carried = carry({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    token: (refused) => Promise.resolve(secret(tokens[refused === undefined ? 0 : 1] ?? '')),
    input,
    output,
    note: (said) => void notes.push(said),
  })
  return {
    asked,
    notes,
    say: (message: object) => void input.write(`${JSON.stringify(message)}\n`),
    /** Ends the input as a client does that goes; answers with all that it was told. */
    async end(): Promise<readonly unknown[]> {
      input.end()
      await carried
      const lines = (await text(output.end())).split('\n').filter((line) => line !== '')
      return lines.map((line): unknown => JSON.parse(line))
    },
  }
}

const call = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'x' } }
const done = '{"jsonrpc":"2.0","id":7,"result":{"content":[]}}'
const json = (response: ServerResponse, body: string, headers = {}) =>
  response.writeHead(200, { 'Content-Type': 'application/json', ...headers }).end(body)

test('a stream that is lost before the answer is gone on with from the last event', async () => {
  const bridge = await openBridge(({ method, headers }, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    if (method === 'POST') {
      response.write('retry: 5\nid: one\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}\n\n')
      return void setTimeout(() => response.destroy(), 20)
    }
    response.end(headers['last-event-id'] === 'one' ? `id: two\ndata: ${done}\n\n` : '')
  })
  bridge.say(call)
  expect(await bridge.end()).toMatchObject([{ method: 'notifications/progress' }, { id: 7, result: {} }])
})

test('a stream that is lost and cannot be gone on with is an answer that says so', async () => {
  const bridge = await openBridge((_asked, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(':\n\n')
    setTimeout(() => response.destroy(), 20)
  })
  bridge.say(call)
  expect(await bridge.end()).toEqual([
    { jsonrpc: '2.0', id: 7, error: { code: -32000, message: expect.stringContaining('the connection was lost') } },
  ])
})

test('a token that the gate refuses is renewed, once', async () => {
  const bridge = await openBridge(({ headers }, response) => {
    if (headers.authorization === 'Bearer fresh') json(response, done)
    else response.writeHead(401).end()
  })
  bridge.say(call)
  expect(await bridge.end()).toMatchObject([{ id: 7, result: {} }])
  expect(bridge.asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer stale', 'Bearer fresh'])
})

test('what was agreed on goes with every message after the handshake, and the session ends with the client', async () => {
  const bridge = await openBridge(({ method, body }, response) => {
    const opened = '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"the-agreed-one"}}'
    if (body.includes('"initialize"')) json(response, opened, { 'Mcp-Session-Id': 'the session' })
    else if (body.includes('tools/call')) json(response, done)
    else response.writeHead(method === 'GET' ? 405 : 202).end()
  })
  bridge.say({ jsonrpc: '2.0', id: 1, method: 'initialize', params: {} })
  await expect.poll(() => bridge.asked.length).toBe(1)
  await new Promise((resolve) => setTimeout(resolve, 50))
  bridge.say({ jsonrpc: '2.0', method: 'notifications/initialized' })
  bridge.say(call)
  expect(await bridge.end()).toHaveLength(2)
  const later = bridge.asked.slice(1)
  expect(later.map(({ method }) => method).toSorted()).toEqual(['DELETE', 'GET', 'POST', 'POST'])
  for (const { headers } of later)
    expect([headers['mcp-session-id'], headers['mcp-protocol-version']]).toEqual(['the session', 'the-agreed-one'])
})

test('what is no message is told as an error of the request, and the newest handshake there is is the old one', async () => {
  const bridge = await openBridge((_asked, response) => void response.writeHead(502).end('<html>Bad gateway'))
  bridge.say(call)
  bridge.say({ jsonrpc: '2.0', id: 'd', method: 'server/discover', params: {} })
  const told = await bridge.end()
  expect(told).toContainEqual({ jsonrpc: '2.0', id: 7, error: { code: -32000, message: 'The gate answers 502.' } })
  expect(told).toContainEqual({ jsonrpc: '2.0', id: 'd', error: { code: -32601, message: expect.any(String) } })
  expect(bridge.asked).toHaveLength(1)
})
