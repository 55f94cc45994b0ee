import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

/** A request as this upstream got it. */
export interface Seen {
  readonly path: string
  readonly method: string
  readonly tool: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Whether the gate hung up before the whole answer was sent. */
  hungUp: boolean
}

export interface OddUpstream extends AsyncDisposable {
  readonly origin: string
  readonly seen: readonly Seen[]
  /** Lets go of every call of the tool `wait`. */
  release(): void
  /** Forgets every session. */
  forget(): void
}

interface Message {
  readonly id?: string | number
  readonly method: string
  readonly params?: {
    readonly name?: string
    readonly cursor?: string
    readonly arguments?: { readonly status?: number; readonly to?: string }
  }
}

/** Behaviours beside those below, by the name of the tool or of the list. */
export interface More {
  readonly tools?: Readonly<Record<string, Behave>>
  readonly lists?: Readonly<Record<string, Behave>>
}
type Behave = (call: Call) => void

export interface Call {
  readonly id: string | number
  readonly message: Message
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/**
 * An MCP server over HTTP that misbehaves. The first part of the path says which eras it speaks (`modern`,
 * `legacy`, `session`, `dual`) or how it fails to open, the second what its list of tools is like; the tool called, what the answer is.
 */
export async function startOddUpstream(more: More = {}): Promise<OddUpstream> {
  const seen: Seen[] = []
  const waiting: (() => void)[] = []
  const sessions = new Set<string>()
  let count = 0

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = await request.toArray()
    const body = Buffer.concat(chunks).toString()
    const message: Message = body === '' ? { method: '' } : JSON.parse(body)
    const { id, method, params } = message
    const one: Seen = {
      path: request.url ?? '',
      method,
      tool: params?.name ?? '',
      headers: request.headers,
      body,
      hungUp: false,
    }
    seen.push(one)
    response.on('close', () => (one.hungUp = !response.writableFinished))
    if (id === undefined) {
      if (one.path === '/halfway') return void response.socket?.resetAndDestroy()
      return void response.writeHead(202).end()
    }
    serve({ id, message, request, response })
  }

  function serve(call: Call): void {
    const [, era = '', list = ''] = (call.request.url ?? '').split('/')
    const { method, params } = call.message
    if (era === 'mute') return
    if (era === 'garbled') return garble(call)
    if (era === 'session' && method !== 'initialize' && !sessions.has(String(call.request.headers['mcp-session-id'])))
      return refuseSession(call)
    if (method === 'initialize' && era !== 'modern') return initialize(call, era)
    if (method === 'server/discover' && (era === 'modern' || era === 'dual')) return result(call, DISCOVERED)
    if (method === 'tools/list')
      return (more.lists?.[list] ?? lists[list] ?? plainList(Object.keys(more.tools ?? {})))(call)
    if (method !== 'tools/call') return failWith(call, 200, -32601)
    if (params?.name === 'wait') return void waiting.push(() => result(call, said('waited')))
    return (ownOf(more.tools, params?.name ?? '') ?? behaviourOf(params?.name ?? ''))(call)
  }

  function initialize(call: Call, era: string): void {
    const session = `session-${++count}`
    if (era === 'session') {
      sessions.add(session)
      call.response.setHeader('Mcp-Session-Id', session)
    }
    if (era === 'oddSession') call.response.setHeader('Mcp-Session-Id', 'a session \xe9')
    result(call, INITIALIZED)
  }

  const server = createServer((request, response) => void receive(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    release: () => waiting.splice(0).forEach((go) => go()),
    forget: () => sessions.clear(),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

const DISCOVERED = {
  resultType: 'complete',
  supportedVersions: ['2026-07-28'],
  capabilities: { tools: {} },
  ttlMs: 0,
  cacheScope: 'private',
}
const INITIALIZED = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: {} },
  serverInfo: { name: 'odd', version: '1' },
}

export const said = (text: string) => ({ content: [{ type: 'text', text }] })

/** Answers as a server should. */
export function result({ id, response }: Call, value: object): void {
  json(response, JSON.stringify({ jsonrpc: '2.0', id, result: { resultType: 'complete', ...value } }))
}

/** Answers with a text that says it is JSON. */
export function json(response: ServerResponse, text: string | Buffer, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'Content-Type': 'application/json', ...headers }).end(text)
}

function failWith({ id, response }: Call, status: number, code: number): void {
  const text = JSON.stringify({ jsonrpc: '2.0', id, error: { code, message: 'No' } })
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(text)
}

function garble({ id, response }: Call): void {
  json(response, `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{content: nothing}}`)
}

/** As the official SDK does it. */
function refuseSession({ response }: Call): void {
  const text = '{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}'
  response.writeHead(404, { 'Content-Type': 'application/json' }).end(text)
}

function stream({ response }: Call): ServerResponse {
  return response.writeHead(200, { 'Content-Type': 'text/event-stream' })
}

/** Writes the same again and again for as long as it is taken, `most` times at most. */
export function pour(response: ServerResponse, text: string, most = Infinity): void {
  let left = most
  const more = () => {
    while (left-- > 0 && !response.destroyed) if (!response.write(text)) return void response.once('drain', more)
    if (!response.destroyed) response.end()
  }
  more()
}

const echo = (call: Call) => result(call, said(JSON.stringify(call.message.params)))
const event = (message: object) => `data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`
const NOTE = {
  method: 'notifications/progress',
  params: { progressToken: 'p', progress: 1, message: 'x'.repeat(8_000) },
}

const tools: Readonly<Record<string, (call: Call) => void>> = {
  html: ({ response }) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<h1>Welcome</h1>'),
  htmlAsJson: ({ response }) => json(response, '<h1>Welcome</h1>'),
  longHtmlAsJson: ({ response }) => json(response, '<h1>Welcome</h1>'.repeat(20_000)),
  empty: ({ response }) => json(response, ''),
  noType: ({ response }) => response.writeHead(200).end(),
  cut: ({ id, response }) => json(response, `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"content":[`),
  wrongId: ({ response }) => json(response, '{"jsonrpc":"2.0","id":"another","result":{}}'),
  nullId: ({ response }) => json(response, '{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"Lost it"}}'),
  notRpc: ({ response }) => json(response, '{"hello":"world"}'),
  list: ({ response }) => json(response, '[1,2,3]'),
  inside: garble,
  asks: ({ response }) => json(response, '{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage"}'),
  status: ({ message, response }) =>
    response.writeHead(message.params?.arguments?.status ?? 500, { 'Content-Type': 'text/plain' }).end('No'),
  errorStatus: (call) => failWith(call, 400, -32602),
  redirect: ({ message, response }) =>
    response.writeHead(307, { Location: message.params?.arguments?.to ?? '/' }).end(),
  compressed: ({ response }) =>
    json(response, gzipSync(Buffer.alloc(64 * 1024 * 1024)), { 'Content-Encoding': 'gzip' }),
  silent: () => {},
  slowBody: ({ id, response }) =>
    response
      .writeHead(200, { 'Content-Type': 'application/json' })
      .write(`{"jsonrpc":"2.0","id":${JSON.stringify(id)}`),
  stalls: ({ id, response }) => {
    response.writeHead(200, { 'Content-Type': 'application/json' })
    response.write(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"text":"${'x'.repeat(200_000)}`)
  },
  endless: ({ id, response }) => {
    response.writeHead(200, { 'Content-Type': 'application/json' })
    response.write(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"text":"`)
    pour(response, 'x'.repeat(65_536))
  },
  tooLarge: ({ response }) =>
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '90000000' }).write('{'),
  long: (call) => result(call, said('x'.repeat(500_000))),
  ends: (call) => stream(call).end(event(NOTE)),
  junkEvent: (call) => stream(call).end('data: hello\n\n'),
  wrongIdEvent: (call) => stream(call).end(event({ id: 'another', result: {} })),
  hugeEvent: (call) => {
    stream(call).write('data: "')
    pour(call.response, 'x'.repeat(65_536), 1_600)
  },
  manyLines: (call) => pour(stream(call), 'data:\n'.repeat(10_000)),
  chatter: (call) => pour(stream(call), event(NOTE), 12_000),
  lingers: (call) => {
    stream(call)
    const timer = setInterval(() => call.response.write(event(NOTE)), 100)
    call.response.on('close', () => clearInterval(timer))
  },
  twice: (call) => {
    const answer = event({ id: call.id, result: { resultType: 'complete', ...said('once') } })
    stream(call).end(answer + answer + event(NOTE))
  },
  early: (call) => {
    call.response.writeEarlyHints({ link: '</style.css>; rel=preload' })
    result(call, said('in time'))
  },
  oddHeaders: ({ response }) => response.socket?.end('HTTP/1.1 200 OK\r\nX-\x01Odd: \x02\r\n\r\n{}'),
  notHttp: ({ response }) => response.socket?.end('220 mail.example.com ESMTP\r\n'),
  manyHeaders: ({ response }) => response.socket?.end(`HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\n{}`),
  reset: ({ response }) => response.socket?.resetAndDestroy(),
  resetInside: ({ id, response }) => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' })
    response.write(`{"jsonrpc":"2.0","id":${JSON.stringify(id)}`, () => response.socket?.resetAndDestroy())
  },
}

function behaviourOf(name: string): Behave {
  return ownOf(tools, name) ?? echo
}

function ownOf(behaviours: Readonly<Record<string, Behave>> = {}, name: string): Behave | undefined {
  return Object.hasOwn(behaviours, name) ? behaviours[name] : undefined
}

const tool = (name: string) => ({ name, inputSchema: { type: 'object' } })
const numbered = (length: number) => Array.from({ length }, (_none, index) => tool(`tool_${index}`))
const plainList = (more: readonly string[]) => (call: Call) =>
  result(call, { tools: ['echo', 'wait', ...Object.keys(tools), ...more].map(tool) })

export const LONG_NAME = 'n'.repeat(500)
export const ODD_NAMES = [LONG_NAME, 'bell\u0007', 'emoji 🎉', '__proto__', 'a'.repeat(80), `${'a'.repeat(80)}b`]

const lists: Readonly<Record<string, (call: Call) => void>> = {
  many: (call) => result(call, { tools: numbered(31_000) }),
  endless: (call) => result(call, { tools: [tool(`tool_${Math.random()}`)], nextCursor: 'more' }),
  odd: (call) =>
    result(call, {
      tools: [
        ...ODD_NAMES.map(tool),
        { title: 'no name' },
        { name: '' },
        { name: 7 },
        null,
        'text',
        tool('bell\u0007'),
      ],
    }),
  broken: ({ id, response }) =>
    json(
      response,
      `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"resultType":"complete","tools":[{"name":"whole"},{"name":"half","inputSchema":{]},{"name":"bare","x":no}]}}`,
    ),
  none: (call) => result(call, {}),
  refused: (call) => failWith(call, 200, -32603),
  unauthorized: ({ response }) => response.writeHead(401, { 'Content-Type': 'text/plain' }).end('No'),
}
