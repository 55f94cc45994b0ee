import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { readArguments } from '../scripts/lib/arguments.ts'
import { freePort } from '../scripts/lib/free-port.ts'
import { startProgram } from '../scripts/lib/processes.ts'

/**
 * What a fresh client per call costs against one that is kept: over stdio a process with its handshake, over
 * HTTP a session with its handshake. The gate keeps what this shows to be dear (`docs/decisions/0009`).
 */
const ROUNDS = 10
const CALLS = 200

const HELP = `What a fresh client per call costs against one that is kept, over stdio and over HTTP.

  npm run bench:fresh

It takes no options.`

readArguments(HELP, {})

const initialize = {
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
}

await measureStdio()
await measureHttp()

async function measureStdio(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'sekisho-bench-'))
  const fresh: number[] = []
  const kept: number[] = []
  let memoryMb = 0
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now()
    const child = await startMemoryServer(directory)
    await child.call('read_graph')
    fresh.push(performance.now() - began)
    for (let call = 0; call < CALLS / ROUNDS; call++) kept.push(await timed(() => child.call('read_graph')))
    memoryMb = child.memoryMb()
    await child.end()
  }
  rmSync(directory, { recursive: true })
  say('stdio', fresh, kept)
  console.log(`bench stdio child: ${memoryMb.toFixed(0)} MB each`)
}

async function startMemoryServer(directory: string) {
  const script = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-memory/dist/index.js')
  const env = { ...process.env, MEMORY_FILE_PATH: join(directory, 'graph.jsonl') }
  const child = spawn(process.execPath, [script], { env, stdio: ['pipe', 'pipe', 'ignore'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ask = async (message: object) => {
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, ...message })}\n`)
    await lines.next()
  }
  await ask(initialize)
  child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
  return {
    call: (name: string) => ask({ method: 'tools/call', params: { name, arguments: {} } }),
    memoryMb() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
    },
    async end() {
      const ended = once(child, 'exit')
      child.kill()
      await ended
    },
  }
}

async function measureHttp(): Promise<void> {
  const port = await freePort()
  const script = join(import.meta.dirname, 'harness/upstream.mjs')
  const args = [script, '--port', String(port), '--sessions', 'on']
  const upstream = startProgram({ name: 'The upstream', command: process.execPath, args })
  await upstream.match(/upstream on/, 10_000)
  const url = `http://127.0.0.1:${port}/mcp`
  const post = (session: string, message: object, method = 'POST') =>
    fetch(url, {
      method,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(session === '' ? {} : { 'mcp-session-id': session }),
      },
      ...(method === 'POST' ? { body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }) } : {}),
    })
  const open = async () => {
    const session = (await post('', initialize)).headers.get('mcp-session-id') ?? ''
    await post(session, { id: undefined, method: 'notifications/initialized' })
    return session
  }
  const call = async (session: string) => {
    await (await post(session, { method: 'tools/call', params: { name: 'echo', arguments: { text: 'x' } } })).text()
  }
  const session = await open()
  const fresh: number[] = []
  const kept: number[] = []
  for (let round = 0; round < CALLS; round++) {
    fresh.push(
      await timed(async () => {
        const own = await open()
        await call(own)
        await post(own, {}, 'DELETE')
      }),
    )
    kept.push(await timed(() => call(session)))
  }
  await upstream.stop()
  say('http', fresh, kept)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

function say(kind: string, fresh: readonly number[], kept: readonly number[]): void {
  const [a, b] = [median(fresh), median(kept)]
  console.log(`bench ${kind}: fresh ${a.toFixed(2)} ms, kept ${b.toFixed(2)} ms per call, ${(a / b).toFixed(0)} x`)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
