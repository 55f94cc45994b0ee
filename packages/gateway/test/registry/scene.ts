import type { TenantId, UpstreamId, UserId } from '../../src/base/ids.ts'
import type { Log } from '../../src/base/log.ts'
import { problem } from '../../src/base/problem.ts'
import type { Secret } from '../../src/base/secret.ts'
import type { Principal } from '../../src/identity/principal.ts'
import type { LastKnown } from '../../src/registry/last-known.ts'
import { createRegistry, type Asker } from '../../src/registry/registry.ts'
import { PLAIN_CLIENT } from '../../src/upstreams/client.ts'
import type { UpstreamDefinition } from '../../src/upstreams/definition.ts'
import type { EraName, Handshake } from '../../src/upstreams/era.ts'
import type { Asking, Caller, Exchange, Transport, Who } from '../../src/upstreams/transport.ts'
import { createUpstreams } from '../../src/upstreams/upstreams.ts'
import { createTestClock, ten } from '../stores/databases.ts'

export const ada = 'usr_ada' as UserId
export const bob = 'usr_bob' as UserId

/** What a server is, as a test tells it; it stands for the world outside. */
export interface Server {
  readonly definition: UpstreamDefinition
  capabilities: Readonly<Record<string, unknown>>
  /** The result of a request for a list, as JSON text, by method; a list it has not is none it knows of. */
  readonly lists: Record<string, string | ((asked: Asked) => string)>
  /** What it fails with, whatever it is asked. */
  failure?: Error | undefined
  /** Waited for before anything is answered. */
  pause?: Promise<void> | undefined
  startedAt?: number | undefined
}

/** A request that reached a server. */
export interface Asked {
  readonly server: string
  readonly method: string
  readonly cursor: string | undefined
  readonly capabilities: string
  readonly logLevel: string | undefined
  readonly userId: UserId
  readonly token: string | undefined
  readonly signal: Exchange['signal']
}

interface Wanted {
  readonly servers: readonly Server[]
  readonly lastKnown?: LastKnown
  readonly listMs?: number
  token?(principal: Principal, server: UpstreamId): Secret | undefined
  renew?(refused: Secret, scopes: readonly string[] | undefined): Promise<Secret | undefined>
}

/** A registry in front of servers that answer what a test wrote. */
export function openScene(wanted: Wanted) {
  const { servers, lastKnown = nothingKnown, listMs = 10_000, token = () => undefined, renew } = wanted
  const clock = createTestClock()
  const asked: Asked[] = []
  const logged: { readonly event: string; readonly facts: object }[] = []
  const note = (facts: object, event: string) => void logged.push({ facts, event })
  const log: Log = { debug() {}, info: note, warn: note, error: note }
  const upstreams = createUpstreams(
    servers.map(({ definition }) => definition),
    ({ id }) =>
      transportOf(
        servers.find(({ definition }) => definition.id === id),
        asked,
      ),
    clock,
  )
  const registry = createRegistry({
    upstreams,
    credentials: { require: token, renew: async (...[, , refused, scopes]) => renew?.(refused, scopes) },
    lastKnown,
    clock,
    log,
    newRequestId: () => 'r-1',
    settings: { listMs, nameLimit: 50 },
  })
  return { registry, clock, asked, logged, methods: () => asked.map(({ server, method }) => `${server} ${method}`) }
}

const nothingKnown: LastKnown = { find: async () => undefined, save: async () => {}, count: async () => undefined }

function transportOf(server: Server | undefined, asked: Asked[]): Transport {
  if (!server) throw new TypeError('no such server')
  const { id } = server.definition

  async function meet(about: Omit<Asked, 'server' | 'userId' | 'token'>, { userId, token }: Caller): Promise<Asked> {
    const one: Asked = { ...about, server: id, userId, token: token?.reveal() }
    asked.push(one)
    await server?.pause
    if (server?.failure) throw server.failure
    return one
  }

  return {
    async send({ request, client, signal, era }: Exchange, caller: Caller) {
      const { capabilities, logLevel } = client
      const { method, cursor } = request
      const one = await meet({ method, cursor, capabilities, logLevel, signal }, caller)
      const list = server.lists[method]
      const text = typeof list === 'function' ? list(one) : list
      const member = text === undefined ? '"error":{"code":-32601,"message":"no"}' : `"result":${text}`
      const bytes = Buffer.from(`{"jsonrpc":"2.0","id":${JSON.stringify(request.id)},${member}}`)
      return { kind: 'whole', bytes, era, status: 200 }
    },
    async describe({ client, signal, era }: Asking, caller: Caller): Promise<Handshake> {
      const { capabilities, logLevel } = client
      await meet({ method: 'describe', cursor: undefined, capabilities, logLevel, signal }, caller)
      return { era, version: 'v', capabilities: server.capabilities, instructions: `I am ${id}`, serverInfo: undefined }
    },
    watch() {
      throw new TypeError('nobody watches here')
    },
    tell() {},
    startedAt: (_who: Who) => server.startedAt,
    async forget() {},
    async forgetSession() {},
    async close() {},
  }
}

const common = { service: undefined, link: undefined, timeoutMs: 60_000, startTimeoutMs: 60_000 }

/** A server that answers everybody the same. */
export function httpServer(id: string, lists: Server['lists'], capabilities: object = EVERYTHING): Server {
  const url = { kind: 'text', text: 'http://127.0.0.1/mcp' } as const
  const definition: UpstreamDefinition = { ...common, id: id as UpstreamId, kind: 'http', url, headers: {} }
  return { definition, lists, capabilities: { ...capabilities }, startedAt: 0 }
}

/** A server that is given the token of each user. */
export function personalServer(id: string, lists: Server['lists']): Server {
  const server = httpServer(id, lists)
  const headers = { authorization: { kind: 'userToken', pattern: 'Bearer {{token}}' } } as const
  if (server.definition.kind !== 'http') throw new TypeError('not over HTTP')
  return { ...server, definition: { ...server.definition, headers } }
}

/** A server that is a process of each user's own, or of all of them. */
export function childServer(id: string, lists: Server['lists'], shared = false): Server {
  const stdio = { kind: 'stdio', command: 'x', args: [], env: {}, cwd: undefined, shared, memoryMb: 100 } as const
  return { definition: { ...common, id: id as UpstreamId, ...stdio }, lists, capabilities: EVERYTHING }
}

const EVERYTHING = { tools: {}, prompts: {}, resources: {} }

/** A server with one of each kind, named after it. */
export function listsOf(name: string): Server['lists'] {
  return {
    'tools/list': `{"tools":[{"name":"${name}","inputSchema":{"type":"object"}}]}`,
    'prompts/list': `{"prompts":[{"name":"${name}-prompt"}]}`,
    'resources/list': `{"resources":[{"uri":"test://${name}","name":"r"}]}`,
    'resources/templates/list': `{"resourceTemplates":[{"uriTemplate":"test://${name}/{id}","name":"t"}]}`,
  }
}

interface AskerWanted {
  readonly server?: string
  readonly userId?: UserId
  readonly tenant?: TenantId
  readonly era?: EraName
  readonly capabilities?: string
  readonly scopes?: readonly string[]
}

/** Somebody who asks; ada on the merged endpoint, with a client that can do nothing but wait. */
export function asker({ server, userId = ada, tenant = ten, era = 'modern', ...more }: AskerWanted = {}): Asker {
  const { capabilities = '{}', scopes = ['mcp'] } = more
  const principal: Principal = { tenant, userId, userName: userId, role: 'member', keyId: 'key_1', scopes }
  return {
    principal,
    era: { name: era },
    server: server as UpstreamId | undefined,
    client: { ...PLAIN_CLIENT, capabilities, logLevel: 'debug' },
  }
}

export function gone(server: string): Error {
  return problem('upstream.unreachable', { server })
}
