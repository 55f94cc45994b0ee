import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { limitConnections } from '../../src/http/connections.ts'
import { createOverload, type OverloadNeeds, type OverloadSettings } from '../../src/http/overload.ts'
import { createRouter, type Route } from '../../src/http/router.ts'
import { listen } from '../../src/http/serve.ts'

afterEach(() => void vi.useRealTimers())

const settings: OverloadSettings = {
  requestsInFlight: 100,
  requestsWaiting: 100,
  waitMs: 60_000,
  pipelined: 10,
  loopDelayMs: 60_000,
  heapPercent: 100,
}

interface Options extends Partial<OverloadSettings>, Partial<Pick<OverloadNeeds, 'isShared'>> {}

/** A door that takes no more than it is told: `/wait` is answered when the test says so, `/slow-down` with 429. */
async function openDoor({ isShared = () => false, ...more }: Options = {}) {
  const waiting: ServerResponse[] = []
  const overload = createOverload({
    settings: { ...settings, ...more },
    addressOf: ({ socket }) => socket.remoteAddress ?? '',
    isShared,
    chance: () => 0.5,
  })
  const answering =
    (status: number): Route['handle'] =>
    (_request, response) =>
      void response.writeHead(status, { 'Content-Length': '0' }).end()
  const handle = createRouter({
    routes: [
      { path: '/ok', handle: answering(200) },
      { path: '/slow-down', handle: answering(429) },
      { path: '/health', whileStopping: true, handle: answering(200) },
      { path: '/wait', handle: (_request, response) => void waiting.push(response) },
    ],
    checkEdge: () => {},
    isStopping: () => false,
    admit: overload.admit,
    newRequestId: () => 'r-1',
    onFailure: () => {},
  })
  const limits = { connections: 1_000, connectionsPerAddress: 1_000, isShared: () => false, onRefused: () => {} }
  const listener = await listen(
    handle,
    { host: '127.0.0.1', port: 0 },
    {
      requestMs: 60_000,
      limitConnections: (server) => void limitConnections(server, { ...limits, onOpened: overload.opened }),
    },
  )
  onTestFinished(async () => {
    await listener.close(0)
    overload.close()
  })
  return { overload, waiting, line: () => openLine(listener.port) }
}

/** A connection that says what it reads: the status of each answer. */
function openLine(port: number) {
  const socket: Socket = connect(port, '127.0.0.1').on('error', () => {})
  onTestFinished(() => void socket.destroy())
  let read = ''
  socket.setEncoding('utf8').on('data', (text: string) => (read += text))
  const statuses = () => [...read.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))
  return {
    socket,
    statuses,
    text: () => read,
    send: (...paths: readonly string[]) =>
      socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join('')),
    async answered(count: number): Promise<readonly number[]> {
      while (statuses().length < count) await once(socket, 'data')
      return statuses()
    },
  }
}

test('more at once than there may be is refused with how long to wait, health is answered, and room comes again', async () => {
  const { overload, waiting, line } = await openDoor({ requestsInFlight: 2 })
  for (const each of [line(), line()]) each.send('/wait')
  await expect.poll(() => waiting.length).toBe(2)
  expect(overload.inFlight()).toBe(2)
  const third = line()
  third.send('/ok')
  expect(await third.answered(1)).toEqual([503])
  expect(third.text()).toMatch(/\r\nRetry-After: 1\r\n.*"gate\.overloaded"/s)
  const health = line()
  health.send('/health')
  expect(await health.answered(1)).toEqual([200])
  waiting[0]?.end()
  await expect.poll(overload.inFlight).toBe(1)
  const fourth = line()
  fourth.send('/ok')
  expect(await fourth.answered(1)).toEqual([200])
})

test('so many requests may be sent ahead on a connection; who sends more is hung up on, and others are served', async () => {
  const { overload, line } = await openDoor({ pipelined: 2 })
  const [within, beyond, other] = [line(), line(), line()]
  within.send('/ok', '/ok', '/ok')
  expect(await within.answered(3)).toEqual([200, 200, 200])
  within.send('/ok', '/ok', '/ok')
  expect(await within.answered(6)).toEqual([200, 200, 200, 200, 200, 200])
  beyond.send('/wait', '/ok', '/ok', '/ok')
  await once(beyond.socket, 'close')
  expect(beyond.statuses()).toEqual([])
  other.send('/ok')
  expect(await other.answered(1)).toEqual([200])
  await expect.poll(overload.inFlight).toBe(0)
})

test.for(['/slow-down', '/wait'])('who was refused (%s) is heard again only after a moment', async (path) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { line } = await openDoor({ requestsInFlight: path === '/wait' ? 0 : 100 })
  const [refused, other] = [line(), line()]
  refused.send(path)
  await refused.answered(1)
  refused.send('/health')
  for (let times = 1; times <= 5; times++) {
    other.send('/health')
    await other.answered(times)
  }
  expect(refused.statuses()).toHaveLength(1)
  vi.advanceTimersByTime(300)
  expect(await refused.answered(2)).toEqual([path === '/wait' ? 503 : 429, 200])
})

test('but not where the connection carries the requests of many', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { line } = await openDoor({ isShared: () => true })
  const proxy = line()
  for (let times = 1; times <= 25; times++) {
    proxy.send('/slow-down')
    await proxy.answered(times)
  }
  const another = line()
  another.send('/ok')
  expect([await another.answered(1), vi.getTimerCount()]).toEqual([[200], 0])
})

test('a process whose memory is full refuses, whatever else there is room for', async () => {
  const { line } = await openDoor({ heapPercent: 0 })
  await expect.poll(() => ask(line())).toEqual([503])
})

test('a process that is late again and again refuses; one that was late once does not', async () => {
  const late = await openDoor({ loopDelayMs: 0 })
  await expect.poll(() => ask(late.line())).toEqual([503])
  const held = await openDoor({ loopDelayMs: 200 })
  const until = performance.now() + 600
  while (performance.now() < until);
  await expect.poll(() => held.overload.delaySeconds()).toBeGreaterThan(0.2)
  expect(await ask(held.line())).toEqual([200])
  await expect.poll(() => held.overload.delaySeconds()).toBeLessThan(0.2)
})

function ask(line: ReturnType<typeof openLine>): Promise<readonly number[]> {
  line.send('/ok')
  return line.answered(1)
}
