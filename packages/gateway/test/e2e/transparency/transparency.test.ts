import fc from 'fast-check'
import { Pool } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { holds, TIME_MS } from '../../fuzz/runs.ts'
import { addPerson, doorOf, type Person } from '../place.ts'
import { openSession, send } from '../wire.ts'
import {
  asClientReads,
  asClientWrites,
  asServerReads,
  exposedTarget,
  heardByClient,
  isNumbered,
  oneLine,
  SESSION_LEVEL,
  throughEvents,
  type ServerKind,
} from './allowed.ts'
import type { Case, ClientKind } from './case.ts'
import { cases } from './messages.ts'
import { startUpstream, type Got, type Upstream } from './upstream.ts'

/** One of each; users look alike to the second. */
const KINDS: readonly ServerKind[] = [
  { name: 'session', era: 'legacy', transport: 'http', session: true },
  { name: 'alike', era: 'legacy', transport: 'http', session: false },
  { name: 'newer', era: 'modern', transport: 'http', session: false },
  { name: 'child', era: 'legacy', transport: 'stdio', session: false },
  { name: 'newer-child', era: 'modern', transport: 'stdio', session: false },
]
const ALIKE = 'alike'
const RUNS_EACH = 400

let gate: Gate
let ada: Person
let pool: Pool
let sessions: Map<string, Record<string, string>>
const upstreams = new Map<string, Upstream>()

beforeAll(async () => {
  for (const kind of KINDS) upstreams.set(kind.name, await startUpstream(kind, kind.name !== ALIKE))
  const mcpServers = Object.fromEntries([...upstreams].map(([name, { entry }]) => [name, entry]))
  gate = await startGate({ config: { mcpServers, limits: { callsPerMinute: 1_000_000 } } })
  const personal = KINDS.flatMap(({ name }) => (name === ALIKE ? [] : [name]))
  ada = await addPerson(gate, 'ada', personal)
  pool = new Pool(gate.url, { connections: KINDS.length })
  sessions = new Map()
  for (const server of [undefined, ...upstreams.keys()]) {
    const door = doorOf(gate, ada, 'legacy', server)
    const session = await openSession(door)
    await send(door, 'logging/setLevel', { level: SESSION_LEVEL }, { headers: session })
    sessions.set(server ?? '', session)
  }
})

afterAll(async () => {
  await pool.close()
  await gate.stop()
  for (const upstream of upstreams.values()) await upstream[Symbol.asyncDispose]()
})

/** What the client read: an answer, and what it was told before. */
interface Heard {
  readonly status: number
  readonly told: readonly string[]
  readonly answer: string
}

async function ask(one: Case, kind: ServerKind): Promise<Heard> {
  const path = one.door === 'server' ? `/mcp/${kind.name}` : '/mcp'
  const body = asClientWrites(one, kind)
  const headers = [...headersOf(one, kind), ...one.asking.paramHeaders]
  const answer = await pool.request({ path, method: 'POST', headers, body })
  const text = Buffer.from(await answer.body.arrayBuffer()).toString()
  const type = String(answer.headers['content-type'])
  if (!type.startsWith('text/event-stream')) return { status: answer.statusCode, told: [], answer: text }
  const data = text.split('\n').filter((line) => line.startsWith('data: ') && line !== 'data: ')
  const messages = data.map((line) => line.slice(6))
  return { status: answer.statusCode, told: messages.slice(0, -1), answer: messages.at(-1) ?? '' }
}

function headersOf({ client, door, asking }: Case, kind: ServerKind): string[] {
  const headers = ['authorization', `Bearer ${ada.key}`, 'content-type', 'application/json']
  headers.push('accept', 'application/json, text/event-stream')
  headers.push('mcp-protocol-version', VERSIONS[client])
  if (client === 'session')
    headers.push(...Object.entries(sessions.get(door === 'server' ? kind.name : '') ?? {}).flat())
  if (client !== 'modern') return headers
  headers.push('mcp-method', asking.method)
  const { own, method } = asking
  if (own.kind === 'none' || method === 'completion/complete') return headers
  return [...headers, 'mcp-name', door === 'server' ? own.value : exposedTarget(own, kind)]
}

const VERSIONS: Readonly<Record<ClientKind, string>> = {
  modern: '2026-07-28',
  legacy: '2025-11-25',
  session: '2025-11-25',
}

/** What the client must read, given what the server got. */
function expectedFor(one: Case, kind: ServerKind, got: Got): Pick<Heard, 'told' | 'answer'> {
  const { answering, asking } = one
  const toClient = kind.transport === 'stdio' ? throughPipe : answering.framing === 'events' ? throughEvents : asItIs
  const told = heardByClient(one, kind, got).map((text) => oneLine(toClient(text)))
  const id = isNumbered(kind) ? asking.id : got.id
  const answer = toClient(asClientReads(one, kind, id))
  return { told, answer: told.length > 0 ? oneLine(answer) : answer }
}

/** The end of a line may have a return before it, which is none of the text. */
function throughPipe(text: string): string {
  return oneLine(text.replaceAll('\n', ' ').replace(/\r$/, ''))
}

function asItIs(text: string): string {
  return text
}

describe.concurrent('what one side writes is what the other reads, but for what is allowed', () => {
  test.for(KINDS.map((kind) => [kind.name, kind] as const))(
    'with the server “%s”',
    { timeout: TIME_MS },
    async ([name, kind]) => {
      const upstream = upstreams.get(name)
      if (!upstream) throw new Error(`no server ${name}`)
      const property = fc.asyncProperty(cases, async (one) => {
        upstream.next = one.answering
        upstream.got = undefined
        const heard = await ask(one, kind)
        const got = upstream.got as Got | undefined
        if (!got) throw new Error(`the server was not asked: ${heard.status} ${heard.answer}`)
        expect(difference(got.bytes.toString(), asServerReads(one, kind, got.id)), 'for the server').toBeUndefined()
        const expected = expectedFor(one, kind, got)
        expect(difference(heard.answer, expected.answer), 'for the client').toBeUndefined()
        expect(heard.told).toEqual(expected.told)
        expect(heard.status).toBe(200)
        if (kind.transport === 'http') sameHeaders(one, got)
      })
      await holds(`transparency: ${name}`, property, RUNS_EACH)
    },
  )
})

test('a client of the server itself reads the very same bytes', { timeout: TIME_MS }, async () => {
  const upstream = upstreams.get('newer')
  if (!upstream) throw new Error('no server')
  const direct = new Pool(new URL(upstream.url).origin)
  const plain = cases.filter(
    ({ client, door, answering }) => client === 'modern' && door === 'server' && answering.framing === 'json',
  )
  const property = fc.asyncProperty(plain, async (one) => {
    upstream.next = one.answering
    const { answer } = await ask(one, upstream.kind)
    const body = asClientWrites(one, upstream.kind)
    const itself = await direct.request({
      path: '/mcp',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    expect(difference(answer, await itself.body.text())).toBeUndefined()
  })
  await holds('transparency: direct', property, RUNS_EACH / 8)
  await direct.close()
})

/** Of large texts, where they begin to differ. */
function difference(actual: string, expected: string): object | undefined {
  if (actual === expected) return undefined
  let from = 0
  while (actual[from] === expected[from]) from++
  const around = (text: string) => text.slice(Math.max(0, from - 60), from + 120)
  return { from, actual: around(actual), expected: around(expected) }
}

function sameHeaders({ asking }: Case, { headers }: Got): void {
  const last = new Map<string, string[]>()
  for (let index = 0; index < asking.paramHeaders.length; index += 2) {
    const name = asking.paramHeaders[index]?.toLowerCase() ?? ''
    last.set(name, [...(last.get(name) ?? []), asking.paramHeaders[index + 1] ?? ''])
  }
  for (const [name, values] of last) expect([name, headers[name]]).toEqual([name, values.join(', ')])
}
