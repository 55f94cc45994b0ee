import { once } from 'node:events'
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { systemRandom, type UpstreamId, type UserId } from '../../src/base/ids.ts'
import { readMessage, resultMessage, type RpcRequest } from '../../src/base/json-rpc.ts'
import type { Log } from '../../src/base/log.ts'
import { asProblem, problem, toRpcError } from '../../src/base/problem.ts'
import type { Principal } from '../../src/identity/principal.ts'
import { createStreamLimits } from '../../src/limits/streams.ts'
import { exposeNotification } from '../../src/mcp/exposed.ts'
import { createFlights } from '../../src/mcp/flights.ts'
import { createFollowing } from '../../src/mcp/following.ts'
import { createListening } from '../../src/mcp/listen.ts'
import { createOutlet, type Outlet } from '../../src/mcp/outlet.ts'
import { openSessions, type SessionTimes } from '../../src/mcp/sessions/open.ts'
import type { Session } from '../../src/mcp/sessions/session.ts'
import { readUri } from '../../src/registry/names.ts'
import type { Storage } from '../../src/storage/database.ts'
import type { Bus } from '../../src/storage/shared/bus.ts'
import type { EventLog } from '../../src/storage/shared/event-log.ts'
import { createHub, createMemoryBus } from '../../src/storage/shared/memory-bus.ts'
import { createMemoryEventLog } from '../../src/storage/shared/memory-event-log.ts'
import { LOG_LEVELS, PLAIN_CLIENT } from '../../src/upstreams/client.ts'
import { openEmbedded } from '../login/scene.ts'
import { createTestClock, eachDatabase, quiet, ten } from '../stores/databases.ts'
import { createServers, type Servers } from './watched-servers.ts'

export const KEY = Buffer.alloc(32, 7)
export const notes = 'notes' as UpstreamId
export const wiki = 'wiki' as UpstreamId
export const hidden = 'hidden' as UpstreamId

export type Clock = ReturnType<typeof createTestClock>
export { createTestClock, eachDatabase, quiet, ten }

/** Who calls: a user of the tenant, with a key that opens all but the hidden server. */
export function principalOf(name: string): Principal {
  const userId = `usr_${name}` as UserId
  return { tenant: ten, userId, userName: name, role: 'member', keyId: `key_${name}`, scopes: ['mcp'] }
}

/** Rows of sessions belong to users. */
export async function addUsers(storage: Storage, names: readonly string[] = ['ada', 'bob']): Promise<void> {
  const rows = names.map((name) => ({ id: `usr_${name}` as UserId, name, role: 'member' as const, created_at: 0 }))
  await storage.for(ten).insertInto('users', rows).execute()
}

/** What several processes share where they are one process with several sets of everything. */
export function createShared(clock: Clock) {
  const hub = createHub()
  const events = createMemoryEventLog({ clock })
  onTestFinished(() => events.close())
  return { events, openBus: () => createMemoryBus({ hub }) }
}

export interface ReplicaNeeds {
  readonly storage: Storage
  readonly clock: Clock
  readonly bus: Bus
  readonly events: EventLog
  readonly times?: Partial<SessionTimes>
  readonly log?: Log
  readonly servers?: Servers
  /** How many streams a user may have, and of how many sessions something is kept. */
  readonly most?: { readonly streams?: number; readonly streamsPerUser?: number; readonly sessionsPerUser?: number }
  /** Answers `tools/call`. */
  onCall?(call: Call): void | Promise<void>
}

/** A call as the endpoint has it. */
export interface Call {
  readonly session: Session
  readonly outlet: Outlet
  readonly response: ServerResponse
  readonly message: RpcRequest
  end(result: string): void
}

/** One process: all of sessions on a port of its own, in front of servers that tell what a test has them tell. */
export async function openReplica(needs: ReplicaNeeds) {
  const { storage, clock, bus, events, log = quiet, servers = createServers([notes, wiki, hidden]) } = needs
  const { streams: streamsMost = 5_000, streamsPerUser = 5_000, sessionsPerUser = 5_000 } = needs.most ?? {}
  const limits = createStreamLimits({ streams: streamsMost, streamsPerUser })
  const forgotten: string[] = []
  const following = createFollowing({
    visible: (_principal, server) => (server === undefined ? [notes, wiki] : [server]),
    watch: servers.watch,
    readUri,
    expose: exposeNotification,
    log,
    answerMs: 1_000,
  })
  const live = await openSessions({
    storage,
    bus,
    events,
    following,
    flights: createFlights(),
    clock,
    random: systemRandom,
    log,
    key: KEY,
    isShared: true,
    limits,
    keptMost: sessionsPerUser,
    forget: async (session) => void forgotten.push(session),
    ...(needs.times ? { times: needs.times } : {}),
  })
  const listening = createListening({ following, limits })
  const { sessions, streams, asking, calls } = live
  const reading = new Set<ServerResponse>()

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const requestId = 'req-1'
    const [, endpoint = ''] = (request.url ?? '').split('/mcp/')
    const server = endpoint === '' ? undefined : (endpoint as UpstreamId)
    const principal = principalOf(String(request.headers['x-user'] ?? 'ada'))
    if (request.method === 'GET') {
      reading.add(response)
      response.on('close', () => reading.delete(response))
      return streams.open({ request, response, principal, server, requestId })
    }
    const id = request.headers['mcp-session-id']
    const session = typeof id === 'string' ? await sessions.find(principal, id) : undefined
    if (request.method === 'DELETE') {
      if (session) await sessions.end(session)
      return response.writeHead(204).end()
    }
    const chunks: Buffer[] = await request.toArray()
    const message = readMessage(Buffer.concat(chunks))
    if (message.kind === 'response' && session) asking.replied(session, message)
    if (message.kind !== 'request') return response.writeHead(202).end()
    const outlet = createOutlet({ response, requestId, takesEvents: true })
    const idText = JSON.stringify(message.id)
    const end = (result: string, headers?: string[]) => outlet.end(resultMessage(idText, result), 200, headers)
    const from = { principal, server }
    switch (message.method) {
      case 'initialize': {
        const version = String(message.paramsValue?.['protocolVersion'])
        const opened = sessions.open(principal, message.paramsValue ?? {}, version)
        return end(INITIALIZED(version), ['Mcp-Session-Id', opened.headerValue])
      }
      case 'logging/setLevel': {
        const level = LOG_LEVELS.find((known) => known === message.paramsValue?.['level'])
        if (session && level) await sessions.setLevel(session, level)
        return end('{}')
      }
      case 'resources/subscribe':
        if (session) await sessions.subscribe(session, message.uri ?? '', from)
        return end('{}')
      case 'resources/unsubscribe':
        if (session) await sessions.unsubscribe(session, message.uri ?? '', from)
        return end('{}')
      case 'subscriptions/listen': {
        const ending = new AbortController()
        response.on('close', () => ending.abort())
        return listening.listen(message, { ...from, client: PLAIN_CLIENT, signal: ending.signal, outlet })
      }
      default: {
        if (!session) throw problem('request.session_unknown')
        if (calls.mayResume(session, idText)) outlet.keepIn(() => calls.journal(session, idText))
        return needs.onCall?.({ session, outlet, response, message, end })
      }
    }
  }

  const server = createServer((request, response) => {
    receive(request, response).catch((error: unknown) => {
      const failure = asProblem(error)
      if (failure.code === 'gate.fault') console.error(failure.cause)
      response.writeHead(failure.row.status, { 'Content-Type': 'application/json' })
      response.end(toRpcError(failure, 'null', 'req-1'))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  let isOpen = true
  async function close(): Promise<void> {
    if (!isOpen) return
    isOpen = false
    listening.close()
    await live.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  onTestFinished(close)
  /** As when a proxy between gives up on all that is open. */
  const dropConnections = () => server.closeAllConnections()
  return {
    ...live,
    following,
    listening,
    servers,
    limits,
    forgotten,
    reading,
    dropConnections,
    url: `http://127.0.0.1:${port}`,
    close,
  }
}

const INITIALIZED = (protocolVersion: string) =>
  JSON.stringify({
    protocolVersion,
    capabilities: { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} },
    serverInfo: { name: 'scene', version: '1' },
  })

export type Replica = Awaited<ReturnType<typeof openReplica>>

/** A gate of two processes, or of one that is both. */
export async function openGate(count: 1 | 2 = 1, more: Partial<ReplicaNeeds> = {}) {
  const clock = createTestClock()
  const storage = await openEmbedded()
  onTestFinished(() => storage.close())
  await storage.system.insertInto('tenants').values({ id: ten, name: 'a', created_at: 0 }).execute()
  await addUsers(storage)
  const shared = createShared(clock)
  const open = () => openReplica({ storage, clock, events: shared.events, bus: shared.openBus(), ...more })
  const one = await open()
  return { one, two: count === 2 ? await open() : one, clock }
}

export interface Asked {
  readonly user?: string
  readonly session?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends one message, and answers with the status, the headers and the body when all is there. */
export async function post({ url }: Pick<Replica, 'url'>, body: object, asked: Asked = {}) {
  const response = await fetch(url + (asked.path ?? '/mcp'), {
    method: 'POST',
    headers: headersOf(asked),
    body: JSON.stringify({ jsonrpc: '2.0', ...body }),
  })
  return { status: response.status, headers: response.headers, body: await response.text() }
}

export function headersOf({ user = 'ada', session, headers = {} }: Asked): Record<string, string> {
  const base = { 'x-user': user, 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  return { ...base, ...(session === undefined ? {} : { 'mcp-session-id': session }), ...headers }
}

const EVERYTHING = { elicitation: { form: {}, url: {} }, roots: {}, sampling: {} }

/** Opens a session, and gives the value of its header. */
export async function initialize(replica: Pick<Replica, 'url'>, more: object = {}, asked: Asked = {}): Promise<string> {
  const params = { protocolVersion: '2025-11-25', capabilities: EVERYTHING, ...more }
  const { headers } = await post(replica, { id: 0, method: 'initialize', params }, asked)
  const id = headers.get('mcp-session-id')
  if (id === null) throw new Error('no session was opened')
  return id
}

export interface Event {
  readonly id: string | undefined
  /** The message, parsed; `undefined` where the event has no data. */
  readonly message: Message | undefined
  readonly data: string
}
export interface Message {
  readonly id?: string | number
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: unknown
  readonly error?: { code: number; message: string; data?: Record<string, unknown> }
}

/** Reads an event stream over a connection of its own. */
export async function openStream(
  { url }: Pick<Replica, 'url'>,
  asked: Asked & { readonly body?: object; readonly after?: string | undefined } = {},
) {
  const { body, after } = asked
  const headers = { ...headersOf(asked), ...(after === undefined ? {} : { 'last-event-id': after }) }
  const method = body ? 'POST' : 'GET'
  const request = send(url + (asked.path ?? '/mcp'), { method, headers, agent: false })
  request.end(body && JSON.stringify({ jsonrpc: '2.0', ...body }))
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const events: Event[] = []
  const waiting: (() => void)[] = []
  const wake = () => waiting.splice(0).forEach((each) => each())
  let comments = 0
  let rest = ''
  let ended = false
  response.setEncoding('utf8')
  response.on('data', (text: string) => {
    const blocks = (rest + text).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      if (block.startsWith(':')) comments++
      else events.push(readEvent(block))
    }
    wake()
  })
  const closed = Promise.withResolvers<void>()
  response.on('close', () => {
    ended = true
    closed.resolve()
    wake()
  })
  response.on('error', () => {})
  request.on('error', () => {})
  onTestFinished(() => void request.destroy())

  async function until<T>(found: () => T | undefined): Promise<T> {
    for (;;) {
      const value = found()
      if (value !== undefined) return value
      if (ended) throw new Error(`the stream ended after ${JSON.stringify(events)}`)
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
  }
  let read = 0
  return {
    status: response.statusCode,
    headers: response.headers,
    events,
    lastId: () => events.findLast(({ id }) => id !== undefined)?.id,
    /** The next event with a message. */
    async next(): Promise<Message> {
      const { message } = await until(() => {
        while (events[read] && !events[read]?.message) read++
        return events[read++] ?? void read--
      })
      return message ?? {}
    },
    /** Every message that came, when one of that method or id has come. */
    async upTo(last: string | number): Promise<Message[]> {
      await until(() => events.find(({ message }) => message?.method === last || message?.id === last))
      return messages()
    },
    messages,
    ended: () => closed.promise,
    /** Waits for so many more signs of life. */
    comments(more = 1): Promise<true> {
      const enough = comments + more
      return until(() => comments >= enough || undefined)
    },
    /** As when a network fails. */
    cut: () => void request.destroy(),
  }

  function messages(): Message[] {
    return events.flatMap(({ message }) => (message ? [message] : []))
  }
}

function readEvent(block: string): Event {
  const fields = new Map(block.split('\n').map((line) => line.split(/: ?(.*)/s, 2) as [string, string]))
  const data = fields.get('data') ?? ''
  return { id: fields.get('id'), data, message: data === '' ? undefined : JSON.parse(data) }
}

/** Waits for something that happens by itself. */
export async function eventually(isSo: () => boolean, what: string): Promise<void> {
  const until = performance.now() + 15_000
  while (!isSo()) {
    if (performance.now() > until) throw new Error(`never ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
