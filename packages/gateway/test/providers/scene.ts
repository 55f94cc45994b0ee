import { createHash } from 'node:crypto'
import { createAudit } from '../../src/audit/append.ts'
import { systemRandom, type UpstreamId, type UserId } from '../../src/base/ids.ts'
import { secret } from '../../src/base/secret.ts'
import type { HttpServer, ProviderConfig } from '../../src/config/config.ts'
import { createConnections, type ConnectionsNeeds } from '../../src/providers/connections.ts'
import { createFetches } from '../../src/providers/fetches.ts'
import { createGateSecrets } from '../../src/vault/gate-secrets.ts'
import { openKeyring } from '../../src/vault/keyring.ts'
import { createSealer } from '../../src/vault/sealer.ts'
import { createVault } from '../../src/vault/vault.ts'
import { createTestClock, quiet, ten, type FreshDatabase } from '../stores/databases.ts'
import type { Scripted } from './scripted-server.ts'

export const ada = { tenant: ten, userId: 'usr_ada' as UserId }
export const grace = { tenant: ten, userId: 'usr_grace' as UserId }
export const session = { ...ada, sessionId: 'browser-of-ada' }
export const CLIENT_SECRET = 'client-secret-that-nobody-sees'
export const publicUrl = 'http://localhost:7354'

/** A provider at a scripted server, with whatever is odd about it. */
export function providerAt({ origin }: Pick<Scripted, 'origin'>, odd: Partial<ProviderConfig> = {}): ProviderConfig {
  return {
    id: 'own',
    name: 'Own',
    authorizationUrl: `${origin}/authorize`,
    tokenUrl: `${origin}/token`,
    issuer: undefined,
    revocation: { style: 'rfc7009', url: `${origin}/revoke` },
    authorizationParameters: {},
    pkce: 'S256',
    clientAuthentication: 'body',
    scopes: ['read', 'write'],
    scopeSeparator: ' ',
    tokenReply: { format: 'json', errorsWithStatus200: false, path: undefined, grantErrors: [], clientErrors: [] },
    refresh: { rotates: 'always' },
    account: { url: `${origin}/me`, name: 'login' },
    apiBaseUrl: undefined,
    redirect: 'exact',
    help: undefined,
    clientId: 'client-1',
    clientSecret: secret(CLIENT_SECRET),
    ...odd,
  }
}

/** A server that follows the MCP authorization specification. */
export function serverAt(
  { origin }: Pick<Scripted, 'origin'>,
  oauth: Partial<NonNullable<HttpServer['oauth']>> = {},
): HttpServer {
  return {
    kind: 'http',
    id: 'notes' as UpstreamId,
    description: undefined,
    requiresUserToken: false,
    tokenSetup: undefined,
    provider: undefined,
    timeoutMs: 1_000,
    startTimeoutMs: 1_000,
    url: { kind: 'text', text: `${origin}/mcp` },
    headers: {},
    oauth: { clientId: undefined, clientSecret: undefined, scopes: undefined, ...oauth },
  }
}

export interface Given {
  readonly providers?: Readonly<Record<string, ProviderConfig>>
  readonly servers?: readonly HttpServer[]
  readonly publicUrl?: string
  readonly allowedHosts?: readonly string[]
  readonly clientMetadataUrl?: string
  /** Stands between the connections and their database. */
  readonly storage?: (storage: FreshDatabase['storage']) => ConnectionsNeeds['storage']
  readonly clock?: ReturnType<typeof createTestClock>
}

/** The connections of a gate with ada and grace, over a real database, vault and guarded fetch. */
export async function createScene(database: FreshDatabase, given: Given) {
  const { storage, place } = database
  for (const { userId: id } of [ada, grace]) {
    await storage
      .for(ten)
      .insertInto('users', { id, name: id, role: 'member', created_at: 0 })
      .onConflict((row) => row.doNothing())
      .execute()
  }
  const clock = given.clock ?? createTestClock()
  const keyring = await openKeyring({ storage, dataDir: place.dataDir, environment: {}, clock, log: quiet })
  const sealer = createSealer({ keyring })
  const audit = createAudit({ storage, clock, log: quiet })
  const settings = {
    publicUrl: given.publicUrl ?? publicUrl,
    providers: given.providers ?? {},
    servers: given.servers ?? [],
    outbound: { allowedHosts: [], clientMetadataUrl: given.clientMetadataUrl },
  }
  const fetches = createFetches(settings, given.allowedHosts ?? [])
  const operations: string[] = []
  const changes: string[] = []
  const seen = given.storage?.(storage) ?? storage
  const connections = await createConnections({
    storage: seen,
    vault: createVault({ storage: seen, keyring, clock, log: quiet }),
    sealer,
    gateSecrets: createGateSecrets({ storage, sealer, tenant: ten }),
    clock,
    random: systemRandom,
    log: quiet,
    audit,
    fetchFor: fetches.fetchFor,
    settings,
    onOperation: (operation, outcome) => void operations.push(`${operation} ${outcome}`),
  })
  connections.onChanged((_tenant, userId, provider) => void changes.push(`${userId} ${provider}`))
  return {
    connections,
    clock,
    operations,
    changes,
    link: { provider: 'own', name: 'Own' },
    async auditKinds() {
      await audit.flush()
      const rows = await storage.for(ten).selectFrom('audit').select('entry').orderBy('seq').execute()
      return rows.map(({ entry }) => JSON.parse(entry))
    },
    async [Symbol.asyncDispose]() {
      await connections.close()
      await fetches.close()
      await audit.close()
    },
  }
}
export type Scene = Awaited<ReturnType<typeof createScene>>

/** Begins a connection and answers it as the provider does. */
export async function connect(scene: Scene, provider = 'own', code = 'code-1') {
  const url = await scene.connections.begin({ ...session, provider, next: '/account' })
  return scene.connections.finish({ session, address: answerTo(url, { code }) })
}

/** Where the browser is sent back to. */
export function answerTo(url: URL, says: Readonly<Record<string, string>>): URL {
  const address = new URL(url.searchParams.get('redirect_uri') ?? url)
  for (const [name, value] of Object.entries({ state: url.searchParams.get('state') ?? '', ...says }))
    address.searchParams.set(name, value)
  return address
}

export const S256 = (verifier: string) => createHash('sha256').update(verifier).digest('base64url')

/** Every text and every blob of the tables that connections write. */
export async function dump({ storage }: FreshDatabase): Promise<string> {
  const tables = ['connections', 'connect_flows', 'upstream_clients', 'vault_records', 'audit'] as const
  const rows = await Promise.all(tables.map((table) => storage.system.selectFrom(table).selectAll().execute()))
  return JSON.stringify(rows.flat(), (_key, value: unknown) => {
    return isBytes(value) ? Buffer.from(value.data).toString('latin1') : value
  })
}

function isBytes(value: unknown): value is { data: number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value
}
