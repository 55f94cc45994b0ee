import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { createOverload, type OverloadSettings } from '../../src/http/overload.ts'
import { createTurns } from '../../src/http/turns.ts'
import { until } from '../e2e/place.ts'

/** Turns on an event loop that turns when it is told to, with a clock that goes on with what is done. */
function startTurns() {
  let time = 0
  let planned: (() => void)[] = []
  const begun: string[] = []
  const turns = createTurns({ now: () => time, soon: (step) => void planned.push(step) })
  const work = (name: string, milliseconds: number) => () => {
    begun.push(name)
    time += milliseconds
    return true
  }
  return {
    turns,
    begun,
    work,
    take(address: string, milliseconds: number) {
      if (turns.isFree()) work(address, milliseconds)()
      else turns.wait(address, work(address, milliseconds))
    },
    turn() {
      const steps = planned
      planned = []
      for (const step of steps) step()
      return begun.splice(0)
    },
    isIdle: () => planned.length === 0,
  }
}

describe('addresses take turns', () => {
  test('what comes while there is time is begun at once, and nothing is planned when it is over', () => {
    const loop = startTurns()
    for (let count = 0; count < 5; count++) loop.take('one', 0.9)
    expect(loop.begun).toHaveLength(5)
    loop.turn()
    expect(loop.isIdle()).toBe(true)
    loop.take('one', 1)
    expect(loop.begun).toEqual(['one'])
  })

  test('one of each in turn, whoever sent more and whoever came last', () => {
    const loop = startTurns()
    for (let count = 0; count < 100; count++) loop.take('flood', 1)
    loop.take('ada', 1)
    loop.take('bob', 1)
    expect(loop.begun.splice(0)).toEqual(Array(5).fill('flood'))
    expect(loop.turn()).toEqual(['flood', 'ada', 'bob', 'flood', 'flood'])
    loop.take('ada', 1)
    expect(loop.turn().indexOf('ada')).toBeLessThan(2)
    expect(loop.turns.waitingOf('flood')).toBeGreaterThan(80)
  })

  test('all that waited is begun in the end, once', () => {
    const loop = startTurns()
    for (let count = 0; count < 200; count++) loop.take(`from ${count % 7}`, 0.1)
    const all = loop.begun.splice(0)
    while (!loop.isIdle()) all.push(...loop.turn())
    expect(all).toHaveLength(200)
    expect(loop.turns.size).toBe(0)
  })

  test('what there is nothing to do for takes no turn', () => {
    const loop = startTurns()
    loop.take('one', 10)
    for (let count = 0; count < 1_000; count++) loop.turns.wait('gone', () => false)
    loop.turns.wait('there', loop.work('there', 1))
    expect(loop.begun.splice(0)).toEqual(['one'])
    expect([...loop.turn(), ...loop.turn()]).toEqual(['there'])
    expect(loop.turns.size).toBe(0)
  })

  test('time that will be spent is counted before', () => {
    const loop = startTurns()
    for (let count = 0; count < 8; count++) if (loop.turns.isFree()) loop.turns.spend(1)
    expect(loop.turns.isFree()).toBe(false)
    loop.turn()
    expect(loop.turns.isFree()).toBe(true)
  })
})

const settings: OverloadSettings = {
  requestsInFlight: 100,
  requestsWaiting: 100,
  waitMs: 1_000,
  pipelined: 8,
  loopDelayMs: 60_000,
  heapPercent: 100,
}

test('while the process is late, who asks now and then is let in, and who asks more is not', async () => {
  // It is always later than that, from its second look on.
  const gate = await startGate({ ...settings, loopDelayMs: -1 })
  const twice = 'GET / HTTP/1.1\r\nHost: gate\r\n\r\nGET / HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n'
  await until(async () => (await gate.ask(twice)).includes('503'))
  await until(async () => (await gate.ask(twice)).includes('200'))
  for (const from of ['127.0.0.7', '127.0.0.8']) expect(await gate.ask(twice, from)).toEqual(['200', '503'])
  gate.close()
})

test('what is read behind the last request that may be sent ahead is dropped before it becomes a request', async () => {
  const gate = await startGate(settings, () => {})
  expect(await gate.ask('GET / HTTP/1.1\r\nHost: gate\r\n\r\n'.repeat(500))).toEqual([])
  expect(gate.seen()).toBe(settings.pipelined + 2)
  gate.close()
})

/** A server that begins what it is let to, and refuses the rest. */
async function startGate(limits: OverloadSettings, answer = (response: ServerResponse) => void response.end()) {
  const overload = createOverload({
    settings: limits,
    addressOf: ({ socket }) => socket.remoteAddress ?? '',
    isShared: () => false,
    chance: () => 0.5,
  })
  let seen = 0
  const server = createServer((_request, response) => {
    seen++
    try {
      overload.admit(response, () => answer(response))
    } catch {
      response.writeHead(503).end()
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    seen: () => seen,
    /** Sends bytes on a connection of their own, and gives the statuses of the answers when it is closed. */
    async ask(bytes: string, localAddress = '127.0.0.1') {
      const socket = connect({ port, host: '127.0.0.1', localAddress })
      let text = ''
      socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
      socket.on('error', () => {}).write(bytes)
      await once(socket, 'close')
      return [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
    },
    close() {
      server.close()
      overload.close()
    },
  }
}
