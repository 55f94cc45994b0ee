import { expect, test } from 'vitest'
import { startEverything } from '../../../playground/src/everything/http.ts'
import type { Reply } from '../../src/upstreams/transport.ts'
import { cancelled, failureOf, toolCall, until } from './children-harness.ts'
import { callerOf, clientOf, createHttpScene, responseOf } from './http-scene.ts'
import { startHttpServer, type Call } from './http-server.ts'

/** Begins the stream of a call with an event that holds nothing, and ends it there. */
function prime(call: Call, id: string, retry?: number): void {
  call.stream()
  call.event(undefined, retry === undefined ? { id } : { id, retry })
  call.response.end()
}

async function openCut(get: (call: Call, first: Call) => unknown, retry?: number) {
  const scene = await createHttpScene()
  let first: Call | undefined
  const cut = (call: Call) => prime((first = call), 'e-1', retry)
  const server = await startHttpServer({ era: 'legacy', tools: { cut }, get: (call) => get(call, first as Call) })
  const transport = scene.open(server.url)
  const send = (more = {}) => transport.send(toolCall('cut', {}, more), callerOf())
  const close = async () => {
    await scene[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  }
  return { server, transport, send, [Symbol.asyncDispose]: close }
}

test('a stream that ends before the answer is gone on with after its last event, when the server wants it', async () => {
  const times: number[] = []
  await using opened = await openCut((call, { id }) => {
    times.push(performance.now())
    call.stream()
    call.event({ method: 'notifications/progress' }, { id: 'e-2' })
    call.event({ id, result: { done: true } })
  }, 300)
  const told: string[] = []
  const begun = performance.now()
  const answer = await opened.send({ notify: (_message: Buffer, method: string) => void told.push(method) })
  expect(responseOf(answer)).toMatchObject({ id: 'a', result: { done: true } })
  expect(told).toEqual(['notifications/progress'])
  expect((times[0] ?? 0) - begun).toBeGreaterThanOrEqual(299)
  const [get] = opened.server.of('GET')
  expect(get?.headers).toMatchObject({ 'last-event-id': 'e-1', accept: 'text/event-stream' })
  expect(get?.headers['mcp-protocol-version']).toBe('2025-11-25')
  expect([...opened.server.sessions]).toEqual([get?.session])
})

test('a second later where the server does not say when', async () => {
  let asked = 0
  await using opened = await openCut((call, { id }) => {
    asked = performance.now()
    call.stream()
    call.event({ id, result: {} })
  })
  const begun = performance.now()
  await opened.send()
  expect(asked - begun).toBeGreaterThanOrEqual(999)
})

test('again and again, for as long as something new comes', async () => {
  let count = 0
  await using opened = await openCut((call, { id }) => {
    count++
    if (count === 9) {
      call.stream()
      call.event({ id, result: { count } })
    } else prime(call, `e-${count + 1}`)
  }, 5)
  expect(responseOf(await opened.send()).result).toEqual({ count: 9 })
  expect(opened.server.of('GET').map(({ headers }) => headers['last-event-id'])).toEqual(
    Array.from({ length: 9 }, (_none, index) => `e-${index + 1}`),
  )
})

test('a stream that was torn, and not ended, is gone on with too', async () => {
  const scene = await createHttpScene()
  let first: Call | undefined
  const tear = (call: Call) => {
    first = call
    call.stream()
    call.event({ method: 'notifications/progress' }, { id: 'e-1', retry: 5 })
    setTimeout(() => call.response.destroy(), 20)
  }
  const get = (call: Call) => {
    call.stream()
    call.event({ id: first?.id, result: {} })
  }
  await using server = await startHttpServer({ era: 'legacy', tools: { tear }, get })
  const answer = await scene.open(server.url).send(toolCall('tear'), callerOf())
  expect(responseOf(answer).result).toEqual({})
  await scene[Symbol.asyncDispose]()
})

test.for<[what: string, get: (call: Call) => unknown, times: number]>([
  ['answers that there is nothing', ({ response }) => response.writeHead(405).end(), 1],
  ['has forgotten the session', ({ response }) => response.writeHead(404).end(), 1],
  ['ends the stream at once, each time', (call) => prime(call, 'e-1', 1), 5],
  ['breaks the connection, each time', ({ response }) => response.destroy(), 5],
])('a server that %s has lost the call', async ([, get, times]) => {
  await using opened = await openCut(get, 1)
  const { code } = await failureOf(opened.send())
  expect(code).toBe('upstream.died')
  expect(opened.server.of('GET')).toHaveLength(times)
  // It may have run: it is not sent again.
  expect(opened.server.of('tools/call')).toHaveLength(1)
})

test('a stream without ids cannot be gone on with', async () => {
  const scene = await createHttpScene()
  const cut = (call: Call) => {
    call.stream()
    call.event({ method: 'notifications/progress' })
    call.response.end()
  }
  for (const era of ['legacy', 'modern'] as const) {
    await using server = await startHttpServer({ era, tools: { cut, primed: (call) => prime(call, 'e-1', 1) } })
    const transport = scene.open(server.url)
    expect((await failureOf(transport.send(toolCall('cut', {}, { era }), callerOf()))).code).toBe('upstream.died')
    expect(server.of('GET')).toEqual([])
    // Nothing is ever gone on with in the modern era, whatever the server says.
    if (era === 'legacy') continue
    expect((await failureOf(transport.send(toolCall('primed', {}, { era }), callerOf()))).code).toBe('upstream.died')
    expect(server.of('GET')).toEqual([])
  }
  await scene[Symbol.asyncDispose]()
})

test('who waits for the next try can cancel, and the server is told', async () => {
  await using opened = await openCut(() => {}, 60_000)
  const stop = new AbortController()
  const failure = failureOf(opened.send({ signal: stop.signal }))
  await until(() => opened.server.of('tools/call')[0]?.hungUp === false)
  stop.abort(cancelled())
  expect((await failure).code).toBe('request.cancelled')
  await until(() => opened.server.of('notifications/cancelled').length === 1)
})

test('questions on what is gone on with are asked and answered as on the stream before', async () => {
  await using opened = await openCut(async (call, { id }) => {
    call.stream()
    const reply = await call.ask('q', 'roots/list')
    call.event({ id, result: { said: reply.text } })
  }, 1)
  const answer = await opened.send({
    client: clientOf({ capabilities: '{"roots":{}}' }),
    ask: () => Promise.resolve('"result":{"roots":[]}' as Reply),
  })
  expect(responseOf(answer).result).toEqual({ said: '{"jsonrpc":"2.0","id":"q","result":{"roots":[]}}' })
})

test('the reference server that closes the stream in mid-call is waited for', async () => {
  await using scene = await createHttpScene()
  await using everything = await startEverything({ port: 0, era: 'legacy' })
  const answer = await scene.open(everything.url).send(toolCall('test_reconnection'), callerOf())
  expect(responseOf(answer)).toMatchObject({ id: 'a', result: { content: [{ type: 'text' }] } })
})
