import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startEverything } from '../../../playground/src/everything/http.ts'
import { startGate } from '../../../../scripts/lib/gate.ts'
import { addPerson, doorOf } from './place.ts'
import { send } from './wire.ts'

const PIECES = 20
const PIECE = 'x'.repeat(20_000)

test('an answer that comes in pieces is delivered whole, though the gate is told to stop in the middle', async () => {
  await using upstream = await startSlowWriter()
  await using gate = await startGate({ config: { mcpServers: { slow: { url: upstream.url } } } })
  const ada = await addPerson(gate, 'ada')
  const answer = send(doorOf(gate, ada, 'modern'), 'tools/call', { name: 'slow__big', arguments: {} })
  await upstream.writing
  const [reply, ending] = await Promise.all([answer, gate.kill('SIGTERM')])
  const { result } = JSON.parse(reply.bytes.toString())
  expect(result.content[0].text).toHaveLength(PIECES * PIECE.length)
  expect(ending.code).toBe(0)
})

test('a client that takes no event streams gets the answer, and nothing before it', async () => {
  await using everything = await startEverything({ port: 0 })
  await using gate = await startGate({ config: { mcpServers: { all: { url: everything.url } } } })
  const ada = await addPerson(gate, 'ada')
  const params = { name: 'all__test_tool_with_progress', arguments: {}, _meta: { progressToken: 'p' } }
  const both = await send(doorOf(gate, ada, 'legacy'), 'tools/call', params)
  expect(both.headers.get('content-type')).toBe('text/event-stream')
  expect(both.messages.length).toBeGreaterThan(1)
  const plain = await send(doorOf(gate, ada, 'legacy'), 'tools/call', params, {
    headers: { Accept: 'application/json' },
  })
  expect(plain.headers.get('content-type')).toBe('application/json')
  expect(plain.messages).toHaveLength(1)
})

test('a model is told of many servers by the gate, and of one by that server itself', async () => {
  await using everything = await startEverything({ port: 0 })
  await using gate = await startGate({ config: { mcpServers: { all: { url: everything.url } } } })
  const ada = await addPerson(gate, 'ada')
  const discovered = async (server?: string) =>
    JSON.parse((await send(doorOf(gate, ada, 'modern', server), 'server/discover')).messages[0] ?? '{}').result
  expect((await discovered()).instructions).toContain('sekisho_status')
  expect((await discovered('all')).instructions).toContain('Exercises every part of MCP')
})

/** A server of the modern era with one tool, whose large answer takes a second to write. */
async function startSlowWriter() {
  const started = Promise.withResolvers<void>()
  const server = createServer((request, response) => {
    void (async () => {
      const { id, method } = JSON.parse(Buffer.concat(await request.toArray()).toString())
      response.writeHead(200, { 'Content-Type': 'application/json' })
      const open = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"resultType":"complete",`
      if (method !== 'tools/call') return response.end(open + SAYS[method as keyof typeof SAYS] + '}}')
      response.write(`${open}"content":[{"type":"text","text":"`)
      for (let piece = 0; piece < PIECES; piece++) {
        response.write(PIECE)
        if (piece === 5) started.resolve()
        await pause(50)
      }
      return response.end('"}]}}')
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    writing: started.promise,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const CACHE = '"ttlMs":0,"cacheScope":"private"'
const SAYS = {
  'server/discover': `"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},${CACHE}`,
  'tools/list': `"tools":[{"name":"big","inputSchema":{"type":"object"}}],${CACHE}`,
}
