import { randomBytes } from 'node:crypto'
import type { TenantId, UpstreamId, UserId } from '../../src/base/ids.ts'
import { problem } from '../../src/base/problem.ts'
import { secret, type Secret } from '../../src/base/secret.ts'
import type { Template } from '../../src/base/template.ts'
import { createPools } from '../../src/http/outbound.ts'
import { legacyUpstream } from '../../src/mcp/eras/legacy-upstream.ts'
import { modernUpstream } from '../../src/mcp/eras/2026-07-28-upstream.ts'
import { openStorage, type Storage } from '../../src/storage/database.ts'
import { PLAIN_CLIENT, type ClientView } from '../../src/upstreams/client.ts'
import { createLinkStore, type LinkStore } from '../../src/upstreams/link-store.ts'
import type {
  Answer,
  Caller,
  Interests,
  ListName,
  Reply,
  Question,
  Transport,
  Watcher,
} from '../../src/upstreams/transport.ts'
import { createHttpTransport } from '../../src/upstreams/transports/http.ts'
import { openKeyring } from '../../src/vault/keyring.ts'
import { createSealer } from '../../src/vault/sealer.ts'
import { createTestClock, newDirectory, quiet } from '../stores/databases.ts'
import { toolCall } from './children-harness.ts'
import type { Era, HttpServer } from './http-server.ts'

export const TENANT = 'ten_a' as TenantId
export const ADA = 'usr_ada' as UserId
export const BOB = 'usr_bob' as UserId

interface OpenMore {
  readonly headers?: Readonly<Record<string, Template>>
  /** Pauses are short, where the test does not ask for those of the product. */
  readonly pauses?: { readonly pauseMs?: number }
}

/** One database, and as many processes in front of it as a test opens. */
export interface HttpScene extends AsyncDisposable {
  readonly storage: Storage
  readonly store: LinkStore
  readonly clock: ReturnType<typeof createTestClock>
  /** What was told beside the clients: method and user. */
  readonly noted: string[]
  /** Opens an upstream as one process has it. */
  open(url: string, more?: OpenMore): Transport
  /** What is kept of sessions. */
  rows(): Promise<{ user_id: string; session: string | null; used_at: number; sealed: Buffer }[]>
}

export async function createHttpScene(): Promise<HttpScene> {
  const clock = createTestClock()
  const { dataDir } = newDirectory()
  const storage = await openStorage({ dataDir, clock, log: quiet })
  await storage.system.insertInto('tenants').values({ id: TENANT, name: TENANT, created_at: 0 }).execute()
  for (const id of [ADA, BOB]) {
    await storage.for(TENANT).insertInto('users', { id, name: id, role: 'member', created_at: 0 }).execute()
  }
  const keyring = await openKeyring({ storage, dataDir, environment: {}, clock, log: quiet })
  const store = createLinkStore({ storage, sealer: createSealer({ keyring }), clock })
  const pools = createPools({ connections: 4, connectMs: 1_000 })
  const streamPools = createPools({ connections: 10_000, connectMs: 1_000 })
  const opened: Transport[] = []
  const noted: string[] = []
  return {
    storage,
    store,
    clock,
    noted,
    open(url, { headers = {}, pauses = { pauseMs: 100 } } = {}) {
      const transport = createHttpTransport({
        upstream: 'up' as UpstreamId,
        url: { kind: 'text', text: url },
        headers,
        eras: { legacy: legacyUpstream, modern: modernUpstream },
        log: quiet,
        clock,
        random: randomBytes,
        store,
        settings: { answerBytes: 1_000_000, startMs: 5_000, ...pauses },
        poolFor: pools.get,
        streamPoolFor: streamPools.get,
        unsupported: async () => problem('upstream.unsupported', { server: 'up' }),
        onNotification: (method, { userId }) => void noted.push(`${userId} ${method}`),
      })
      opened.push(transport)
      return transport
    },
    rows: () =>
      storage.for(TENANT).selectFrom('upstream_sessions').select(['user_id', 'session', 'used_at', 'sealed']).execute(),
    async [Symbol.asyncDispose]() {
      for (const transport of opened) await transport.close()
      await pools.close()
      await streamPools.close()
      await storage.close()
    },
  }
}

export function callerOf(userId: UserId = ADA, token?: Secret): Caller {
  return { tenant: TENANT, userId, token }
}

export const tokenOf = (text: string) => secret(text)

/** The headers of a server that is sent the user's own token. */
export const PERSONAL = { authorization: { kind: 'userToken', pattern: 'Bearer {{token}}' } } as const

export function clientOf(more: Partial<ClientView> = {}): ClientView {
  return { ...PLAIN_CLIENT, ...more }
}

/** The one JSON-RPC response that came back. */
export function responseOf(answer: Answer): {
  id: unknown
  result?: Record<string, unknown>
  error?: { code: number }
} {
  if (answer.kind !== 'whole') throw new TypeError('it came in pieces')
  return JSON.parse(answer.bytes.toString())
}

export const NOT_ASKED = '"error":{"code":-32601,"message":"not asked"}' as Reply

/** Somebody who notes down what they hear. */
export interface Heard extends Watcher {
  readonly told: { method: string; text: string }[]
  readonly asked: Question[]
}

export function hearer(
  { lists = [], uris = [] }: { lists?: readonly ListName[]; uris?: readonly string[] } = {},
  more: Partial<Pick<Watcher, 'client' | 'ask' | 'renew'>> = {},
): Heard {
  const told: Heard['told'] = []
  const asked: Question[] = []
  return {
    client: PLAIN_CLIENT,
    interests: interestsIn(lists, uris),
    told,
    asked,
    notify: (message, method) => void told.push({ method, text: message.toString() }),
    ask(question) {
      asked.push(question)
      return Promise.resolve(NOT_ASKED)
    },
    ...more,
  }
}

export function interestsIn(lists: readonly ListName[], uris: readonly string[] = []): Interests {
  return { lists: new Set(lists), uris: new Set(uris) }
}

export const TOOLS = 'notifications/tools/list_changed'
export const PROMPTS = 'notifications/prompts/list_changed'
export const UPDATED = 'notifications/resources/updated'

export const eras: readonly Era[] = ['legacy', 'modern']

/** What somebody has heard. */
export function methodsOf({ told }: Heard): string[] {
  return told.map(({ method }) => method)
}

/** What is listened on, in either era: the stream of the session, or the request. */
export function listens(server: HttpServer, era: Era) {
  return server.of(era === 'legacy' ? 'GET' : 'subscriptions/listen')
}

export function urisOf(server: HttpServer, method: string): unknown[] {
  return server.of(method).map(({ params }) => params['uri'])
}

/** Calls a tool that has nothing to say. */
export function callEcho(transport: Transport, client = clientOf(), caller = callerOf()): Promise<Answer> {
  return transport.send(toolCall('echo', {}, { client }), caller)
}
