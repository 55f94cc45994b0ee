/**
 * `npm run overload`: what honest clients notice while somebody floods the gate with ten times what it can do. It prints
 * every figure and a verdict for each promise; exits with 1 where one is not kept. `--seconds 20` for a shorter flood.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'
import { startGate, type Gate } from '../scripts/lib/gate.ts'
import { startProgram } from '../scripts/lib/processes.ts'

const VERSION = '2026-07-28'
const HONEST = 8
/** Each honest user calls so often: below the default of `limits.callsPerMinute`. */
const EVERY_MS = 150
const TIMES = 10
const BODY = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: {
    name: 'up__echo',
    arguments: { text: 'm1', size: 100 },
    _meta: {
      'io.modelcontextprotocol/protocolVersion': VERSION,
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
})
const MOST_P99 = 5
const MOST_MEMORY_MB = 256
const RECOVERY_MS = 5_000

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } })
const floodMs = Number(values.seconds) * 1_000

await using open = new AsyncDisposableStack()
const upstream = startProgram({
  name: 'The upstream',
  command: process.execPath,
  args: [resolve(import.meta.dirname, 'harness/upstream.mjs'), '--port', '0'],
})
open.defer(async () => void (await upstream.stop()))
const [, url = ''] = await upstream.match(/upstream on (\S+)/, 30_000)

const sustainable = await measureRate()
const gate = open.use(await start({ callsPerMinute: 600 }))
const users = await Promise.all(Array.from({ length: HONEST }, (_none, index) => gate.addUser(`honest-${index}`)))
const { key: floodKey } = await gate.addUser('flood')
const pool = new Pool(gate.url, { connections: HONEST * 4 })
open.defer(() => pool.close())

await honest(2_000)
const normal = await honest(Math.max(5_000, floodMs / 4))
const memoryBefore = memoryOf(gate)
const flooder = startFlooder()
await flooder.match(/flooding/, 10_000)
let memoryMost = memoryBefore
const watching = setInterval(() => (memoryMost = Math.max(memoryMost, memoryOf(gate))), 200)
const flooded = await honest(floodMs)
clearInterval(watching)
flooder.signal('SIGTERM')
await flooder.ended
const recoveredMs = await timeToRecover()

console.log(`overload sustainable: ${sustainable.toFixed(0)} calls a second`)
console.log(`overload ${flooder.output().trim().split('\n').at(-1) ?? ''}`)
console.log(`overload honest alone: ${describe(normal)}`)
console.log(`overload honest in the flood: ${describe(flooded)}`)
const ratio = percentile(flooded.times, 0.99) / percentile(normal.times, 0.99)
const verdicts = [
  verdict(`p99 of honest clients: ${ratio.toFixed(2)} x normal`, ratio < MOST_P99, `below ${MOST_P99}`),
  verdict(`honest calls that failed: ${flooded.failed}`, flooded.failed === 0, 'none'),
  verdict(
    `memory: ${memoryBefore} MB before, ${memoryMost} MB at most`,
    memoryMost - memoryBefore < MOST_MEMORY_MB,
    `${MOST_MEMORY_MB} MB more`,
  ),
  verdict(`recovery: ${recoveredMs.toFixed(0)} ms`, recoveredMs <= RECOVERY_MS, `${RECOVERY_MS} ms`),
]
process.exitCode = verdicts.every(Boolean) ? 0 : 1

interface Tally {
  readonly times: number[]
  failed: number
}

function start(limits: object): Promise<Gate> {
  return startGate({
    config: { mcpServers: { up: { url } }, limits },
    env: { NODE_ENV: 'production', SEKISHO_LOG_FORMAT: 'json', SEKISHO_LOG_LEVEL: 'error' },
  })
}

/** How many calls a second the gate answers where nobody has to wait for a limit. */
async function measureRate(): Promise<number> {
  await using one = await start({ callsPerMinute: 1_000_000, concurrentCalls: 1_000 })
  const { key } = await one.addUser('all')
  const connections = new Pool(one.url, { connections: 32 })
  let count = 0
  const run = async (milliseconds: number) => {
    const until = performance.now() + milliseconds
    const clients = Array.from({ length: 32 }, async () => {
      while (performance.now() < until) if (await call(connections, key)) count++
    })
    await Promise.all(clients)
  }
  await run(2_000)
  count = 0
  await run(4_000)
  await connections.close()
  return count / 4
}

/** Every honest user calls now and then, whatever became of the call before. */
async function honest(milliseconds: number): Promise<Tally> {
  const tally: Tally = { times: [], failed: 0 }
  const calls: Promise<void>[] = []
  const until = performance.now() + milliseconds
  while (performance.now() < until) {
    for (const { key } of users) calls.push(timed(key, tally))
    await sleep(EVERY_MS)
  }
  await Promise.all(calls)
  return tally
}

async function timed(key: string, tally: Tally): Promise<void> {
  const began = performance.now()
  const isRight = await call(pool, key).catch(() => false)
  if (!isRight) tally.failed++
  tally.times.push(performance.now() - began)
}

/** How long it takes until a second is as it was before. */
async function timeToRecover(): Promise<number> {
  const began = performance.now()
  const wanted = percentile(normal.times, 0.99) * 2
  while (performance.now() - began < RECOVERY_MS * 4) {
    const at = performance.now()
    const { times, failed } = await honest(1_000)
    if (failed === 0 && percentile(times, 0.95) <= wanted) return at - began
  }
  return Infinity
}

async function call(connections: Pool, key: string): Promise<boolean> {
  const { statusCode, body } = await connections.request({
    path: '/mcp',
    method: 'POST',
    headers: headersFor(key),
    body: BODY,
  })
  const text = await body.text()
  return statusCode === 200 && text.includes('"result"')
}

function headersFor(key: string): Record<string, string> {
  return {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': VERSION,
    'mcp-method': 'tools/call',
    'mcp-name': 'up__echo',
  }
}

/** In a process of its own, and behind everybody else: what is measured is the gate, not this machine. */
function startFlooder() {
  const child = startProgram({
    name: 'The flood',
    command: process.execPath,
    args: [
      join(import.meta.dirname, 'harness/flood.mjs'),
      JSON.stringify({ url: gate.url, rate: sustainable * TIMES, headers: headersFor(floodKey), body: BODY }),
    ],
  })
  return child
}

function memoryOf({ pid }: Gate): number {
  const [, pages = '0'] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')
  return Math.round((Number(pages) * 4_096) / 1_048_576)
}

function percentile(times: readonly number[], share: number): number {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length * share)] ?? NaN
}

function describe({ times, failed }: Tally): string {
  const [median, late] = [percentile(times, 0.5), percentile(times, 0.99)]
  return `${times.length} calls, ${failed} failed, p50 ${median.toFixed(1)} ms, p99 ${late.toFixed(1)} ms`
}

function verdict(what: string, isKept: boolean, promise: string): boolean {
  console.log(`${isKept ? 'kept  ' : 'BROKEN'}  ${what} (promised: ${promise})`)
  return isKept
}
