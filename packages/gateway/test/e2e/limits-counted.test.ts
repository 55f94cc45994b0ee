import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../scripts/lib/gate.ts'
import { addPerson, childServer, doorOf, until, type Person } from './place.ts'
import { openLine } from './raw.ts'
import { call, textFrom } from './wire.ts'

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
async function counted(): Promise<Readonly<Record<string, number>>> {
  const { body } = await gate.admin('GET', '/metrics')
  const lines = String(body).matchAll(/^sekisho_refused_total\{limit="([^"]+)"\} (\d+)$/gm)
  return Object.fromEntries(Array.from(lines, ([, limit = '', value]) => [limit, Number(value)]))
}

/** What somebody did added to what was counted. */
async function addedBy(act: () => Promise<unknown>): Promise<readonly string[]> {
  const before = await counted()
  await act()
  const after = await counted()
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
