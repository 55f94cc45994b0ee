/**
 * What honest clients notice while somebody floods the gate.
 *
 * The gate, its upstream, the flood and the honest clients (here) are processes of their own. How late this one was is
 * printed: that much of what they wait is no fault of the gate.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { readArguments } from '../scripts/lib/arguments.ts'
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

/** The flood goes last for the processor: a little may be missing where the machine is busy. */
const LEAST_TIMES = 9
const CALM_MS = 5_000
const LOOK_MS = 200
const RESOLUTION_MS = 10

const HELP = `What honest clients notice while somebody floods the gate with ten times what it can do. Prints every figure and a
verdict for each promise; exits with 1 where one is not kept.

  npm run overload [-- options]

  --seconds N      how long the flood lasts (default 60)
  --addresses N    from how many addresses it comes (default 1)
  --connections N  over how many connections (default 256)
  --help           this text`

const { values } = readArguments(HELP, {
  options: {
    seconds: { type: 'string', default: '60' },
    addresses: { type: 'string', default: '1' },
    connections: { type: 'string', default: '256' },
  },
})
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
const normal = await honest(Math.max(15_000, floodMs / 4))
const memoryBefore = memoryOf(gate)
const flooder = startFlooder()
await flooder.match(/flooding/, 10_000)
let memoryMost = memoryBefore
const watching = setInterval(() => (memoryMost = Math.max(memoryMost, memoryOf(gate))), LOOK_MS)
const usedBefore = processorOf(gate)
const flooded = await honest(floodMs)
const used = (processorOf(gate) - usedBefore) / floodMs
clearInterval(watching)
flooder.signal('SIGTERM')
await flooder.ended
const flood = JSON.parse(flooder.output().trim().split('\n').at(-1) ?? '{}') as Flood
const recoveredMs = await timeToRecover()
const calm = await honest(CALM_MS)

console.log(`overload sustainable: ${sustainable.toFixed(0)} calls a second`)
console.log(`overload flood: ${describeFlood(flood)}`)
for (const [limit, count] of await refusals()) console.log(`overload refused by ${limit}: ${count}`)
console.log(`overload honest alone: ${describe(normal)}`)
console.log(`overload honest in the flood: ${describe(flooded)}`)
console.log(`overload honest afterwards: ${describe(calm)}`)
console.log(`overload gate in the flood: ${(used * 100).toFixed(0)} % of a processor`)
console.log(`overload memory: ${memoryBefore} MB before, ${memoryMost} MB at most, ${memoryOf(gate)} MB afterwards`)
const times = flood.perSecond / sustainable
const ratio = percentile(flooded.times, 0.99) / percentile(normal.times, 0.99)
const verdicts = [
  verdict(`flood: ${times.toFixed(1)} x what is sustainable`, times >= LEAST_TIMES, `at least ${LEAST_TIMES}`),
  verdict(`p99 of honest clients: ${ratio.toFixed(2)} x normal`, ratio < MOST_P99, `below ${MOST_P99}`),
  verdict(`honest calls that failed: ${flooded.failed}`, flooded.failed === 0, 'none'),
  verdict(
    `memory: ${memoryMost - memoryBefore} MB more`,
    memoryMost - memoryBefore < MOST_MEMORY_MB,
    `below ${MOST_MEMORY_MB} MB`,
  ),
  verdict(`recovery: ${recoveredMs.toFixed(0)} ms`, recoveredMs <= RECOVERY_MS, `${RECOVERY_MS} ms`),
]
process.exitCode = verdicts.every(Boolean) ? 0 : 1

interface Flood {
  /** Requests written, whether the gate read them or not. */
  readonly perSecond: number
  /** Its connections that were ended. */
  readonly closed: number
  readonly answers: Readonly<Record<string, number>>
}

interface Tally {
  readonly times: number[]
  failed: number
  /** How late the clients themselves were, in milliseconds. */
  late: number
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
  const tally: Tally = { times: [], failed: 0, late: 0 }
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  const calls: Promise<void>[] = []
  const until = performance.now() + milliseconds
  while (performance.now() < until) {
    for (const { key } of users) calls.push(timed(key, tally))
    await sleep(EVERY_MS)
  }
  await Promise.all(calls)
  delay.disable()
  tally.late = Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS)
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

function startFlooder() {
  const { addresses, connections } = values
  const settings = { addresses: Number(addresses), connections: Number(connections) }
  const flood = { url: gate.url, rate: sustainable * TIMES, headers: headersFor(floodKey), body: BODY, ...settings }
  return startProgram({
    name: 'The flood',
    command: process.execPath,
    args: [join(import.meta.dirname, 'harness/flood.mjs'), JSON.stringify(flood)],
  })
}

/** What the gate counts of its refusals, by the setting that is the limit. */
async function refusals(): Promise<[limit: string, count: number][]> {
  const { body } = await gate.admin('GET', '/metrics')
  const found = String(body).matchAll(/^sekisho_refused_total\{limit="([^"]+)"\} (\d+)$/gm)
  return [...found].map(([, limit = '', count]) => [limit, Number(count)])
}

function memoryOf({ pid }: Gate): number {
  const [, pages = '0'] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')
  return Math.round((Number(pages) * 4_096) / 1_048_576)
}

/** What it has used of the processors so far, in milliseconds. @see proc_pid_stat(5): utime, stime */
function processorOf({ pid }: Gate): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function percentile(times: readonly number[], share: number): number {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length * share)] ?? NaN
}

function describe({ times, failed, late }: Tally): string {
  const [median, slow, most] = [percentile(times, 0.5), percentile(times, 0.99), Math.max(...times)]
  const waited = `p50 ${median.toFixed(1)} ms, p99 ${slow.toFixed(1)} ms, at most ${most.toFixed(0)} ms`
  return `${times.length} calls, ${failed} failed, ${waited}; the clients’ own p99 of delay ${late.toFixed(1)} ms`
}

function describeFlood({ perSecond, closed, answers }: Flood): string {
  const said = Object.entries(answers).map(([status, count]) => `${count} answered ${status}`)
  return [`${perSecond.toFixed(0)} requests a second written`, ...said, `${closed} connections ended`].join(', ')
}

function verdict(what: string, isKept: boolean, promise: string): boolean {
  console.log(`${isKept ? 'kept  ' : 'BROKEN'}  ${what} (promised: ${promise})`)
  return isKept
}
