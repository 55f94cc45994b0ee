import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createAdminApp, type AdminCaller } from './admin/app.ts'
import type { TenantId, UpstreamId } from './base/ids.ts'
import type { Log } from './base/log.ts'
import { problem, type Problem } from './base/problem.ts'
import type { Secret } from './base/secret.ts'
import { VERSION } from './base/version.ts'
import { createCalls } from './compose-calls.ts'
import { openKept, type Kept } from './compose-kept.ts'
import { createPageRoutes } from './compose-pages.ts'
import { openPeople, type People } from './compose-people.ts'
import type { Config } from './config/config.ts'
import { createAllowedAddresses } from './http/allowed-addresses.ts'
import { createClientAddress } from './http/client-address.ts'
import { createProxies, limitConnections } from './http/connections.ts'
import { createEdge } from './http/edge.ts'
import { createOverload } from './http/overload.ts'
import { createRefusal } from './http/refusal.ts'
import { createRouter, type Route } from './http/router.ts'
import type { Refuse } from './http/serve.ts'
import { createUnderWay } from './http/under-way.ts'
import { serveWeb } from './http/web.ts'
import { mayReadMetrics } from './identity/principal.ts'
import { createTenants, DEFAULT_TENANT, type NamedTenants } from './identity/tenants.ts'
import type { User } from './identity/users.ts'
import { showProblem } from './pages/problem.ts'
import type { Storage } from './storage/database.ts'
import { createHealth } from './telemetry/health.ts'
import { reapLeftovers } from './upstreams/children/records.ts'
import { childrenDefaults } from './upstreams/children/settings.ts'
import type { World } from './world.ts'

export type { World } from './world.ts'

/** Who was let in at the first start. */
export interface Administrator {
  readonly name: string
  /** Where they choose their password, or come in to link an account; good for once. */
  readonly link: Secret
  readonly choosesPassword: boolean
}

/** A gate that is open. It listens nowhere by itself: whoever opened it gives it its sockets. */
export interface Gateway {
  /** Answers what comes over the network. */
  handle(request: IncomingMessage, response: ServerResponse): void
  /** Answers what comes over the socket in the data directory, which only its owner can open. */
  handleOperator(request: IncomingMessage, response: ServerResponse): void
  /** Answers what never became a request, wherever it came from. */
  readonly refuse: Refuse
  /** Bounds the connections of a server that listens on the network. */
  limitConnections(server: Server): void
  /**
   * As long as no owner has chosen a password, lets one in who can let others in. To be asked when the gate can be
   * reached and what it answers can be shown, since the link is shown this once.
   */
  welcome(): Promise<Administrator | undefined>
  readonly rootKey: { readonly created: boolean; readonly place: string; readonly because: string | undefined }
  /** From now on the gate is not ready, and begins nothing new. */
  stop(): void
  /** Waits for what is under way, `timeouts.drainMs` at the latest, and lets go of everything. Never rejects. */
  close(): Promise<void>
}

/**
 * Puts the house together: the only place where rooms meet. What is opened first is closed last.
 *
 * @throws {Problem} `storage.*`, `vault.root_key_*`
 */
export async function createGateway(config: Config, world: World): Promise<Gateway> {
  const kept = await openKept(config, world)
  try {
    return await open(config, world, kept)
  } catch (error) {
    // Its connections would keep the process from ending.
    await closeAll(world.log, { shared: kept.shared.close, storage: kept.storage.close })
    throw error
  }
}

async function open(config: Config, world: World, kept: Kept): Promise<Gateway> {
  await openTenants(config, world, kept)
  const people = await openPeople(config, world, kept)
  await reapLeftovers({ stateDir: config.dataDirectory, log: world.log, graceMs: childrenDefaults.graceMs })
  const calls = await createCalls(config, world, { ...kept, ...people })
  const { endpoint, flights } = calls
  const { newRequestId, noteFailure: onFailure } = kept
  const startedAt = world.clock.now()

  const health = createHealth({
    checks: [{ name: 'database', check: () => probe(kept.storage) }],
    providers: people.reachable,
    log: world.log,
  })
  const admin = createAdminApp({
    ...kept,
    ...people,
    ...calls,
    credentials: people.accounts.credentials,
    invitations: people.login.invitations,
    factors: people.login.factors,
    sessions: people.login.sessions,
    agents: people.authserver.agents,
    clock: world.clock,
    startedAt,
    url: () => config.publicUrl,
    onFailure,
  })
  const underWay = createUnderWay()
  const fetchAdmin = (request: IncomingMessage, response: ServerResponse, caller: AdminCaller) =>
    serveWeb(request, response, { bodyLimit: ADMIN_BODY_BYTES, fetch: (web) => admin.fetch(web, caller) })
  const fetchForPrincipal = async (request: IncomingMessage, response: ServerResponse) =>
    fetchAdmin(request, response, { kind: 'principal', principal: await people.bearer.identify(request) })
  const fetchForOperator = async (request: IncomingMessage, response: ServerResponse) =>
    fetchAdmin(request, response, { kind: 'operator', tenant: requireTenant(people.login.tenants, request) })
  const isShared = createProxies(config.trustProxy)
  const addressOf = createClientAddress({ trusted: config.trustProxy })
  const overload = createOverload({
    settings: config.limits,
    addressOf,
    isShared,
    chance: () => (world.random(1)[0] ?? 0) / 256,
  })
  let connections = () => 0
  const measure = async () => {
    const { metrics } = kept
    metrics.sekisho_calls_in_flight.set(flights.size)
    metrics.sekisho_requests_in_flight.set(overload.inFlight())
    metrics.sekisho_requests_waiting.set(overload.waiting())
    metrics.sekisho_streams.set(calls.countStreams())
    metrics.sekisho_connections.set(connections())
    metrics.sekisho_event_loop_delay_seconds.set(overload.delaySeconds())
    metrics.oauth_active_sessions.set(await people.login.sessions.count().catch(() => NaN))
    return metrics.text()
  }
  const { siblings } = world
  siblings?.measureBy(measure)
  const showMetrics = async (response: ServerResponse) => {
    const text = await (siblings?.metrics() ?? measure())
    response.writeHead(200, ['Content-Type', kept.metrics.contentType]).end(text)
  }
  let stopping = false

  /** What is the same for everybody who comes over the network. */
  const routes: Route[] = [
    {
      path: '/mcp',
      origins: 'mcp',
      cors: MCP_METHODS,
      handle: (request, response) => endpoint(request, response, undefined),
    },
    {
      path: '/mcp/',
      prefix: true,
      origins: 'mcp',
      cors: MCP_METHODS,
      handle: (request, response, rest) => endpoint(request, response, rest as UpstreamId),
    },
    { path: '/health/live', anyHost: true, whileStopping: true, handle: (_request, response) => health.live(response) },
    {
      path: '/health/ready',
      anyHost: true,
      whileStopping: true,
      handle: (_request, response) => health.ready(response, { toOperator: false }),
    },
    {
      path: '/metrics',
      async handle(request, response) {
        if (!mayReadMetrics(await people.bearer.identify(request)))
          throw problem('auth.forbidden', { scope: 'metrics' })
        await showMetrics(response)
      },
    },
    {
      path: '/admin/api/',
      prefix: true,
      handle: (request, response) => underWay.follow(fetchForPrincipal(request, response)),
    },
    ...createPageRoutes(config, world, { ...kept, ...people, ...calls }, underWay.follow),
  ]
  const operatorRoutes: Route[] = [
    {
      path: '/admin/api/',
      prefix: true,
      handle: (request, response) => underWay.follow(fetchForOperator(request, response)),
    },
    {
      path: '/health/ready',
      whileStopping: true,
      handle: (_request, response) => health.ready(response, { toOperator: true }),
    },
    { path: '/metrics', handle: (_request, response) => showMetrics(response) },
  ]
  const door = { isStopping: () => stopping, newRequestId, onFailure }
  const checkAddress = createAllowedAddresses({ ...config, addressOf })
  const checkHeaders = createEdge({ ...config, ...config.listen })
  const checkEdge: typeof checkHeaders = (request, origins) => {
    checkAddress(request)
    checkHeaders(request, origins)
  }
  const showPage = (failure: Problem, requestId: string) => showProblem(failure, { requestId })
  const instance = Buffer.from(world.random(INSTANCE_BYTES)).toString('base64url')
  kept.audit.note(DEFAULT_TENANT, { kind: 'gate.started', version: VERSION, instance })

  return {
    handle: createRouter({
      ...door,
      routes,
      showPage,
      admit: overload.admit,
      checkEdge,
    }),
    handleOperator: createRouter({ ...door, routes: operatorRoutes, checkEdge: () => {} }),
    refuse: createRefusal({ newRequestId, onFailure }),
    limitConnections(server) {
      const onRefused = (limit: string) => kept.metrics.sekisho_refused_total.labels(limit).inc()
      connections = limitConnections(server, { ...config.limits, isShared, onOpened: overload.opened, onRefused }).open
    },
    welcome: () => letFirstIn(people),
    rootKey: kept.keyring,
    stop() {
      stopping = true
      health.stop()
      calls.stop()
    },
    async close() {
      const { drainMs } = config.timeouts
      overload.close()
      await closeAll(world.log, {
        flights: () => Promise.all([flights.close(drainMs), underWay.landed(drainMs)]),
        ...calls.closing,
        ...people.closers,
        keys: people.keys.close,
        vault: kept.vault.close,
        async audit() {
          kept.audit.note(DEFAULT_TENANT, { kind: 'gate.stopped', instance })
          await kept.audit.close()
        },
        shared: kept.shared.close,
        storage: kept.storage.close,
      })
    },
  }
}

const ADMIN_BODY_BYTES = 64 * 1024
const INSTANCE_BYTES = 9
const MCP_METHODS = ['POST', 'GET', 'DELETE']

/** Makes the tenants that the configuration names, and tells of those that it names no more. */
async function openTenants(config: Config, { clock, log }: World, { storage }: Kept): Promise<void> {
  const tenants = createTenants({ storage, clock })
  const named = new Set<TenantId>()
  for (const { name } of config.tenants) named.add(await tenants.ensure(name))
  for (const tenant of await tenants.list()) if (!named.has(tenant)) log.warn({ tenant }, 'tenant.not_configured')
}

/**
 * Which tenant the operator means: `Sekisho-Tenant` names it, the default one where it is absent.
 *
 * @throws {Problem} `tenant.unknown`
 */
function requireTenant(tenants: NamedTenants, { headers }: IncomingMessage): TenantId {
  const name = headers['sekisho-tenant']
  const found = name === undefined ? DEFAULT_TENANT : tenants.find(String(name))
  if (found === undefined) throw problem('tenant.unknown', { tenant: String(name) })
  return found
}

/**
 * The first user and their link are made together: a crash leaves both or neither. While no owner can come
 * in, each start makes another link: whoever missed the first would be shut out.
 */
async function letFirstIn(people: People): Promise<Administrator | undefined> {
  const { users, login } = people
  const choosesPassword = login.policyOf(DEFAULT_TENANT).methods.length > 0
  const first = await users.addFirst(DEFAULT_TENANT, 'admin', async (db, { id, name }) => {
    const { url } = await login.invitations.createIn(db, id)
    return { name, link: url, choosesPassword }
  })
  if (first !== undefined) return first
  const owners = (await users.list(DEFAULT_TENANT)).filter(({ role }) => role === 'owner')
  const [oldest] = owners.toSorted((a, b) => a.createdAt - b.createdAt)
  if (oldest === undefined || (await canComeIn(people, owners, choosesPassword))) return undefined
  const { url } = await login.invitations.create(DEFAULT_TENANT, oldest.id)
  return { name: oldest.name, link: url, choosesPassword }
}

/** Whether one of them has a password, where the gate has ways in of its own, or an identity at a provider there is. */
async function canComeIn({ login, federated }: People, owners: readonly User[], hasOwnWays: boolean): Promise<boolean> {
  if (hasOwnWays && (await login.passwords.hasAny(DEFAULT_TENANT, owners))) return true
  const linked = await Promise.all(owners.map(({ id }) => federated.identities.list(DEFAULT_TENANT, id)))
  return linked.flat().some((each) => federated.opens(DEFAULT_TENANT, each))
}

/** Takes every step, whichever of them fails: what is left open would keep its lock, or its children. */
async function closeAll(log: Log, steps: Readonly<Record<string, () => Promise<unknown>>>): Promise<void> {
  for (const [what, close] of Object.entries(steps)) {
    try {
      await close()
    } catch (error) {
      log.error({ what, error }, 'gate.close_failed')
    }
  }
}

async function probe({ system }: Storage): Promise<void> {
  await system.selectFrom('meta').select('key').limit(1).execute()
}
