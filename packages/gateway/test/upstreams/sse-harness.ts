import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { systemClock } from '../../src/base/clock.ts'
import type { UpstreamId } from '../../src/base/ids.ts'
import { secret } from '../../src/base/secret.ts'
import type { Template } from '../../src/base/template.ts'
import { createPools } from '../../src/http/outbound.ts'
import { upstreamEras } from '../../src/mcp/eras/era.ts'
import type { Caller } from '../../src/upstreams/transport.ts'
import { createSseTransport } from '../../src/upstreams/transports/sse.ts'
import { ada, bob, logInto, until } from './children-harness.ts'

const require = createRequire(import.meta.url)

export const asAda: Caller = { tenant: ada.tenant, userId: ada.userId, token: secret('ada-token') }
export const asBob: Caller = { tenant: bob.tenant, userId: bob.userId, token: secret('bob-token') }

export interface SseSettings {
  readonly headers?: Readonly<Record<string, Template>>
  readonly startMs?: number
  readonly answerBytes?: number
}

/** The transport of HTTP+SSE with pools of its own, closed with the test. */
export function openSse(
  url: string | Template,
  { headers = {}, startMs = 10_000, answerBytes = 1e7 }: SseSettings = {},
) {
  const pools = createPools({ connections: 4, connectMs: 5_000 })
  const streamPools = createPools({ connections: 1_000, connectMs: 5_000 })
  const told: string[] = []
  const logged: string[] = []
  const transport = createSseTransport({
    upstream: 'old' as UpstreamId,
    url: typeof url === 'string' ? { kind: 'text', text: url } : url,
    headers,
    eras: upstreamEras,
    log: logInto(logged),
    clock: systemClock,
    settings: { answerBytes, startMs },
    poolFor: pools.get,
    streamPoolFor: streamPools.get,
    onNotification: ({ method }, { userId }) => void told.push(`${userId} ${method}`),
  })
  return {
    transport,
    told,
    logged,
    async [Symbol.asyncDispose]() {
      await transport.close()
      await Promise.all([pools.close(), streamPools.close()])
    },
  }
}

/** The reference server of npm over HTTP+SSE, a process of its own. */
export function startEverythingSse() {
  return startProgram([require.resolve('@modelcontextprotocol/server-everything/dist/index.js'), 'sse'], '/sse')
}

/** The example of the SDK, which listens at a port it has chosen, and so is given another. */
export async function startSimpleSse() {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-sse-'))
  const place = require.resolve('@modelcontextprotocol/sdk/server/mcp.js').replace('/cjs/', '/esm/')
  const examples = new URL('../examples/server/', pathToFileURL(place))
  const script = readFileSync(new URL('simpleSseServer.js', examples), 'utf8')
    .replace('const PORT = 3000', 'const PORT = Number(process.env.PORT)')
    .replaceAll(/from '(\.[^']+)'/g, (_whole, path: string) => `from '${new URL(path, examples).href}'`)
    .replaceAll(/from '(zod[^']*)'/g, (_whole, name: string) => `from '${pathToFileURL(require.resolve(name)).href}'`)
  const file = join(folder, 'simple.mjs')
  writeFileSync(file, script)
  const program = await startProgram([file], '/mcp')
  return {
    ...program,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function startProgram(args: readonly string[], path: string) {
  const port = await freePort()
  const child = spawn(process.execPath, args, { env: { ...process.env, PORT: String(port) }, stdio: 'ignore' })
  const origin = `http://127.0.0.1:${port}`
  const gone = new Promise((resolve) => child.once('exit', resolve))
  await until(() =>
    fetch(`${origin}/none`).then(
      ({ body }) => body?.cancel().then(() => true) ?? true,
      () => false,
    ),
  )
  return {
    url: origin + path,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A message that a scripted server was sent. */
export interface Posted {
  readonly id?: string | number
  readonly method?: string
  readonly params?: { readonly name?: string; readonly arguments?: Record<string, unknown>; readonly uri?: string }
}

/** One connection with a scripted server. */
export interface SseConnection {
  /** The headers of the GET, and the address it was for. */
  readonly request: IncomingMessage
  readonly posted: Posted[]
  send(message: object): void
  /** Sends an event of that very text. */
  sendText(text: string): void
  /** Ends the stream. */
  end(): void
}

export interface SseScript {
  /** What is told of where to post; a path with the number of the connection where it is left out. */
  endpoint?(number: number): string
  /** Answers the GET in place of a stream. */
  refuse?(request: IncomingMessage, response: ServerResponse): boolean
  /** Answers a POST; `undefined` for the usual 202. */
  status?(message: Posted, request: IncomingMessage): number | undefined | Promise<number | undefined>
  /** Takes a message once its POST was answered, and gives the result of a request; `undefined` for the usual one. */
  take?(message: Posted, connection: SseConnection): object | 'no answer' | undefined
}

/** A server of HTTP+SSE that does what a test tells it to. */
export async function startScriptedSse(script: SseScript = {}) {
  const connections: SseConnection[] = []
  const server = createServer(
    (request, response) => void (request.method === 'POST' ? post(request, response) : open(request, response)),
  )

  function open(request: IncomingMessage, response: ServerResponse): void {
    if (script.refuse?.(request, response)) return
    const number = connections.length
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write(`event: endpoint\ndata: ${script.endpoint?.(number) ?? `/post?number=${number}`}\n\n`)
    const sendText = (text: string) => void response.write(`event: message\ndata: ${text}\n\n`)
    connections.push({
      request,
      posted: [],
      send: (message) => sendText(JSON.stringify({ jsonrpc: '2.0', ...message })),
      sendText,
      end: () => void response.end(),
    })
  }

  async function post(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { searchParams } = new URL(request.url ?? '', 'http://x')
    const connection = connections[Number(searchParams.get('number'))]
    const chunks: Buffer[] = await request.toArray()
    const message: Posted = JSON.parse(Buffer.concat(chunks).toString())
    connection?.posted.push(message)
    response.writeHead((await script.status?.(message, request)) ?? 202).end('Accepted')
    if (response.statusCode >= 300 || !connection) return
    const result = script.take?.(message, connection) ?? usualResult(message)
    if (message.id === undefined || message.method === undefined || result === 'no answer') return
    connection.send({ id: message.id, result })
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `${origin}/events`,
    origin,
    connections,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

function usualResult({ method, params }: Posted): object {
  if (method === 'initialize') {
    const capabilities = { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} }
    return { protocolVersion: '2024-11-05', capabilities, serverInfo: { name: 'scripted', version: '1' } }
  }
  if (method === 'tools/call') return { content: [{ type: 'text', text: String(params?.name) }] }
  return {}
}
