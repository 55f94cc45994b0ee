import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import { Pool } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../scripts/lib/gate.ts'
import { envelopeOf, eras, headersOf } from '../e2e/eras.ts'
import { addPerson, childServer, doorOf, personalServer, tokenOf, until, type Person } from '../e2e/place.ts'
import { openLine } from '../e2e/raw.ts'
import { startScripted, type Asked, type Answer, type Scripted } from '../e2e/scripted.ts'
import { openSession, send } from '../e2e/wire.ts'
import { anyBytes, noise } from './bytes.ts'
import { jsonText } from './json-text.ts'
import { holds, TIME_MS } from './runs.ts'

const RUNS = 500
/** A stream that stays open is left after so long. */
const LISTEN_MS = 150

type Name = 'ada' | 'bob'
const NAMES: readonly Name[] = ['ada', 'bob']

let gate: Gate
let upstream: Scripted
let pool: Pool
let people: Readonly<Record<Name, Person>>
let sessions: Readonly<Record<Name, string>>
/** What the server says in place of an echo. */
let chaos: Buffer | undefined

beforeAll(async () => {
  upstream = await startScripted(answer)
  const child = childServer({ TOKEN: { $userToken: '{{token}}' } })
  const mcpServers = { echo: personalServer(upstream.url), child, alike: { url: upstream.url } }
  gate = await startGate({ config: { mcpServers, limits: { callsPerMinute: 1_000_000 } } })
  people = {
    ada: await addPerson(gate, 'ada', ['echo', 'child']),
    bob: await addPerson(gate, 'bob', ['echo', 'child']),
  }
  sessions = { ada: await sessionOf(people.ada), bob: await sessionOf(people.bob) }
  pool = new Pool(gate.url, { connections: 8 })
})

afterAll(async () => {
  await pool.destroy()
  await gate.stop()
  await upstream.close()
})

async function sessionOf(person: Person): Promise<string> {
  return (await openSession(doorOf(gate, person, 'legacy'), { sampling: {}, roots: {} }))['Mcp-Session-Id']
}

/** Says whose credential a request came with, and all that was in it. */
function answer({ method, headers, body }: Asked): Answer {
  switch (method) {
    case 'initialize':
      return {
        result: '{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"e","version":"1"}}',
      }
    case 'server/discover':
      return { result: '{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}' }
    case 'tools/list':
      return { result: '{"resultType":"complete","tools":[{"name":"echo","inputSchema":{"type":"object"}}]}' }
    default:
      if (chaos) return { body: chaos.toString('latin1') }
      return { result: echoOf(`${headers.authorization} ${body.toString()}`) }
  }
}

function echoOf(text: string): string {
  return `{"resultType":"complete","content":[{"type":"text","text":${JSON.stringify(text)}}]}`
}

/** One knock at the gate, as whoever it is sent for. */
interface Knock {
  readonly verb: string
  readonly path: string
  readonly headers: readonly string[]
  /** `{{mark}}` is a text that only this user sends. */
  readonly body: string | Buffer
}

const path = fc.constantFrom(
  '/mcp',
  '/mcp/echo',
  '/mcp/alike',
  '/mcp/child',
  '/mcp/',
  '/mcp/unknown',
  '/mcp/%00',
  '/mcp/echo/..',
  '/mcp/__proto__',
  '/mcp?x=%',
)
const method = fc.constantFrom(
  'tools/call',
  'tools/list',
  'prompts/get',
  'resources/read',
  'completion/complete',
  'tasks/get',
  'tasks/cancel',
  'tasks/update',
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'subscriptions/listen',
  'server/discover',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
  'toString',
  '',
)
const name = fc.constantFrom(
  'echo__echo',
  'echo',
  'alike__echo',
  'child__whoami',
  'child__waiting',
  'sekisho_status',
  '__proto__',
  'echo__',
)
const known = fc.constantFrom(
  'name',
  'uri',
  'cursor',
  'arguments',
  'taskId',
  'requestState',
  'inputResponses',
  'ref',
  'level',
  'requestId',
  'progressToken',
  'notifications',
  'capabilities',
  'clientInfo',
  'protocolVersion',
  '_meta',
)
const someValue = jsonText.map((text): unknown => JSON.parse(text))
const uri = fc.constantFrom('echo+a:b', 'ui://echo+x', '+', 'child+', 'x')

const params = fc
  .tuple(
    name,
    uri,
    fc.array(fc.tuple(known, fc.oneof(someValue, fc.constant({}), fc.string())), { maxLength: 3 }),
    someValue,
  )
  .map(([name, uri, more, value]): Record<string, unknown> => ({
    name,
    uri,
    arguments: { mark: '{{mark}}', value },
    ...Object.fromEntries(more),
  }))

const oddHeader = fc.tuple(
  fc.constantFrom(
    'mcp-protocol-version',
    'mcp-session-id',
    'mcp-method',
    'mcp-name',
    'last-event-id',
    'accept',
    'origin',
    'mcp-param-x',
    'x-forwarded-for',
    'traceparent',
    'content-encoding',
  ),
  fc.oneof(
    fc.constantFrom(
      '',
      '2026-07-28',
      '2025-03-26',
      '=?base64?4pyT?=',
      '=?base64?!?=',
      '{{own}}',
      '{{other}}',
      '*/*',
      'null',
      's.i.1_1',
      'x'.repeat(3_000),
    ),
    fc.stringMatching(/^[ -~]{0,30}$/),
  ),
)

/** A request as its era has it, but for what is odd in it. */
const requests = fc
  .record({
    era: fc.constantFrom(...eras),
    path,
    method,
    params,
    isIn: fc.boolean(),
    odd: fc.array(oddHeader, { maxLength: 1 }),
    id: fc.oneof(fc.integer(), fc.string(), fc.constantFrom(null, undefined, 1.5)),
  })
  .map(({ era, path, method, params, isIn, odd, id }): Knock => {
    const headers = {
      ...headersOf(era, method, params),
      ...(era === 'legacy' && isIn ? { 'mcp-session-id': '{{own}}' } : {}),
    }
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params: envelopeOf(era, params) })
    return {
      verb: 'POST',
      path,
      headers: [...Object.entries(headers), ...odd].flatMap(([key, value]) => [key, latin(value)]),
      body,
    }
  })

/** A header has no other characters. */
function latin(value: string): string {
  return value.replace(/[^ -~]/gu, '?')
}

const anything = fc
  .record({
    verb: fc.constantFrom('POST', 'POST', 'POST', 'GET', 'DELETE', 'OPTIONS', 'PUT', 'PATCH'),
    path,
    odd: fc.array(oddHeader, { maxLength: 4 }),
    body: anyBytes,
  })
  .map(({ verb, path, odd, body }): Knock => ({ verb, path, headers: odd.flat(), body: verb === 'GET' ? '' : body }))

const knock = fc.oneof({ weight: 3, arbitrary: requests }, { weight: 1, arbitrary: anything })

interface Came {
  readonly status: number
  readonly text: string
}

/** Sends it for one user, with their key and marks in it. */
async function sendFor(user: Name, { verb, path, headers, body }: Knock): Promise<Came> {
  const own = (text: string) =>
    text
      .replaceAll('{{mark}}', markOf(user))
      .replaceAll('{{own}}', sessions[user])
      .replaceAll('{{other}}', sessions[otherThan(user)])
  const first = ['authorization', `Bearer ${people[user].key}`, 'content-type', 'application/json']
  const signal = AbortSignal.timeout(10_000)
  const sent = typeof body === 'string' ? own(body) : body
  const all = [...first, ...headers.map(own)]
  const {
    statusCode,
    body: stream,
    headers: came,
  } = await pool.request({ path, method: verb, headers: all, body: sent, signal })
  const isStream = String(came['content-type']).startsWith('text/event-stream')
  return { status: statusCode, text: isStream ? await heard(stream) : await stream.text() }
}

/** What comes on a stream until it ends or has been open for a while. */
async function heard(
  stream: AsyncIterable<Buffer> & { destroy(): unknown; once(event: 'error', take: () => void): unknown },
): Promise<string> {
  const chunks: Buffer[] = []
  stream.once('error', () => {})
  const read = (async () => {
    for await (const chunk of stream) chunks.push(chunk)
  })().catch(() => {})
  await Promise.race([read, pause(LISTEN_MS, undefined, { ref: false })])
  stream.destroy()
  return Buffer.concat(chunks).toString()
}

function markOf(user: Name): string {
  return `mark-of-${user}-0123456789`
}

function otherThan(user: Name): Name {
  return user === 'ada' ? 'bob' : 'ada'
}

/** What must never be in an answer to anybody else. */
function secretsOf(user: Name): string[] {
  const { key, id } = people[user]
  return [markOf(user), key, id, tokenOf(user, 'echo'), tokenOf(user, 'child')]
}

function expectOwn(user: Name, { status, text }: Came): void {
  expect([status, text.slice(0, 2_000)]).not.toEqual([500, text.slice(0, 2_000)])
  expect(text).not.toContain('gate.fault')
  for (const secret of secretsOf(otherThan(user))) expect(text).not.toContain(secret)
}

async function expectHealthy(): Promise<void> {
  expect((await fetch(`${gate.url}/health/ready`)).status).toBe(200)
  for (const user of NAMES) {
    const door = doorOf(gate, people[user], 'modern')
    await until(async () => {
      const { bytes } = await send(door, 'tools/call', { name: 'echo__echo', arguments: { mark: markOf(user) } })
      return bytes.includes(markOf(user)) && bytes.includes(tokenOf(user, 'echo'))
    })
  }
}

test(
  'whatever two users send at once, and whatever a server says to it, nobody gets what is another’s and the gate lives on',
  { timeout: TIME_MS },
  async () => {
    const property = fc.asyncProperty(
      knock,
      knock,
      fc.option(anyBytes, { freq: 4, nil: undefined }),
      async (one, other, said) => {
        chaos = said
        const came = await Promise.all([sendFor('ada', one), sendFor('bob', other)])
        expectOwn('ada', came[0])
        expectOwn('bob', came[1])
      },
    )
    await holds('gate', property, RUNS, { endOnFailure: true })
    chaos = undefined
    await expectHealthy()
    expect(gate.log()).not.toContain('gate.fault')
  },
)

test('a cursor that the gate did not make is refused', { timeout: TIME_MS }, async () => {
  const property = fc.asyncProperty(fc.oneof(fc.string(), fc.base64String()), async (cursor) => {
    const { status, bytes } = await send(doorOf(gate, people.ada, 'modern'), 'tools/list', { cursor })
    expect([status, JSON.parse(bytes.toString()).error.code]).toEqual([400, -32602])
  })
  await holds('cursors', property, RUNS / 10)
})

test('what asks without an id, or tells with one, reaches no server', async () => {
  const bad = [
    '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"echo","arguments":{"mark":"smuggled"}}}',
    '{"jsonrpc":"2.0","method":"example/do","params":{"mark":"smuggled"}}',
    '{"jsonrpc":"2.0","id":7,"method":"notifications/cancelled","params":{"requestId":1,"mark":"smuggled"}}',
  ]
  const good = '{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}'
  const headers = ['mcp-session-id', sessions.ada]
  const door = doorOf(gate, people.ada, 'legacy', 'echo')
  await send(door, 'tools/call', { name: 'echo' }, { headers: { 'Mcp-Session-Id': sessions.ada } })
  for (const path of ['/mcp', '/mcp/echo'])
    for (const body of [...bad, good]) await sendFor('ada', { verb: 'POST', path, headers, body })
  await until(() => upstream.asked.some(({ method }) => method === 'notifications/roots/list_changed'))
  expect(upstream.asked.filter(({ body }) => body.includes('smuggled'))).toEqual([])
})

test('bytes that are no HTTP end their own connection and nothing else', { timeout: TIME_MS }, async () => {
  const head = fc.constantFrom(
    '',
    'POST /mcp HTTP/1.1\r\n',
    'POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'POST /mcp HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n',
  )
  const property = fc.asyncProperty(fc.array(fc.tuple(head, noise), { minLength: 20, maxLength: 20 }), async (all) => {
    const answers = all.map(async ([begin, bytes]) => {
      const line = openLine(gate.url)
      line.socket.end(Buffer.concat([Buffer.from(begin), bytes]))
      const text = await Promise.race([line.closed, pause(LISTEN_MS, line.text(), { ref: false })])
      line.socket.destroy()
      expect(text).not.toMatch(/^HTTP\/1\.1 (?:2|500)/)
    })
    await Promise.all(answers)
  })
  await holds('bytes', property, RUNS / 25)
  await expectHealthy()
  expect(gate.log()).not.toContain('gate.fault')
})

test('what is nested deeper than any stack is refused, or answered', async () => {
  const deep = '['.repeat(200_000) + ']'.repeat(200_000)
  const prefix = 'io.modelcontextprotocol'
  const bodies = [
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo__echo","arguments":{"x":${deep}}}}`,
    `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":${deep},"capabilities":{"elicitation":{"form":{"x":${deep}}}},"clientInfo":${deep}}}`,
    `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"${prefix}/protocolVersion":"2026-07-28","${prefix}/clientCapabilities":{"extensions":{"x":${deep}}}}}}`,
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"requestState":${deep},"inputResponses":{"a":${deep}}}}`,
    `[{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":${deep}}}]`,
    `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${deep}}}`,
    `{"jsonrpc":"2.0","id":1,"result":${deep}}`,
    deep,
  ]
  for (const body of bodies) {
    for (const headers of [
      [],
      ['mcp-protocol-version', '2026-07-28', 'mcp-method', 'ping'],
      ['mcp-session-id', sessions.ada],
    ])
      expectOwn('ada', await sendFor('ada', { verb: 'POST', path: '/mcp', headers, body }))
  }
  expect(gate.log()).not.toContain('gate.fault')
})
