import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { createMalEmulator } from '@sekisho/playground/mal'

const bin = fileURLToPath(new URL('../../src/bin.ts', import.meta.url))

export interface Crash {
  readonly user: string
  /** How many entries are to be changed. */
  readonly items: number
  /** After how many changes the server is killed, each time. */
  readonly killAfter: readonly number[]
}

export interface CrashReport {
  /** Ids whose entry is not as it was to be. */
  readonly wrong: readonly number[]
  /** Ids that were written more than once, or not at all. */
  readonly notOnce: readonly number[]
  /** What the last call said. */
  readonly last: Record<string, unknown>
  readonly kills: number
  readonly calls: number
  readonly requests: Readonly<Record<string, number>>
  readonly milliseconds: { readonly plan: number; readonly carryOut: number; readonly undo: number }
  /** The most memory that one of the processes took, where the system says. */
  readonly mostMegabytes: number | undefined
  /** How many entries the undo put back, and which are not as they were before. */
  readonly undone: { readonly done: number; readonly wrong: readonly number[] }
}

/**
 * Changes many entries over stdio, kills the server (SIGKILL) in the middle, starts another, and goes on until nothing is
 * left; then undoes all of it. MyAnimeList is emulated, and a door in front of it counts what comes.
 */
export async function crashAndResume({ user, items, killAfter }: Crash): Promise<CrashReport> {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-mal-crash-'))
  await using emulator = createMalEmulator({ seed: 7 })
  const { url } = await emulator.listen()
  const token = emulator.issueTokens(user).accessToken
  await using door = await openDoor(url)
  const servers: Running[] = []
  const start = async () => {
    const server = await startServer({ apiBaseUrl: `${door.url}/v2`, token, folder })
    servers.push(server)
    return server
  }
  try {
    const before = await readTags(`${url}/v2`, token)
    const ids = [...before.keys()].slice(0, items)
    const began = performance.now()
    let server = await start()
    const plan = await server.call('plan_bulk_update', { ids, change: { tags: ['crashed', 'and resumed'] } })
    const planned = performance.now()
    const id = String(plan['plan_id'])

    let calls = 1
    for (const writes of killAfter) {
      const killed = server.kill(() => door.writes() >= writes)
      await server.call(calls === 1 ? 'apply_plan' : 'resume_operation', nameOf(calls, id)).catch(() => undefined)
      await killed
      server = await start()
      calls += 1
    }
    let last = await server.call('resume_operation', { operation_id: id })
    for (calls += 1; Number(last['not_yet']) > 0; calls += 1) {
      last = await server.call('resume_operation', { operation_id: id })
    }
    const carried = performance.now()
    const after = await readTags(`${url}/v2`, token)
    const wrong = ids.filter((one) => after.get(one) !== 'and resumed,crashed')
    const notOnce = ids.filter((one) => door.written.get(`/v2/anime/${one}/my_list_status`) !== 1)
    const requests = { ...door.counts }

    const undone = await undoAll(server)
    const ended = performance.now()
    const restored = await readTags(`${url}/v2`, token)
    return {
      wrong,
      notOnce,
      last,
      kills: killAfter.length,
      calls,
      requests,
      milliseconds: { plan: planned - began, carryOut: carried - planned, undo: ended - carried },
      mostMegabytes: await mostMemory(server),
      undone: { done: undone, wrong: [...before.keys()].filter((one) => restored.get(one) !== before.get(one)) },
    }
  } finally {
    for (const server of servers) await server.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function undoAll(server: Running): Promise<number> {
  let undone = await server.call('mal_undo', {})
  while (Number(undone['not_yet']) > 0) {
    const ended = await server.call('resume_operation', { operation_id: undone['operation_id'] })
    undone = { ...undone, ...ended }
  }
  return Number(undone['done'])
}

function nameOf(calls: number, id: string): Record<string, string> {
  return calls === 1 ? { plan_id: id } : { operation_id: id }
}

interface Running {
  readonly pid: number
  call(tool: string, args: object): Promise<Record<string, unknown>>
  /** Ends it without a chance to do anything, as soon as it is time; resolves when it is dead. */
  kill(isTime: () => boolean): Promise<void>
  close(): Promise<void>
}

interface Place {
  readonly apiBaseUrl: string
  readonly token: string
  readonly folder: string
}

async function startServer({ apiBaseUrl, token, folder }: Place): Promise<Running> {
  const env = {
    MAL_ACCESS_TOKEN: token,
    MAL_API_BASE_URL: apiBaseUrl,
    MAL_DATA_DIR: folder,
    MAL_TOOLSETS: 'all',
    MAL_REQUESTS_PER_SECOND: '1000',
    MAL_REQUESTS_PER_HOUR: '1000000',
    MAL_REQUESTS_PER_DAY: '1000000',
  }
  const client = new Client({ name: 'crash', version: '1' })
  const transport = new StdioClientTransport({ command: process.execPath, args: [bin], env })
  await client.connect(transport)
  const pid = transport.pid ?? 0
  const closed = Promise.withResolvers<void>()
  Object.assign(client, { onclose: closed.resolve })

  return {
    pid,
    async call(name, args) {
      const result = await client.callTool({ name, arguments: { ...args } }, { timeout: 300_000 })
      if (result.isError === true) throw new Error(JSON.stringify(result.content))
      return Object.assign({}, result.structuredContent)
    },
    async kill(isTime) {
      while (!isTime()) await new Promise((resolve) => setTimeout(resolve, 1))
      process.kill(pid, 'SIGKILL')
      await closed.promise
    },
    close: () => client.close(),
  }
}

/** Lets everything through to the emulator, and counts it. */
async function openDoor(to: string) {
  const written = new Map<string, number>()
  const counts = { GET: 0, PATCH: 0, DELETE: 0 }
  const server = createServer((req, res) => {
    const { method = 'GET', url = '/', headers } = req
    if (method === 'GET' || method === 'PATCH' || method === 'DELETE') counts[method] += 1
    if (method !== 'GET') written.set(url, (written.get(url) ?? 0) + 1)
    const onward = request(new URL(url, to), { method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(res)
    })
    onward.on('error', () => res.destroy())
    req.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    written,
    counts,
    writes: () => counts.PATCH + counts.DELETE,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The tags of every entry, sorted and joined, by id. */
async function readTags(apiBaseUrl: string, token: string): Promise<Map<number, string>> {
  const tags = new Map<number, string>()
  for (let offset = 0; ; offset += 1000) {
    const url = `${apiBaseUrl}/users/@me/animelist?limit=1000&offset=${offset}&nsfw=true&fields=list_status{tags}`
    const page = JSON.parse(await (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).text())
    for (const { node, list_status: status } of page.data) tags.set(node.id, status.tags.toSorted().join(','))
    if (page.paging.next === undefined) return tags
  }
}

async function mostMemory({ pid }: Running): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]
  return kilobytes === undefined ? undefined : Math.round(Number(kilobytes) / 1024)
}
