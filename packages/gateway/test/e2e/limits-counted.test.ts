import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../scripts/lib/gate.ts'
import { addPerson, childServer, doorOf, until, type Person } from './place.ts'
import { openLine } from './raw.ts'
import { call, send, textFrom, type Door, type Reply } from './wire.ts'

/** Each limit that was reached is counted under its own setting, and under no other: R1-08, R3-18a. */
const config = {
  mcpServers: { one: childServer(), two: childServer() },
  limits: { perMinute: { signIn: 1, register: 1 } },
  timeouts: { headersMs: 300, bodyMs: 900 },
  stdio: { maxChildrenPerUser: 1, idleMs: 300 },
}

let gate: Gate
let ada: Person
beforeAll(async () => {
  gate = await startGate({ config })
  ada = await addPerson(gate, 'ada')
})
afterAll(() => gate[Symbol.asyncDispose]())

/** What was counted so far, by limit. */
async function counted(at = gate): Promise<Readonly<Record<string, number>>> {
  const { body } = await at.admin('GET', '/metrics')
  const lines = String(body).matchAll(/^sekisho_refused_total\{limit="([^"]+)"\} (\d+)$/gm)
  return Object.fromEntries(Array.from(lines, ([, limit = '', value]) => [limit, Number(value)]))
}

/** What somebody did added to what was counted. */
async function addedBy(act: () => Promise<unknown>, at = gate): Promise<readonly string[]> {
  const before = await counted(at)
  await act()
  const after = await counted(at)
  return Object.keys(after).filter((limit) => after[limit] !== before[limit])
}

test.for([
  ['signIn', () => fetch(`${gate.url}/welcome/${'x'.repeat(43)}`)],
  [
    'register',
    () =>
      fetch(`${gate.url}/register`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' }),
  ],
] as const)('limits.perMinute.%s, each endpoint by itself', async ([endpoint, knock]) => {
  await knock()
  expect(await addedBy(knock)).toEqual([`limits.perMinute.${endpoint}`])
})

test('timeouts.headersMs where the headers do not come, timeouts.bodyMs where the body does not', async () => {
  const begin = async (text: string) => {
    const line = openLine(gate.url)
    line.socket.write(text)
    expect(await line.closed).toContain('408')
  }
  expect(await addedBy(() => begin('POST /token HTTP/1.1\r\nHost: localhost\r\n'))).toEqual(['timeouts.headersMs'])
  const whole = `POST /token HTTP/1.1\r\nHost: ${new URL(gate.url).host}\r\nContent-Length: 10\r\n\r\n`
  expect(await addedBy(() => begin(whole))).toEqual(['timeouts.bodyMs'])
})

test('stdio.maxChildrenPerUser for whose own are at work, stdio.idleMs for one that was not called', async () => {
  const door = doorOf(gate, ada)
  const busy = textFrom(door, 'one__release_after', { milliseconds: 2_000 })
  const refusals = await addedBy(() =>
    until(async () => (await call(door, 'two__whoami')).isError === true && (await counted())[CHILDREN] !== undefined),
  )
  expect(refusals).toContain(CHILDREN)
  expect(refusals).not.toContain('stdio.maxChildren')
  expect(await busy).toContain('released')
  await until(async () => (await counted())['stdio.idleMs'] !== undefined)
})

const CHILDREN = 'stdio.maxChildrenPerUser'

/** A gate at which everything is little. */
describe('of a gate with little room', () => {
  let small: Gate
  beforeAll(async () => {
    small = await startGate({
      config: {
        mcpServers: { one: childServer() },
        limits: { callsPerMinute: 5, concurrentCalls: 2, requestBytes: 4_096, streamsPerUser: 1 },
        timeouts: { callMs: 3_000 },
      },
    })
  })
  afterAll(() => small[Symbol.asyncDispose]())

  const wait = { name: 'one__release_after', arguments: { milliseconds: 400 } }
  const forever = { name: 'one__release_after', arguments: { milliseconds: 30_000 } }
  const LISTEN = { notifications: { toolsListChanged: true } }

  test.for([
    [
      'limits.callsPerMinute',
      429,
      async (door) => (await inTurn(6, () => send(door, 'tools/call', { name: 'one__whoami', arguments: {} }))).at(-1),
    ],
    [
      'limits.concurrentCalls',
      429,
      async (door) => {
        const replies = await Promise.all([1, 2, 3].map(() => send(door, 'tools/call', wait)))
        return replies.find(({ status }) => status !== 200)
      },
    ],
    [
      'limits.requestBytes',
      413,
      (door) => send(door, 'tools/call', { name: 'one__whoami', arguments: { x: 'x'.repeat(5_000) } }),
    ],
    ['timeouts.callMs', 200, (door) => send(door, 'tools/call', forever)],
    [
      'limits.streamsPerUser',
      429,
      async (door) => {
        const done = new AbortController()
        const first = send(door, 'subscriptions/listen', LISTEN, { signal: done.signal }).catch(() => {})
        await until(async () => (await gauge(small, 'sekisho_streams')) === 1)
        const second = await send(door, 'subscriptions/listen', LISTEN)
        done.abort()
        await first
        return second
      },
    ],
  ] satisfies [string, number, (door: Door) => Promise<Reply | undefined>][])('%s', async ([limit, status, reach]) => {
    const person = await addPerson(small, `user-${limit.split('.')[1]?.toLowerCase()}`)
    const replies: (Reply | undefined)[] = []
    expect(await addedBy(async () => replies.push(await reach(doorOf(small, person))), small)).toEqual([limit])
    expect(replies[0]?.status).toBe(status)
  })
})

async function inTurn<T>(times: number, act: () => Promise<T>): Promise<T[]> {
  const all: T[] = []
  for (let count = 0; count < times; count++) all.push(await act())
  return all
}

async function gauge(at: Gate, name: string): Promise<number> {
  const { body } = await at.admin('GET', '/metrics')
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(String(body))?.[1])
}
