import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { createMalEmulator } from '@sekisho/playground/mal'
import { describe, expect, test } from 'vitest'
import { tools } from '../src/tools/table.ts'
import { readMessages, requestOf } from './support/call.ts'
import { entry, startStandIn } from './support/stand-in.ts'

const core = tools.filter(({ toolset }) => toolset === 'core').length
const bin = fileURLToPath(new URL('../src/bin.ts', import.meta.url))

describe('over stdio', () => {
  test.each(['auto', 'legacy'] as const)(
    'a client of either era reads the list of the environment (%s)',
    async (mode) => {
      await using standIn = await startStandIn()
      standIn.lists.set('static', [entry(7)])
      await using client = await connect(mode, { MAL_ACCESS_TOKEN: 'static', MAL_API_BASE_URL: standIn.apiBaseUrl })
      expect((await client.listTools()).tools).toHaveLength(core)
      const result = await client.callTool({ name: 'get_my_anime_list', arguments: {} })
      expect(result.structuredContent).toMatchObject({ entries: [{ id: 7 }] })
    },
  )

  test('R2-34, R2-35: without a token, or with a rejected one, the result says what to do', async () => {
    await using standIn = await startStandIn()
    await using none = await connect('auto', { MAL_API_BASE_URL: standIn.apiBaseUrl })
    expect(await none.callTool({ name: 'get_user_stats', arguments: {} })).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('MAL_REFRESH_TOKEN') }],
    })
    await using old = await connect('auto', { MAL_ACCESS_TOKEN: 'old', MAL_API_BASE_URL: standIn.apiBaseUrl })
    expect(await old.callTool({ name: 'get_user_stats', arguments: {} })).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('MyAnimeList rejected the access token') }],
    })
  })

  test('R2-05: the account of a refresh token signs itself in', async () => {
    await using standIn = await startStandIn()
    standIn.lists.set('renewed', [entry(7)])
    standIn.script.push({ status: 200, body: { access_token: 'renewed', expires_in: 3600 } })
    await using client = await connect('auto', {
      MAL_REFRESH_TOKEN: 'r',
      MAL_CLIENT_ID: 'c',
      MAL_CLIENT_SECRET: 's',
      MAL_API_BASE_URL: standIn.apiBaseUrl,
      MAL_TOKEN_URL: standIn.tokenUrl,
    })
    const result = await client.callTool({ name: 'get_my_anime_list', arguments: {} })
    expect(result.structuredContent).toMatchObject({ count: 1 })
    expect(Object.fromEntries(standIn.seen[0]?.form ?? [])).toMatchObject({ client_id: 'c', client_secret: 's' })
  })

  test('with a folder, a whole list is written there and a plan is kept there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mal-data-'))
    await using mal = createMalEmulator()
    const { url } = await mal.listen()
    await using client = await connect('auto', {
      MAL_ACCESS_TOKEN: mal.issueTokens('mika').accessToken,
      MAL_API_BASE_URL: `${url}/v2`,
      MAL_TOOLSETS: 'transfer',
      MAL_DATA_DIR: folder,
    })
    const { structuredContent: written } = await client.callTool({ name: 'export_list', arguments: {} })
    const { path } = written as { path: string }
    expect(path).toMatch(/exports\/mika-animelist-\d{4}-\d\d-\d\d\.xml$/)
    const file = await readFile(path, 'utf8')
    const { structuredContent } = await client.callTool({ name: 'import_list', arguments: { file } })
    expect(structuredContent).toMatchObject({ entries: 12, unchanged: 12, total: 0, unread: [] })
    await rm(folder, { recursive: true })
  })

  test('what is off without a folder is said at the start', async () => {
    const env = { MAL_TOOLSETS: 'core,bulk' }
    const off = await run([], env)
    expect(off).toMatchObject({ code: 0, out: '', log: expect.stringMatching(/MAL_DATA_DIR is not set.*mal_undo/) })
    expect(off.log).toContain('apply_plan')
    expect((await run([], { ...env, MAL_DATA_DIR: tmpdir() })).log).toBe('')
    expect((await run([], { MAL_TOOLSETS: 'community' })).log).toBe('')
  })

  test('ends when its client does', async () => {
    const child = spawn(process.execPath, [bin], { env: {}, stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdin.end()
    expect(await once(child, 'exit')).toEqual([0, null])
  })
})

describe('over HTTP', () => {
  test('R2-33: tools/list and tools/call are plain POSTs, without a session before them', async () => {
    await using standIn = await startStandIn()
    standIn.lists.set('ada', [entry(1)])
    standIn.lists.set('grace', [entry(2)])
    await using server = await start({ MAL_API_BASE_URL: standIn.apiBaseUrl })

    const listed = await post(server.url, { method: 'tools/list', params: {} })
    expect(listed.messages[0]?.result?.tools).toHaveLength(core)
    const call = { method: 'tools/call', params: { name: 'get_my_anime_list', arguments: {} } }
    const [ada, grace] = await Promise.all([post(server.url, call, 'ada'), post(server.url, call, 'grace')])
    expect(ada.messages[0]?.result?.structuredContent).toMatchObject({ entries: [{ id: 1 }] })
    expect(grace.messages[0]?.result?.structuredContent).toMatchObject({ entries: [{ id: 2 }] })

    expect(await post(server.url, call)).toMatchObject({ status: 401, challenge: 'Bearer' })
    expect(await post(server.url, call, 'old')).toMatchObject({
      status: 401,
      challenge: 'Bearer error="invalid_token"',
    })
  })

  test('R2-02: a 2026-07-28 request is answered in one exchange', async () => {
    await using standIn = await startStandIn()
    standIn.lists.set('ada', [entry(1)])
    await using server = await start({ MAL_API_BASE_URL: standIn.apiBaseUrl })
    const asked = requestOf('tools/call', { name: 'get_my_anime_list', arguments: {} })
    asked.headers.set('authorization', 'Bearer ada')
    const response = await fetch(server.url, {
      method: 'POST',
      headers: asked.headers,
      body: await asked.text(),
    })
    expect(await response.json()).toMatchObject({ result: { structuredContent: { count: 1 } } })
  })

  test('R2-06, R2-23: the header goes before the shared account, of which the log warns', async () => {
    await using standIn = await startStandIn()
    standIn.lists.set('shared', [entry(1)])
    standIn.lists.set('ada', [entry(2)])
    await using server = await start({ MAL_API_BASE_URL: standIn.apiBaseUrl, MAL_ACCESS_TOKEN: 'shared' })
    expect(server.log()).toContain('ONE shared account')
    const call = { method: 'tools/call', params: { name: 'get_my_anime_list', arguments: {} } }
    const idOf = async (token?: string) =>
      (await post(server.url, call, token)).messages[0]?.result?.structuredContent?.['entries']
    expect(await idOf()).toMatchObject([{ id: 1 }])
    expect(await idOf('ada')).toMatchObject([{ id: 2 }])

    // A header that is no bearer token is not a reason to hand out the shared account.
    const basic = await fetch(server.url, { method: 'POST', headers: { authorization: 'Basic YTpi' }, body: '{}' })
    expect(basic.status).toBe(401)
  })

  test('R0-53: what is counted is shown where that is wanted, and of nobody by name', async () => {
    await using standIn = await startStandIn()
    standIn.lists.set('renewed', [entry(1)])
    standIn.script.push({ status: 200, body: { access_token: 'renewed', expires_in: 3600 } })
    const api = { MAL_API_BASE_URL: standIn.apiBaseUrl, MAL_TOKEN_URL: standIn.tokenUrl }
    await using server = await start({ ...api, MAL_METRICS: '1', MAL_REFRESH_TOKEN: 'r', MAL_CLIENT_ID: 'c' })
    const call = { method: 'tools/call', params: { name: 'get_my_anime_list', arguments: {} } }
    expect(await post(server.url, call)).toMatchObject({ status: 200 })
    expect(await post(server.url, call, 'old')).toMatchObject({ status: 401 })
    standIn.script.push({ status: 403, body: '<html>', headers: { 'retry-after': '3600' } })
    await post(server.url, { ...call, params: { ...call.params, arguments: { offset: 5 } } })

    const shown = await fetch(new URL('/metrics', server.url))
    expect(shown.headers.get('content-type')).toContain('version=0.0.4')
    const lines = (await shown.text()).split('\n')
    const operations = 'sekisho_mal_operations_total'
    for (const line of [
      `${operations}{what="GET /users/@me/animelist",outcome="ok"} 1`,
      `${operations}{what="GET /users/@me/animelist",outcome="token_rejected"} 1`,
      `${operations}{what="GET /users/@me/animelist",outcome="throttled"} 1`,
      `${operations}{what="tool get_my_anime_list",outcome="ok"} 1`,
      `${operations}{what="tool get_my_anime_list",outcome="throttled"} 1`,
      'sekisho_mal_token_renewals_total{outcome="ok"} 1',
      'sekisho_mal_token_renewals_total{outcome="failed"} 0',
    ])
      expect(lines).toContain(line)
    expect(lines.filter((line) => /^sekisho_mal_operation_seconds_total\{.*\} [\d.e-]+$/.test(line)).length).toBe(
      lines.filter((line) => line.startsWith(`${operations}{`)).length,
    )
  })

  test('a page whose name was rebound to this machine is refused', async () => {
    await using server = await start({})
    const evil = await fetch(server.url, { method: 'POST', headers: { origin: 'https://evil.example' }, body: '{}' })
    expect(evil.status).toBe(403)
    for (const path of ['/', '/metrics']) expect((await fetch(new URL(path, server.url))).status).toBe(404)
  })

  test('a container is reached by any name, and pages of other origins are refused all the same', async () => {
    await using strict = await start({})
    await using open = await start({ ALLOWED_HOSTS: '*' })
    const named = { host: 'sekisho-mal:8000' }
    expect(await statusOf(strict.url, named)).toBe(403)
    expect(await statusOf(open.url, named)).toBe(200)
    expect(await statusOf(open.url, { ...named, origin: 'http://sekisho-mal:8000' })).toBe(403)
  })
})

describe('the command line', () => {
  test('shows help and version, and names what is wrong with the environment', async () => {
    expect(await run(['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('--http') })
    expect(await run(['--version'])).toMatchObject({ code: 0, out: '0.1.0\n' })
    expect(await run(['--htpp'])).toMatchObject({ code: 2, out: '', log: expect.stringContaining('--htpp') })
    expect(await run([], { MAL_REFRESH_TOKEN: 'r' })).toMatchObject({
      code: 2,
      out: '',
      log: expect.stringContaining('MAL_CLIENT_ID'),
    })
  })
})

async function connect(mode: 'auto' | 'legacy', env: Record<string, string>): Promise<Client & AsyncDisposable> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [bin], env }))
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() })
}

async function start(env: Record<string, string>) {
  const child = spawn(process.execPath, [bin, '--http'], {
    env: { ...env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  let out = ''
  child.stdout.on('data', (chunk) => (out += String(chunk)))
  child.stderr.on('data', (chunk) => (log += String(chunk)))
  await expect.poll(() => log, { timeout: 20_000 }).toContain('listening on')
  const url = /listening on (\S+)/.exec(log)?.[1] ?? ''
  return {
    url,
    log: () => log,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      expect(await once(child, 'exit')).toEqual([0, null])
      expect(out).toBe('')
    },
  }
}

/** What `tools/list` is answered with under another name: `fetch` would not send it. */
async function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  const sent = request(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
  })
  sent.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }))
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  response.resume()
  return response.statusCode
}

async function post(url: string, message: object, token?: string) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
  })
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    messages: readMessages(await response.text()),
  }
}

async function run(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [bin, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let log = ''
  child.stdout.on('data', (chunk) => (out += String(chunk)))
  child.stderr.on('data', (chunk) => (log += String(chunk)))
  const [code] = await once(child, 'close')
  return { code: Number(code), out, log }
}
