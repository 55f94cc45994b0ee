import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startGate, type Gate, type GateOptions } from '../../../../scripts/lib/gate.ts'
import { createProcessTable } from '../../src/upstreams/children/processes.ts'
import { openSchema } from '../e2e/sign-in/postgres.ts'
import { withoutRedis, REDIS } from '../storage/shared/places.ts'
import { withoutPostgres } from '../stores/databases.ts'

const CHILD = resolve(import.meta.dirname, '../e2e/fixtures/child.mjs')
const WORKERS = 2
/** Each worker is a whole gate, and the machine that runs the tests may have much to do. */
const START_MS = 90_000
vi.setConfig({ testTimeout: 3 * START_MS, hookTimeout: 3 * START_MS })

const processes = createProcessTable()

interface Running extends AsyncDisposable {
  readonly gate: Gate
  /** The workers that run now. */
  workers(): Promise<number[]>
}

async function startWorkers(options: GateOptions = {}): Promise<Running> {
  const schema = await openSchema()
  const shared = { DATABASE_URL: schema.databaseUrl, REDIS_URL: REDIS, SEKISHO_WORKERS: String(WORKERS) }
  const gate = await startGate({ ...options, env: { ...shared, ...options.env } })
  const workers = () => childrenOf(gate.pid)
  await vi.waitFor(() => expect(started(gate)).toBe(WORKERS), START_MS)
  return {
    gate,
    workers,
    async [Symbol.asyncDispose]() {
      await gate.stop()
      await schema[Symbol.asyncDispose]()
    },
  }
}

/** How many workers have said that they serve. */
function started(gate: Gate): number {
  return gate.log().split('gate.started').length - 1
}

async function childrenOf(pid: number): Promise<number[]> {
  return (await processes.list()).filter(({ parent }) => parent === pid).map((process) => process.pid)
}

interface Answer {
  readonly status: number
  readonly text: string
}

/** Asks on a connection of its own, of which the workers take one after the other. */
async function ask(gate: Gate, path: string, { key, body }: { key?: string; body?: object } = {}): Promise<Answer> {
  const headers = {
    ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
    ...(body && { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' }),
  }
  const sent = request(`${gate.url}${path}`, { agent: false, method: body ? 'POST' : 'GET', headers })
  sent.end(body && JSON.stringify(body))
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: answer.statusCode ?? 0, text: await text(answer) }
}

function initialize(gate: Gate, key: string): Promise<Answer> {
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
  return ask(gate, '/mcp', { key, body: { jsonrpc: '2.0', id: 1, method: 'initialize', params } })
}

function callTool(gate: Gate, key: string, name: string, args: object = {}): Promise<Answer> {
  const params = { name, arguments: args }
  return ask(gate, '/mcp', { key, body: { jsonrpc: '2.0', id: 2, method: 'tools/call', params } })
}

const isPossible = !withoutPostgres && !withoutRedis

describe.runIf(isPossible)('several workers', () => {
  let running: Running
  beforeAll(async () => {
    const env = { TOKEN: { $userToken: '{{token}}' } }
    running = await startWorkers({ config: { mcpServers: { own: { command: process.execPath, args: [CHILD], env } } } })
  })
  afterAll(async () => running[Symbol.asyncDispose]())

  test('serve one address, each as the whole gate, and what one was told the others know', async () => {
    const { gate, workers } = running
    expect(await workers()).toHaveLength(WORKERS)
    const { key } = await gate.addUser('ada')
    const statuses: number[] = []
    for (let index = 0; index < 2 * WORKERS; index++) statuses.push((await initialize(gate, key)).status)
    expect(statuses).toEqual(Array.from({ length: 2 * WORKERS }, () => 200))
  })

  test('say once what a person has to read at the start', async () => {
    const log = running.gate.log()
    for (const line of ['You are admin', 'Sekisho is open at', 'The root key of the vault was made', 'workers.started'])
      expect([line, log.split(line).length - 1]).toEqual([line, 1])
  })

  test('go on with no token that was replaced through another of them', async () => {
    const { gate } = running
    const { key } = await gate.addUser('lin')
    /** What the server was given, as each worker has it. */
    const given = async () => {
      const tokens = new Set<string | undefined>()
      for (let index = 0; index < 2 * WORKERS; index++) {
        const answer = await callTool(gate, key, 'own__release_after', { milliseconds: 0 })
        tokens.add(/released by (\w+)/.exec(answer.text)?.[1])
      }
      return [...tokens]
    }
    await gate.setToken('lin', 'own', 'first')
    await vi.waitFor(async () => expect(await given()).toEqual(['first']), START_MS)
    await gate.setToken('lin', 'own', 'second')
    // Much sooner than what was opened would be forgotten by itself.
    await vi.waitFor(async () => expect(await given()).toEqual(['second']), { timeout: 30_000, interval: 100 })
  })

  test('are counted together, whichever is asked', async () => {
    const { gate } = running
    const { key } = await gate.addUser('grace')
    const { key: watching } = await gate.addUser('prom', { scopes: ['metrics'] })
    const counted = async () => {
      const { text: metrics } = await ask(gate, '/metrics', { key: watching })
      return Number(/^mcp_requests_total\{method="initialize",.*outcome="ok"\} (\d+)$/m.exec(metrics)?.[1] ?? 0)
    }
    const before = await counted()
    for (let index = 0; index < 3 * WORKERS; index++) await initialize(gate, key)
    for (let index = 0; index < 2 * WORKERS; index++) {
      expect(await counted()).toBe(before + 3 * WORKERS)
      const { text: metrics } = await ask(gate, '/metrics', { key: watching })
      expect(metrics.match(/^# TYPE mcp_requests_total counter$/gm)).toHaveLength(1)
    }
  })

  test('answer the operator on the socket, also when the first of them is gone', async () => {
    const { gate, workers } = running
    process.kill((await workers())[0] ?? 0, 'SIGKILL')
    await vi.waitFor(() => expect(started(gate)).toBe(WORKERS + 1), START_MS)
    for (let index = 0; index < 2 * WORKERS; index++) {
      expect((await gate.admin('GET', '/admin/api/status')).status).toBe(200)
    }
    expect((await workers()).length).toBe(WORKERS)
    expect(gate.log()).toContain('worker.died')
  })
})

describe.runIf(isPossible)('several workers', () => {
  test('all end when the gate is told to', async () => {
    await using running = await startWorkers()
    const { gate, workers } = running
    const pids = await workers()
    expect(await gate.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(pids.filter((pid) => processes.find(pid))).toEqual([])
    expect(gate.log().split('gate.stopped').length - 1).toBe(WORKERS)
  })

  test('end in order by themselves when the process that started them is killed', async () => {
    await using running = await startWorkers()
    const { gate, workers } = running
    const pids = await workers()
    process.kill(gate.pid, 'SIGKILL')
    await vi.waitFor(() => expect(pids.filter((pid) => processes.find(pid))).toEqual([]), START_MS)
    expect(gate.log().split('gate.stopped').length - 1).toBe(WORKERS)
  })

  test('end no server of each other; what a killed one leaves behind its successor ends', async () => {
    const servers = { mcpServers: { pid: { command: process.execPath, args: [CHILD] } } }
    await using running = await startWorkers({ config: servers })
    const { gate, workers } = running
    const { key } = await gate.addUser('ada')
    const children = async () => {
      const found = await Promise.all((await workers()).map(async (pid) => [pid, await childrenOf(pid)] as const))
      return new Map(found.filter(([, own]) => own.length > 0))
    }
    await vi.waitFor(async () => {
      await callTool(gate, key, 'pid__whoami')
      expect((await children()).size).toBe(WORKERS)
    }, START_MS)
    const before = await children()
    const [[killed, orphans = []] = [0]] = before
    process.kill(killed, 'SIGKILL')
    await vi.waitFor(() => expect(started(gate)).toBe(WORKERS + 1), START_MS)
    expect(orphans.filter((pid) => processes.find(pid))).toEqual([])
    const others = [...before].filter(([worker]) => worker !== killed).flatMap(([, own]) => own)
    expect(others).toHaveLength(WORKERS - 1)
    expect(others.filter((pid) => processes.find(pid))).toEqual(others)
  })

  test('say why where they cannot start, once, and are not tried again', async () => {
    const env = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', REDIS_URL: REDIS, SEKISHO_WORKERS: '2' }
    const failure = await startGate({ env }).then(
      (gate) => gate.stop().then(() => 'started'),
      (error: unknown) => String(error),
    )
    expect(failure).toContain('The gate ended')
    expect(failure.split('Check DATABASE_URL').length - 1).toBe(1)
  })
})

test('are refused where they would share nothing', async () => {
  const failure = await startGate({ env: { SEKISHO_WORKERS: '2' } }).catch((error: unknown) => String(error))
  expect(failure).toContain('several workers would share nothing')
})
