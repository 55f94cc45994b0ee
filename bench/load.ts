import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { readArguments } from '../scripts/lib/arguments.ts'
import { freePort } from '../scripts/lib/free-port.ts'
import { startGate, type Gate } from '../scripts/lib/gate.ts'
import { startProgram } from '../scripts/lib/processes.ts'

/**
 * Whether servers that are dead or slow stay the trouble of those who call them: 200 clients call 50 servers, first
 * only those that are well, then all, of which two cannot be reached and one takes its time.
 */
const CLIENTS = 200
const SERVERS = 50
const SLOW_MS = 1_500
const VERSION = '2026-07-28'

const HELP = `200 clients call 50 servers, first only those that are well, then all, of which two cannot be reached and one takes its
time. Exits with 1 where servers that are dead or slow trouble more than those who call them.

  npm run load [-- options]

  --seconds N   how long, both halves together (default 120)
  --help        this text`

const { values } = readArguments(HELP, { options: { seconds: { type: 'string', default: '120' } } })
const PHASE_MS = (Number(values.seconds) * 1000) / 2

type Kind = 'well' | 'dead' | 'slow'

/** What came of the calls to servers of one kind. */
interface Tally {
  readonly times: number[]
  errors: number
}

await using open = new AsyncDisposableStack()
const upstream = startProgram({
  name: 'The upstream',
  command: process.execPath,
  args: [resolve(import.meta.dirname, 'harness/upstream.mjs'), '--port', '0'],
})
open.defer(async () => void (await upstream.stop()))
const [, well = ''] = await upstream.match(/upstream on (\S+)/, 30_000)
const slow = await startSlow(well)
open.defer(slow.close)

const kinds = new Map<string, Kind>()
for (let index = 0; index < SERVERS; index++) kinds.set(`s${index}`, index < 2 ? 'dead' : index === 2 ? 'slow' : 'well')
const dead = `http://127.0.0.1:${await freePort()}/mcp`
const addresses: Readonly<Record<Kind, string>> = { well, dead, slow: slow.url }
const gate = open.use(
  await startGate({
    config: {
      mcpServers: Object.fromEntries([...kinds].map(([name, kind]) => [name, { url: addresses[kind] }])),
      limits: { callsPerMinute: 1_000_000, concurrentCalls: 1_000 },
    },
    env: { NODE_ENV: 'production', SEKISHO_LOG_FORMAT: 'json', SEKISHO_LOG_LEVEL: 'error' },
  }),
)
const { key } = await gate.addUser('load')
const pool = new Pool(gate.url, { connections: CLIENTS })
open.defer(() => pool.close())

const names = [...kinds.keys()]
await run(
  names.filter((name) => kinds.get(name) === 'well'),
  5_000,
)
const before = memoryOf(gate)
const alone = await run(
  names.filter((name) => kinds.get(name) === 'well'),
  PHASE_MS,
)
const together = await run(names, PHASE_MS)
await sleep(2_000)
const after = memoryOf(gate)

for (const [what, tallies] of Object.entries({ 'without the bad ones': alone, 'with them': together })) {
  for (const [kind, tally] of Object.entries(tallies)) {
    if (tally.times.length > 0) console.log(`load ${what}, ${kind}: ${describe(tally)}`)
  }
}
const ratio = percentile(together.well, 0.99) / percentile(alone.well, 0.99)
console.log(`load p99 of the others: ${ratio.toFixed(2)} x without the bad ones`)
console.log(`load memory: ${before} MB before, ${after} MB after`)
process.exitCode = alone.well.errors + together.well.errors + together.slow.errors === 0 ? 0 : 1

/** Every client calls one server after another, each as it comes. */
async function run(servers: readonly string[], milliseconds: number): Promise<Record<Kind, Tally>> {
  const tallies = { well: newTally(), dead: newTally(), slow: newTally() }
  const until = performance.now() + milliseconds
  const clients = Array.from({ length: CLIENTS }, async (_none, client) => {
    for (let count = client * 7; performance.now() < until; count++) {
      const server = servers[count % servers.length] ?? ''
      const tally = tallies[kinds.get(server) ?? 'well']
      const began = performance.now()
      if (!(await call(server, count))) tally.errors++
      tally.times.push(performance.now() - began)
    }
  })
  await Promise.all(clients)
  return tallies
}

/** Whether the right answer came. */
async function call(server: string, id: number): Promise<boolean> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': VERSION,
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const params = { name: 'echo', arguments: { text: `m${id}`, size: 100 }, _meta }
  const { body } = await pool.request({
    path: `/mcp/${server}`,
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': VERSION,
      'mcp-method': 'tools/call',
      'mcp-name': 'echo',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params }),
  })
  const text = await body.text()
  return text.includes(`m${id}`) && text.includes(`"id":${id}`)
}

/** The same server behind a door that opens late. */
async function startSlow(url: string): Promise<{ url: string; close(): Promise<void> }> {
  const behind = new Pool(new URL(url).origin)
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      await sleep(SLOW_MS)
      const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers
      const body = Buffer.concat(chunks)
      const answer = await behind.request({ path: request.url ?? '/', method: 'POST', headers, body })
      response.writeHead(answer.statusCode, { 'Content-Type': 'application/json' })
      response.end(Buffer.from(await answer.body.arrayBuffer()))
    })()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async close() {
      server.closeAllConnections()
      server.close()
      await behind.destroy()
    },
  }
}

function newTally(): Tally {
  return { times: [], errors: 0 }
}

function percentile({ times }: Tally, part: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * part)] ?? Number.NaN
}

function describe(tally: Tally): string {
  const [half, most] = [percentile(tally, 0.5), percentile(tally, 0.99)].map((time) => time.toFixed(0))
  return `${tally.times.length} calls, ${tally.errors} errors, p50 ${half} ms, p99 ${most} ms`
}

function memoryOf({ pid }: Gate): number {
  const status = readFileSync(join('/proc', String(pid), 'status'), 'utf8')
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)
}
