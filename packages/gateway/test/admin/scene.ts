import { createAdminApp, type AdminApp, type AdminCaller } from '../../src/admin/app.ts'
import type { AdminServer } from '../../src/admin/servers.ts'
import { createAudit } from '../../src/audit/append.ts'
import { createAgents } from '../../src/authserver/agents.ts'
import {
  createIds,
  createRequestIds,
  systemRandom,
  type TenantId,
  type UpstreamId,
  type UserId,
} from '../../src/base/ids.ts'
import type { Problem } from '../../src/base/problem.ts'
import { secret } from '../../src/base/secret.ts'
import { createTenants, DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import type { Role } from '../../src/identity/principal.ts'
import { createCredentials, type Holder } from '../../src/providers/credential.ts'
import { createSessions } from '../../src/login/sessions.ts'
import { openStorage } from '../../src/storage/database.ts'
import { openKeyring } from '../../src/vault/keyring.ts'
import { createSealer } from '../../src/vault/sealer.ts'
import { createVault } from '../../src/vault/vault.ts'
import { createPeople } from '../identity/people.ts'
import { openTestFactors, SIGN_IN } from '../login/factors.ts'
import { createTestInvitations } from '../login/invitations.ts'
import { createTestClock, newDirectory, other, quiet } from '../stores/databases.ts'
import { openConnected } from './connected.ts'
import { greet, odd, openPlace, until } from '../upstreams/children-harness.ts'

/** Where a missing token is set. */
const linkFor = (_holder: unknown, server: string) => `http://localhost/connect/${server}`

const github = {
  service: 'github',
  name: 'GitHub',
  instructions: 'Make one at https://github.test/tokens.',
  format: /^ghp_[A-Za-z0-9]{8,}$/,
}

/** One server of each kind that matters here. */
const servers: readonly AdminServer[] = [
  { id: 'github' as UpstreamId, kind: 'http', description: 'Issues.', service: github },
  { id: 'notes' as UpstreamId, kind: 'stdio', shared: false, service: { ...github, service: 'notes', name: 'Notes' } },
  { id: 'clock' as UpstreamId, kind: 'stdio', shared: true, service: undefined },
  { id: 'anime' as UpstreamId, kind: 'builtin', service: undefined, link: { provider: 'mal', name: 'MyAnimeList' } },
  { id: 'issues' as UpstreamId, kind: 'http', service: undefined, link: { provider: 'tracker', name: 'Tracker' } },
]

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The JSON of the answer. */
  readonly body: unknown
}

/** Somebody who asks the API. */
export type Asker = (method: string, path: string, body?: unknown) => Promise<Answer>

/** Real rooms on a database of the test's own, with the API in front of them. */
export async function openScene() {
  const { dataDir } = newDirectory()
  const clock = createTestClock()
  const storage = await openStorage({ dataDir, clock, log: quiet })
  await createTenants({ storage, clock }).ensure('default')
  await storage.system.insertInto('tenants').values({ id: other, name: 'Other', created_at: 0 }).execute()
  const keyring = await openKeyring({ storage, dataDir, environment: {}, clock, log: quiet })
  const vault = createVault({ storage, keyring, clock, log: quiet })
  const { users, keys } = createPeople(storage, clock)
  const credentials = createCredentials({ linkFor, vault, clock })
  const invitations = createTestInvitations(storage, clock)
  const held = await openTestFactors({
    storage,
    clock,
    publicUrl: 'http://localhost:7354',
    sealer: createSealer({ keyring }),
  })
  const sessions = createSessions({
    storage,
    clock,
    random: systemRandom,
    log: quiet,
    policyOf: () => SIGN_IN,
    secure: false,
  })
  const agents = createAgents({ storage, users, clock, newId: createIds(clock), onReplaced: () => Promise.resolve() })
  const audit = createAudit({ storage, clock, log: quiet })
  const connected = await openConnected({ storage, vault, keyring, clock, audit })
  const place = openPlace({}, { greet })
  const changes: string[] = []
  const failures: Problem[] = []
  const app = createAdminApp({
    users,
    keys,
    credentials,
    connections: connected.connections,
    invitations,
    factors: held.factors,
    sessions,
    agents,
    audit,
    clock,
    startedAt: clock.now(),
    children: place.children,
    servers: () => servers,
    url: () => 'http://localhost:7354',
    newRequestId: createRequestIds(),
    onTokenChanged: (tenant, userId, server) => void changes.push(`${tenant} ${userId} ${server}`),
    onFailure: (failure) => void failures.push(failure),
  })

  /** Adds a user with a key and answers with them. */
  async function person(
    name: string,
    { role = 'member', scopes = ['mcp'], tenant = DEFAULT_TENANT, expiresAt }: Wanted = {},
  ) {
    const user = await users.add(tenant, { name, role })
    const { key, record } = await keys.add(tenant, { userId: user.id, name: 'first', scopes, expiresAt })
    const ask: Asker = async (...request) => {
      const principal = await keys.verify(key.reveal())
      if (principal === undefined) throw new Error('the key opens nothing')
      return askAs(app, { kind: 'principal', principal }, request)
    }
    const holder: Holder = { tenant, userId: user.id }
    return { ...user, key, keyId: record.id, tenant, holder, ask }
  }

  const operator: Asker = (...request) => askAs(app, { kind: 'operator', tenant: DEFAULT_TENANT }, request)

  return {
    app,
    storage,
    users,
    keys,
    /** The second factors of users. */
    factors: held,
    sessions,
    credentials,
    connected,
    place,
    clock,
    /** Has a server write a line to stderr, while it works for a user, or for all of a tenant. */
    async complain(text: string, { userId, tenant = DEFAULT_TENANT, server = 'notes' }: Whose): Promise<void> {
      const owner = { tenant, userId, upstream: server as UpstreamId }
      await place.tool(owner, odd(), 'complain', { text })
      await until(() => place.children.logs(owner).includes(text))
    },
    /** Whom the API told of a changed token. */
    changes,
    failures,
    person,
    operator,
    /** Puts a token for `github` into the vault. */
    setToken: (tenant: TenantId, userId: UserId, token: string) =>
      credentials.set({ tenant, userId }, github, secret(token)),
    tokenOf: async (tenant: TenantId, userId: UserId) =>
      (await credentials.tokenFor({ tenant, userId }, github))?.reveal(),
    /** Puts a token into the vault for a service that no server has. */
    keepOld: (userId: UserId, service: string) =>
      vault.put({ tenant: DEFAULT_TENANT, userId, provider: service }, secret('of before')),
    /** What the audit log of a tenant holds, the oldest first. */
    async audited(tenant: TenantId = DEFAULT_TENANT): Promise<unknown[]> {
      await audit.flush()
      const rows = await storage.for(tenant).selectFrom('audit').select('entry').orderBy('seq').execute()
      return rows.map(({ entry }): unknown => JSON.parse(entry))
    },
    async [Symbol.asyncDispose]() {
      await place[Symbol.asyncDispose]()
      await connected[Symbol.asyncDispose]()
      await keys.close()
      await sessions.close()
      await vault.close()
      await audit.close()
      await storage.close()
    },
  }
}
export type Scene = Awaited<ReturnType<typeof openScene>>

interface Wanted {
  readonly role?: Role
  readonly scopes?: readonly string[]
  readonly tenant?: TenantId
  readonly expiresAt?: number
}

interface Whose {
  readonly userId?: UserId
  readonly tenant?: TenantId
  readonly server?: 'notes' | 'clock'
}

/** What an administrator's key is like. */
export const administering = { role: 'admin', scopes: ['mcp', 'admin'] } as const

async function askAs(app: AdminApp, caller: AdminCaller, [method, path, body]: Parameters<Asker>): Promise<Answer> {
  const request = new Request(`http://gate.invalid/admin/api${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
  })
  const response = await app.fetch(request, caller)
  const text = await response.text()
  const isJson = response.headers.get('Content-Type')?.startsWith('application/json') === true
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined }
}

/** The code of a failure, with its status: `403 auth.role`. */
export function codeOf({ status, body }: Answer): string {
  const code =
    typeof body === 'object' && body !== null && 'error' in body ? Reflect.get(Object(body.error), 'code') : 'no error'
  return `${status} ${String(code)}`
}
