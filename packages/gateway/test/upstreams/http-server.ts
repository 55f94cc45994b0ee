import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Era = 'legacy' | 'modern'
type Json = Record<string, unknown>

/** A request as the server got it. */
export interface Seen {
  readonly http: string
  readonly headers: IncomingHttpHeaders
  readonly session: string | undefined
  readonly text: string
  readonly method: string
  readonly id: string | number | undefined
  readonly params: Json
  /** Whether the gate hung up before it was answered in full. */
  hungUp: boolean
}

/** One that can be answered. */
export interface Call extends Seen {
  readonly response: ServerResponse
  result(result?: Json): void
  fail(code: number, status?: number): void
  /** Begins a stream of events, with nothing in it yet. */
  stream(): void
  /** Writes an event into it, with an id and a time to come back where they are given. */
  event(message: Json | undefined, more?: { id?: string; retry?: number }): void
  /** Asks something of its own in it, and waits for the reply that is posted. */
  ask(id: string | number, method: string, params?: Json): Promise<Seen>
  /** Writes the answer into it, and ends it. */
  answer(result?: Json, more?: { id?: string }): void
}

/** What the server does where it does not do the usual. */
export interface Script {
  readonly era: Era
  readonly port?: number
  readonly capabilities?: Json
  /** What is done with a tool that is called; it says its arguments where there is none of that name. */
  readonly tools?: Readonly<Record<string, (call: Call) => unknown>>
  /** What is done with other requests. */
  readonly methods?: Readonly<Record<string, (call: Call) => unknown>>
  /** What is answered to GET. */
  readonly get?: (call: Call) => unknown
}

export interface HttpServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly seen: Seen[]
  /** The streams that are open: of GET, or of requests to listen. */
  readonly streams: Call[]
  /** Sessions that are open. */
  readonly sessions: Set<string>
  /** What was seen of a method: of JSON-RPC, or of HTTP where it carries none. */
  of(method: string): Seen[]
  /** The reply that is posted to a request of the server's own. */
  reply(id: string | number): Promise<Seen>
  /** Writes a message into every open stream. */
  tell(message: Json): void
  /** Breaks every open stream. */
  cut(): void
}

const REVISIONS: Readonly<Record<Era, string>> = { legacy: '2025-11-25', modern: '2026-07-28' }
const ALL = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  logging: {},
}

/** An MCP server over HTTP that does to the byte what a test tells it to, and the usual otherwise. */
export async function startHttpServer(script: Script): Promise<HttpServer> {
  const { era, capabilities = ALL, tools = {}, methods = {}, get = (call) => call.stream() } = script
  const seen: Seen[] = []
  const streams: Call[] = []
  const sessions = new Set<string>()
  const replies = new Map<string | number, PromiseWithResolvers<Seen>>()

  const replyTo = (id: string | number) => {
    const known = replies.get(id)
    if (known) return known
    const fresh = Promise.withResolvers<Seen>()
    replies.set(id, fresh)
    return fresh
  }

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = await read(request, response, (id) => replyTo(id).promise)
    seen.push(call)
    response.on('close', () => (call.hungUp = !response.writableFinished))
    if (call.http === 'DELETE') {
      sessions.delete(call.session ?? '')
      return void response.writeHead(204).end()
    }
    if (era === 'legacy' && call.method !== 'initialize' && !sessions.has(call.session ?? '')) return lose(call)
    if (call.http === 'GET') return follow(call, get)
    if (call.method === '' && call.id !== undefined) replyTo(call.id).resolve(call)
    if (call.method === '' || call.id === undefined) return void response.writeHead(202).end()
    serve(call)
  }

  function serve(call: Call): void {
    const own = methods[call.method]
    if (own) return void own(call)
    if (call.method === 'initialize' && era === 'legacy') return initialize(call)
    if (call.method === 'server/discover' && era === 'modern') return call.result(discovered(capabilities))
    if (call.method === 'subscriptions/listen' && era === 'modern') return listen(call)
    if (call.method === 'tools/call') return void (tools[String(call.params['name'])] ?? echo)(call)
    if (era === 'legacy' && LEGACY.has(call.method)) return call.result()
    call.fail(-32601, era === 'modern' ? 404 : 200)
  }

  function initialize(call: Call): void {
    const session = `session-${Math.random()}`
    sessions.add(session)
    call.response.setHeader('Mcp-Session-Id', session)
    call.result({ protocolVersion: REVISIONS.legacy, capabilities, serverInfo: { name: 'scripted', version: '1' } })
  }

  function listen(call: Call): void {
    follow(call, () => {
      call.stream()
      const params = { notifications: call.params['notifications'], _meta: tie(call) }
      call.event({ method: 'notifications/subscriptions/acknowledged', params })
    })
  }

  function follow(call: Call, begin: (call: Call) => unknown): void {
    streams.push(call)
    call.response.on('close', () => void streams.splice(streams.indexOf(call), 1))
    begin(call)
  }

  const server = createServer((request, response) => void receive(request, response))
  await new Promise<void>((resolve) => server.listen(script.port ?? 0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    port,
    seen,
    streams,
    sessions,
    of: (method) => seen.filter((one) => one.method === method || (one.method === '' && one.http === method)),
    reply: (id) => replyTo(id).promise,
    tell: (message) => streams.forEach((call) => call.event(era === 'legacy' ? message : tied(message, call))),
    cut: () => [...streams].forEach(({ response }) => response.destroy()),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

const LEGACY = new Set(['ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe', 'tools/list'])

const discovered = (capabilities: Json) => ({
  supportedVersions: [REVISIONS.modern],
  capabilities,
  instructions: 'Be kind.',
  ttlMs: 0,
  cacheScope: 'private',
})

const tie = ({ id }: Call) => ({ 'io.modelcontextprotocol/subscriptionId': id })

function tied(message: Json, call: Call): Json {
  return { ...message, params: { ...(message['params'] as Json | undefined), _meta: { own: 1, ...tie(call) } } }
}

const echo = (call: Call) => call.result({ content: [{ type: 'text', text: JSON.stringify(call.params) }] })

/** As the official SDK does it. */
function lose({ response }: Call): void {
  const text = '{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}'
  response.writeHead(404, { 'Content-Type': 'application/json' }).end(text)
}

async function read(
  request: IncomingMessage,
  response: ServerResponse,
  replyTo: (id: string | number) => Promise<Seen>,
): Promise<Call> {
  const text = Buffer.concat((await request.toArray()) as Buffer[]).toString()
  const message = text === '' ? {} : (JSON.parse(text) as { method?: string; id?: string | number; params?: Json })
  const { method = '', id, params = {} } = message
  const { headers, method: http = '' } = request
  const session = headers['mcp-session-id']
  const respond = (status: number, body: Json) =>
    response
      .writeHead(status, { 'Content-Type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', id, ...body }))
  const call: Call = {
    http,
    headers,
    session: Array.isArray(session) ? session[0] : session,
    text,
    method,
    id,
    params,
    hungUp: false,
    response,
    result: (result = {}) => void respond(200, { result: { resultType: 'complete', ...result } }),
    fail: (code, status = 200) => void respond(status, { error: { code, message: 'No' } }),
    stream: () => response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders(),
    event(one, { id: eventId, retry } = {}) {
      const lines = [
        ...(eventId === undefined ? [] : [`id: ${eventId}`]),
        ...(retry === undefined ? [] : [`retry: ${retry}`]),
        one === undefined ? 'data: ' : `data: ${JSON.stringify({ jsonrpc: '2.0', ...one })}`,
      ]
      response.write(`${lines.join('\n')}\n\n`)
    },
    ask(own, asked, params) {
      call.event({ id: own, method: asked, ...(params ? { params } : {}) })
      return replyTo(own)
    },
    answer(result = {}, more = {}) {
      call.event({ id, result: { resultType: 'complete', ...result } }, more)
      response.end()
    },
  }
  return call
}
