import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { createServer as createPipeServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { asServerWrites, throughEvents, type ServerKind } from './allowed.ts'
import { NAME, type Answering } from './case.ts'

/** A request as the server got it. */
export interface Got {
  readonly bytes: Buffer
  /** As JSON texts. */
  readonly id: string
  readonly token: string
  readonly headers: IncomingHttpHeaders
}

/** A server that answers to the byte what a test has laid down for it, and keeps what it got. */
export interface Upstream extends AsyncDisposable {
  readonly kind: ServerKind
  /** Where it is, where it is reached over HTTP. */
  readonly url: string
  /** Its entry in a configuration. */
  readonly entry: object
  /** What it says to the next request. */
  next: Answering | undefined
  got: Got | undefined
}

const PIPE = `${import.meta.dirname}/fixtures/pipe.mjs`
const SESSION = 'session-0123456789'

export function startUpstream(kind: ServerKind, personal: boolean): Promise<Upstream> {
  return kind.transport === 'http' ? startHttp(kind, personal) : startPipe(kind)
}

interface Message {
  readonly id?: unknown
  readonly method: string
  readonly params?: { readonly _meta?: { readonly progressToken?: unknown } }
}

function gotOf(bytes: Buffer, { id, params }: Message, headers: IncomingHttpHeaders): Got {
  return { bytes, id: JSON.stringify(id), token: JSON.stringify(params?._meta?.progressToken ?? 'none'), headers }
}

/** What it says to messages that are no part of the test, as JSON text; nothing to a notification. */
function manners({ id, method }: Message, { era }: ServerKind): string | undefined {
  const idText = JSON.stringify(id)
  const result = RESULTS[era][method]
  if (result !== undefined) return `{"jsonrpc":"2.0","id":${idText},"result":${result}}`
  if (!OPENINGS.has(method)) return undefined
  return `{"jsonrpc":"2.0","id":${idText},"error":{"code":-32601,"message":"Method not found"}}`
}

const OPENINGS = new Set(['initialize', 'server/discover', 'logging/setLevel', 'ping'])
const CAPABILITIES = '{"tools":{},"prompts":{},"resources":{},"completions":{}}'
const LISTS = {
  'tools/list': `{"resultType":"complete","tools":[{"name":"${NAME}","inputSchema":{"type":"object"}}]}`,
  'prompts/list': `{"resultType":"complete","prompts":[{"name":"${NAME}"}]}`,
  'resources/list': '{"resultType":"complete","resources":[]}',
  'resources/templates/list': '{"resultType":"complete","resourceTemplates":[]}',
}
const RESULTS: Record<ServerKind['era'], Readonly<Record<string, string>>> = {
  legacy: {
    ...LISTS,
    initialize: `{"protocolVersion":"2025-11-25","capabilities":${CAPABILITIES},"serverInfo":{"name":"odd","version":"1"}}`,
  },
  modern: {
    ...LISTS,
    'server/discover': `{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":${CAPABILITIES}}`,
  },
}

async function startHttp(kind: ServerKind, personal: boolean): Promise<Upstream> {
  const server = createHttpServer((request, response) => void serve(request, response))
  const url = `http://127.0.0.1:${await listening(server)}/mcp`
  const headers = personal ? { headers: { Authorization: { $userToken: 'Bearer {{token}}' } } } : {}
  const upstream: Upstream = {
    kind,
    url,
    entry: { url, ...headers },
    next: undefined,
    got: undefined,
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections()
      return closed(server)
    },
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') return void response.writeHead(405).end()
    const bytes = Buffer.concat((await request.toArray()) as Buffer[])
    const message = JSON.parse(bytes.toString()) as Message
    if (message.id === undefined) return void response.writeHead(202).end()
    const plain = manners(message, kind)
    if (plain !== undefined) {
      const session = kind.session && message.method === 'initialize' ? { 'Mcp-Session-Id': SESSION } : {}
      response.writeHead(200, { 'Content-Type': 'application/json', ...session }).end(plain)
      return
    }
    upstream.got = gotOf(bytes, message, request.headers)
    if (upstream.next) await say(response, upstream.next, upstream.got)
  }
  return upstream
}

async function say(response: ServerResponse, answering: Answering, got: Got): Promise<void> {
  const isEvents = answering.framing === 'events'
  const type = isEvents ? 'text/event-stream' : 'application/json; charset=utf-8'
  response.writeHead(200, { 'Content-Type': type })
  const told = answering.told.map(({ text }) => asServerWrites(text, answering, got))
  const answer = asServerWrites(answering.text, answering, got)
  const body = isEvents ? [...told, answer].map((text) => eventOf(text, answering.lineEnd)).join('') : answer
  await inPieces(Buffer.from(body), answering.pieces, (piece) => response.write(piece))
  response.end()
}

function eventOf(text: string, end: string): string {
  const lines = throughEvents(text).split('\n')
  return `: odd${end}event: message${end}${lines.map((line) => `data: ${line}${end}`).join('')}${end}`
}

/** Each piece in a turn of its own, so that they are as apart as the network leaves them. */
async function inPieces(bytes: Buffer, sizes: readonly number[], write: (piece: Buffer) => void): Promise<void> {
  let from = 0
  for (const size of sizes) {
    if (from >= bytes.length) return
    write(bytes.subarray(from, from + size))
    from += size
    await turn()
  }
  if (from < bytes.length) write(bytes.subarray(from))
}

async function startPipe(kind: ServerKind): Promise<Upstream> {
  const sockets = new Set<Socket>()
  const server = createPipeServer((socket) => {
    sockets.add(socket.setNoDelay())
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    readLines(socket, (line) => void serve(line, socket))
  })
  const port = await listening(server)
  const env = { TEST_PORT: String(port), TOKEN: { $userToken: '{{token}}' } }
  const upstream: Upstream = {
    kind,
    url: '',
    entry: { command: process.execPath, args: [PIPE], env },
    next: undefined,
    got: undefined,
    [Symbol.asyncDispose]: () => {
      for (const socket of sockets) socket.destroy()
      return closed(server)
    },
  }

  async function serve(bytes: Buffer, socket: Socket): Promise<void> {
    const message = JSON.parse(bytes.toString()) as Message
    if (message.id === undefined) return
    const plain = manners(message, kind)
    if (plain !== undefined) return void socket.write(`${plain}\n`)
    upstream.got = gotOf(bytes, message, {})
    const { next: answering, got } = upstream
    if (!answering) return
    const lines = [...answering.told.map(({ text }) => text), answering.text].map((text) =>
      asServerWrites(text, answering, got).replaceAll('\n', ' '),
    )
    await inPieces(Buffer.from(`${lines.join('\n')}\n`), answering.pieces, (piece) => socket.write(piece))
  }
  return upstream
}

function readLines(socket: Socket, take: (line: Buffer) => void): void {
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      take(rest.subarray(0, end))
      rest = rest.subarray(end + 1)
    }
  })
}

function listening(server: Server | ReturnType<typeof createHttpServer>): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

function closed(server: { close(done: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
