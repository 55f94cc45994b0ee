import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { createMalEmulator } from '../packages/playground/src/mal/emulator.ts'
import { readArguments } from '../scripts/lib/arguments.ts'
import { packGateway } from '../scripts/lib/package.ts'

const ENTRIES = 25_000
/** Pages of 1000; a file also says whose list it is. */
const PROMISE = { megabytes: 150, requests: 26 }

const HELP = `What the MyAnimeList server needs for a list of 25,000 entries: time, the most memory its process ever held (Linux),
requests. Each time it is a new process of the package as it is published, over stdio, in front of the emulated
MyAnimeList and at the usual pace of one request a second. Exits with 1 beyond the promise.

  npm run large -w packages/mal [-- options]

  --fast   without waiting
  --help   this text`

const isFast = readArguments(HELP, { options: { fast: { type: 'boolean' } } }).values.fast === true

/** What reads a whole list. */
const calls = [
  { about: 'list', tool: 'analyze_taste', args: {} },
  { about: 'search', tool: 'search_my_list', args: { query: 'score>=9 sort:mean desc', limit: 100 } },
  { about: 'statistics', tool: 'get_user_stats', args: {} },
  { about: 'export, xml', tool: 'export_list', args: { format: 'xml' } },
  { about: 'export, json', tool: 'export_list', args: { format: 'json' } },
  { about: 'export, html', tool: 'export_list', args: { format: 'html' } },
]

const folder = mkdtempSync(join(tmpdir(), 'sekisho-mal-large-'))
await using mal = createMalEmulator()
const { url } = await mal.listen()
const { accessToken } = mal.issueTokens('collector')
try {
  const bin = await install()
  for (const { about, tool, args } of calls) await measure(bin, about, { name: tool, arguments: args })
} finally {
  rmSync(folder, { recursive: true })
}

/** The package as it is published; what it depends on is here already. */
async function install(): Promise<string> {
  execFileSync('tar', ['-xzf', await packGateway(folder), '-C', folder])
  symlinkSync(resolve(import.meta.dirname, '../node_modules'), join(folder, 'package/node_modules'))
  return join(folder, 'package/dist-mal/bin.js')
}

async function measure(bin: string, about: string, params: object): Promise<void> {
  const server = spawn(process.execPath, [bin], {
    env: {
      MAL_ACCESS_TOKEN: accessToken,
      MAL_API_BASE_URL: `${url}/v2`,
      MAL_TOOLSETS: 'all',
      MAL_MAX_ENTRIES: String(2 * ENTRIES),
      MAL_DATA_DIR: join(folder, 'data'),
      ...(isFast && { MAL_REQUESTS_PER_SECOND: '100' }),
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ask = createClient(server)
  await ask('tools/list', {})
  const idle = peakOf(server)
  const requestsBefore = mal.requests.length
  const began = performance.now()
  const answer = await ask('tools/call', params)
  const seconds = (performance.now() - began) / 1000
  const peak = peakOf(server)
  const requests = mal.requests.length - requestsBefore
  server.kill()

  const isWhole = answer.includes(`"total":${ENTRIES}`)
  console.log(
    `${about.padEnd(14)} ${seconds.toFixed(1)} s, ${requests} requests, ${peak} MB at most (${idle} MB before), answer of ` +
      `${(answer.length / 1e6).toFixed(1)} MB${isWhole ? '' : `: NOT WHOLE ${answer.slice(0, 300)}`}`,
  )
  if (!isWhole || peak >= PROMISE.megabytes || requests > PROMISE.requests) process.exitCode = 1
}

/** Speaks as clients of 2025 do. Answers are lines, and come in the order of the questions. */
function createClient({ stdin, stdout }: ChildProcess): (method: string, params: object) => Promise<string> {
  if (stdin === null || stdout === null) throw new Error('the server has no pipes')
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  const send = (message: object) => stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  const clientInfo = { name: 'bench', version: '1' }
  let id = 0
  send({ id, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo } })
  send({ method: 'notifications/initialized' })

  return async (method, params) => {
    id += 1
    send({ id, method, params })
    for (;;) {
      const { done, value } = await lines.next()
      if (done) throw new Error('the server ended')
      if (value.includes(`"id":${id}`)) return value
    }
  }
}

/** The most physical memory a process ever held, in MB; 0 where the system does not tell. */
function peakOf({ pid }: ChildProcess): number {
  if (process.platform !== 'linux') return 0
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round((Number(kilobytes) * 1024) / 1e6)
}
