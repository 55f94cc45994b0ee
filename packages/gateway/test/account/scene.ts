import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAccountApp, type AccountServer } from '../../src/account/app.ts'
import { createAudit } from '../../src/audit/append.ts'
import type { AuditEvent } from '../../src/audit/events.ts'
import { createRecent } from '../../src/audit/recent.ts'
import { createConsents } from '../../src/authserver/consents.ts'
import { createRequestIds, systemRandom, type UpstreamId } from '../../src/base/ids.ts'
import type { Problem } from '../../src/base/problem.ts'
import { secret } from '../../src/base/secret.ts'
import type { ProviderConfig } from '../../src/config/config.ts'
import { serveWeb } from '../../src/http/web.ts'
import type { Role } from '../../src/identity/principal.ts'
import { createTenants, DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { createEndpointLimits } from '../../src/limits/endpoints.ts'
import { createAttempts } from '../../src/login/attempts.ts'
import { createFederated } from '../../src/login/federated/federated.ts'
import { createPasswords } from '../../src/login/passwords.ts'
import type { SignInPolicy } from '../../src/login/policy.ts'
import { createSessions } from '../../src/login/sessions.ts'
import { createConnectionStore, type Made } from '../../src/providers/connection-store.ts'
import { createConnections } from '../../src/providers/connections.ts'
import { createCredentials, type Holder } from '../../src/providers/credential.ts'
import { createFetches } from '../../src/providers/fetches.ts'
import { openStorage } from '../../src/storage/database.ts'
import { createMemoryCounters } from '../../src/storage/shared/memory.ts'
import { createGateSecrets } from '../../src/vault/gate-secrets.ts'
import { openKeyring } from '../../src/vault/keyring.ts'
import { createSealer } from '../../src/vault/sealer.ts'
import { createVault } from '../../src/vault/vault.ts'
import { providerAt } from '../providers/scene.ts'
import { startScripted, type Scripted } from '../providers/scripted-server.ts'
import { createPeople } from '../identity/people.ts'
import { openTestFactors, SIGN_IN } from '../login/factors.ts'
import { createTestClock, newDirectory, quiet } from '../stores/databases.ts'

/** Where a missing token is set. */
const linkFor = (_holder: unknown, server: string) => `http://localhost/connect/${server}`

const notes = {
  service: 'notes',
  name: 'Notes',
  instructions: 'Make one under Settings.',
  helpUrl: 'https://notes.test/tokens',
  format: /^note_[a-z0-9]{4,}$/,
}

/** One server of each kind that matters here; two share an account. */
const servers: readonly AccountServer[] = [
  { id: 'anime' as UpstreamId, description: 'Lists of <anime>.', link: { provider: 'mal', name: 'MyAnimeList' } },
  { id: 'manga' as UpstreamId, link: { provider: 'mal', name: 'MyAnimeList' } },
  { id: 'issues' as UpstreamId, description: 'Issues.', link: { provider: 'tracker', name: 'Tracker' } },
  { id: 'absent' as UpstreamId, link: { provider: 'absent', name: 'Absent' } },
  { id: 'notes' as UpstreamId, description: 'Notes.', service: notes },
  { id: 'clock' as UpstreamId, description: 'Tells the time.' },
]

const ACCESS = 'access-token-of-a-test'
const REFRESH = 'refresh-token-of-a-test'
const DAY_S = 86_400

/** What must be on no page. */
export const secrets = [ACCESS, REFRESH, 'note_1234']
export const PASSWORD = 'seven grey herons wait by the weir'

interface Options {
  readonly callbacksPerMinute?: number
  readonly policy?: Partial<SignInPolicy>
  /** What the gate is called. */
  readonly host?: string
}

/** Real rooms on a database of the test's own with the pages in front, on a real socket. Only the provider is scripted. */
export async function openScene({ callbacksPerMinute = 100, policy, host = '127.0.0.1' }: Options = {}) {
  const { dataDir } = newDirectory()
  const clock = createTestClock()
  const storage = await openStorage({ dataDir, clock, log: quiet })
  await createTenants({ storage, clock }).ensure('default')
  const keyring = await openKeyring({ storage, dataDir, environment: {}, clock, log: quiet })
  const vault = createVault({ storage, keyring, clock, log: quiet })
  const audit = createAudit({ storage, clock, log: quiet })
  const { users, keys } = createPeople(storage, clock)
  const credentials = createCredentials({ linkFor, vault, clock })
  const consents = createConsents({ storage, clock, log: quiet })
  const needs = { storage, clock, random: systemRandom, log: quiet }
  const sessions = createSessions({
    ...needs,
    policyOf: () => ({ ...SIGN_IN, idleHours: 1, maxHours: 2 }),
    secure: false,
  })
  const argon2 = { memoryKib: 64, passes: 1, parallelism: 1 }
  const passwords = createPasswords({ ...needs, settings: { passwordLength: 8, argon2 } })
  const store = createConnectionStore({ storage, vault, clock })
  const provider = await startProvider()
  const sealer = createSealer({ keyring })
  const settings = {
    publicUrl: 'http://localhost:7354',
    providers: providersAt(provider),
    servers: [],
    outbound: { allowedHosts: [] },
  }
  const fetches = createFetches(settings, [])
  const connections = await createConnections({
    ...needs,
    vault,
    sealer,
    gateSecrets: createGateSecrets({ storage, sealer, tenant: DEFAULT_TENANT }),
    audit,
    fetchFor: fetches.fetchFor,
    settings,
    onOperation: () => {},
  })
  const failures: Problem[] = []
  const changes: string[] = []

  const server = createServer((request, response) => {
    const address = request.socket.remoteAddress ?? ''
    const from = { address, requestId: newRequestId() }
    serveWeb(request, response, { bodyLimit: 65_536, fetch: (web) => app.fetch(web, from) }).catch((error: unknown) => {
      response.writeHead(500).end(String(error))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const publicUrl = `http://${host}:${(server.address() as AddressInfo).port}`
  const newRequestId = createRequestIds()
  const held = await openTestFactors({ storage, clock, publicUrl, policy, sealer })
  const federated = createFederated({
    ...needs,
    users,
    sealer,
    providers: [],
    publicUrl,
    allowedHosts: [],
    onOperation: () => {},
  })
  const app = createAccountApp({
    ...held,
    federated,
    recent: createRecent({ storage }),
    sessions,
    passwords,
    attempts: createAttempts({ clock }),
    storage,
    servers: () => servers,
    aboutProvider: (id) => ({ isSetUp: id !== 'absent', scopes: id === 'mal' ? [] : ['read', 'write'], renews: true }),
    countTools: async (_whose, id) => (id === 'clock' ? 2 : undefined),
    credentials,
    connections,
    consents: { list: consents.list, revoke: consents.forget },
    keys,
    users,
    limits: createEndpointLimits({
      counters: createMemoryCounters(clock),
      perMinute: { callback: callbacksPerMinute, signIn: 100 },
    }),
    audit,
    clock,
    publicUrl,
    onTokenChanged: (_tenant, userId, id) => void changes.push(`${userId} ${id}`),
    onFailure: (failure) => void failures.push(failure),
  })

  /** Adds a user who is signed in with one browser. */
  async function person(name: string, role: Role = 'member') {
    const { id } = await users.add(DEFAULT_TENANT, { name, role })
    const prepared = await passwords.prepare(secret(PASSWORD), name)
    await storage.for(DEFAULT_TENANT).transaction((db) => passwords.setIn(db, id, prepared))
    const holder: Holder = { tenant: DEFAULT_TENANT, userId: id }
    return { ...holder, holder, name, ...(await signIn(id)), signIn: () => signIn(id) }
  }

  async function signIn(id: Holder['userId']) {
    const from = {
      browser: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
      address: '::1',
      amr: ['pwd'],
    }
    const started = await sessions.start(DEFAULT_TENANT, id, from)
    const [cookie = ''] = started.cookie.split(';')
    const csrf = (await sessions.find(cookie))?.csrf ?? ''
    return {
      csrf,
      cookie,
      sessionId: started.id,
      get: (path: string) => ask(publicUrl, path, { cookie }),
      /** Sends a form with the token that its page holds. */
      post: (path: string, form: Form = {}) => ask(publicUrl, path, { cookie, form: { csrf, ...form } }),
      send: (path: string, how: Omit<Asking, 'cookie'>) => ask(publicUrl, path, { cookie, ...how }),
    }
  }

  return {
    publicUrl,
    clock,
    users,
    keys,
    passwords,
    provider,
    connections,
    store,
    consents,
    failures,
    factors: held,
    changes,
    person,
    anybody: (path: string, how: Asking = {}) => ask(publicUrl, path, how),
    connect: (holder: Holder, id: string, made: Partial<Made> = {}) =>
      store.replace(holder, id, { ...madeNow(clock.now()), ...made }),
    paste: (holder: Holder) => credentials.set(holder, notes, secret('note_1234')),
    tokenOf: async (holder: Holder) => (await credentials.tokenFor(holder, notes))?.reveal(),
    /** Keeps something that happened elsewhere in the house. */
    note: (event: AuditEvent) => audit.note(DEFAULT_TENANT, event),
    /** The kinds of what the audit log holds. */
    async audited(): Promise<string[]> {
      await audit.flush()
      const rows = await storage.for(DEFAULT_TENANT).selectFrom('audit').select('entry').orderBy('seq').execute()
      return rows.map(({ entry }) => String(Reflect.get(Object(JSON.parse(entry)), 'kind')))
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await connections.close()
      await fetches.close()
      await provider[Symbol.asyncDispose]()
      await consents.close()
      await sessions.close()
      await keys.close()
      await vault.close()
      await audit.close()
      await storage.close()
    },
  }
}
export type Scene = Awaited<ReturnType<typeof openScene>>

/** Connects the account for `issues` as a browser does. */
export async function connectThere(person: Awaited<ReturnType<Scene['person']>>): Promise<void> {
  const { location } = await person.post('/connect/issues')
  await person.get(`/callback?code=x&state=${stateOf(location)}`)
}

/** The `state` that a redirect to a provider carries. */
export function stateOf(location: string | null): string {
  return new URL(location ?? '').searchParams.get('state') ?? ''
}

/** A provider that answers every code with tokens, and says whose they are. */
async function startProvider(): Promise<Scripted> {
  const server = await startScripted()
  server.on('/token', () => ({
    body: { access_token: ACCESS, refresh_token: REFRESH, token_type: 'bearer', expires_in: 31 * DAY_S },
  }))
  server.on('/me', () => ({ body: { login: 'mika' } }))
  server.on('/revoke', () => ({ body: {} }))
  return server
}

/** `mal` takes nothing back; `absent` is not set up. */
function providersAt(server: Scripted): Readonly<Record<string, ProviderConfig>> {
  return {
    mal: providerAt(server, { id: 'mal', name: 'MyAnimeList', revocation: undefined, scopes: [] }),
    tracker: providerAt(server, { id: 'tracker', name: 'Tracker' }),
    absent: providerAt(server, { id: 'absent', name: 'Absent', clientId: undefined }),
  }
}

function madeNow(now: number): Made {
  return {
    credential: {
      accessToken: secret(ACCESS),
      refreshToken: secret(REFRESH),
      tokenType: 'Bearer',
      scopes: undefined,
      obtainedAt: now,
      expiresAt: now + 31 * DAY_S * 1000,
      boundTo: 'https://provider.test',
      clientId: 'gate',
      resource: undefined,
    },
    account: 'mika',
    scopes: ['write:users'],
    issuer: undefined,
  }
}

type Form = Readonly<Record<string, string | readonly string[]>>

interface Asking {
  readonly cookie?: string
  readonly form?: Form
  readonly headers?: Readonly<Record<string, string>>
}

export interface Page {
  readonly status: number
  readonly headers: Headers
  readonly location: string | null
  readonly text: string
}

async function ask(publicUrl: string, path: string, { cookie, form, headers = {} }: Asking): Promise<Page> {
  const response = await fetch(publicUrl + path, {
    redirect: 'manual',
    headers: { ...(cookie === undefined ? {} : { Cookie: cookie }), ...headers },
    ...(form === undefined ? {} : { method: 'POST', body: toBody(form) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, location: response.headers.get('Location'), text }
}

function toBody(form: Form): URLSearchParams {
  const body = new URLSearchParams()
  for (const [name, value] of Object.entries(form)) for (const one of [value].flat()) body.append(name, one)
  return body
}

/** The text of a page as a reader has it. */
export function readable({ text }: Page): string {
  const seen = text.replace(/<head>.*?<\/head>/s, '').replace(/<[^>]*>/g, ' ')
  return seen.replace(/\s+/g, ' ').trim()
}
