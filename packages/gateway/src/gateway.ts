import type { IncomingMessage, ServerResponse } from 'node:http'
import { createAdminApp, type AdminCaller } from './admin/app.ts'
import { createAudit } from './audit/append.ts'
import type { Clock } from './base/clock.ts'
import { createIds, createRequestIds, type Random, type TenantId, type UpstreamId, type UserId } from './base/ids.ts'
import type { Log } from './base/log.ts'
import { problem } from './base/problem.ts'
import type { Secret } from './base/secret.ts'
import { VERSION } from './base/version.ts'
import type { Config, ServerConfig } from './config/config.ts'
import { createEdge } from './http/edge.ts'
import { createPools } from './http/outbound.ts'
import { createRefusal } from './http/refusal.ts'
import { createRouter, type Route } from './http/router.ts'
import type { Refuse } from './http/serve.ts'
import { createUnderWay } from './http/under-way.ts'
import { serveWeb } from './http/web.ts'
import { createApiKeys } from './identity/keys.ts'
import { mayReadMetrics, type Principal } from './identity/principal.ts'
import { createTenants, DEFAULT_TENANT } from './identity/tenants.ts'
import { createUsers } from './identity/users.ts'
import { createLimits } from './limits/spend.ts'
import { createBearer } from './mcp/bearer.ts'
import { createMcpEndpoint } from './mcp/endpoint.ts'
import { upstreamEras } from './mcp/eras/era.ts'
import { createFlights } from './mcp/flights.ts'
import { createStrangers } from './mcp/strangers.ts'
import { createTrail } from './mcp/trail.ts'
import { createCredentials } from './providers/credential.ts'
import type { ServiceToken } from './providers/service.ts'
import { createLastKnown } from './registry/last-known.ts'
import { NAME_LIMIT } from './registry/names.ts'
import { createRegistry } from './registry/registry.ts'
import { openStorage, type Storage } from './storage/database.ts'
import { createMemoryCounters } from './storage/shared/memory.ts'
import { createHealth } from './telemetry/health.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { createFailureNote, createObserver } from './telemetry/observe.ts'
import type { Owner } from './upstreams/children/owner.ts'
import { createChildren } from './upstreams/children/pool.ts'
import { reapLeftovers } from './upstreams/children/records.ts'
import { childrenDefaults } from './upstreams/children/settings.ts'
import { createChildTrail } from './upstreams/children/trail.ts'
import type { UpstreamDefinition } from './upstreams/definition.ts'
import type { BuiltinServer } from './upstreams/transports/builtin.ts'
import { openTransport } from './upstreams/transports/open.ts'
import { createGreet } from './upstreams/transports/stdio-greet.ts'
import { createUpstreams } from './upstreams/upstreams.ts'
import { openKeyring } from './vault/keyring.ts'
import { createVault } from './vault/vault.ts'

/** What a gate takes from outside itself. */
export interface World {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The servers of ours that may run in this process, loaded when they are first called. */
  readonly builtins: Readonly<Record<string, () => Promise<BuiltinServer>>>
  /** The PostgreSQL schema to use, where it is not the usual one. */
  readonly schema?: string | undefined
}

/** Who was let in at the first start. */
export interface Administrator {
  readonly name: string
  readonly key: Secret
}

/** A gate that is open. It listens nowhere by itself: whoever opened it gives it its sockets. */
export interface Gateway {
  /** Answers what comes over the network. */
  handle(request: IncomingMessage, response: ServerResponse): void
  /** Answers what comes over the socket in the data directory, which only its owner can open. */
  handleOperator(request: IncomingMessage, response: ServerResponse): void
  /** Answers what never became a request, wherever it came from. */
  readonly refuse: Refuse
  /**
   * At the very first start, lets somebody in who can let others in. To be asked when the gate can be reached and
   * what it answers can be shown, since the key is shown this once.
   */
  welcome(): Promise<Administrator | undefined>
  readonly rootKey: { readonly created: boolean; readonly place: string }
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
  const people = createPeople(config, world, kept)
  await people.tenants.ensureDefault()
  await reapLeftovers({ stateDir: config.dataDirectory, log: world.log, graceMs: childrenDefaults.graceMs })
  const calls = createCalls(config, world, { ...kept, ...people })
  const { endpoint, flights, newRequestId, noteFailure: onFailure } = calls
  const startedAt = world.clock.now()

  const health = createHealth({ checks: [{ name: 'database', check: () => probe(kept.storage) }], log: world.log })
  const admin = createAdminApp({
    ...people,
    ...calls,
    audit: kept.audit,
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
  const showMetrics = async (response: ServerResponse) => {
    const { metrics } = kept
    metrics.sekisho_calls_in_flight.set(flights.size)
    response.writeHead(200, ['Content-Type', metrics.contentType]).end(await metrics.text())
  }
  let stopping = false

  /** What is the same for everybody who comes over the network. */
  const routes: Route[] = [
    {
      path: '/mcp',
      handle: (request, response) => endpoint(request, response, undefined),
    },
    {
      path: '/mcp/',
      prefix: true,
      handle: (request, response, rest) => endpoint(request, response, rest as UpstreamId),
    },
    { path: '/health/live', anyHost: true, whileStopping: true, handle: (_request, response) => health.live(response) },
    {
      path: '/health/ready',
      anyHost: true,
      whileStopping: true,
      handle: (_request, response) => health.ready(response),
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
  ]
  const operatorRoutes: Route[] = [
    {
      path: '/admin/api/',
      prefix: true,
      handle: (request, response) => underWay.follow(fetchAdmin(request, response, { kind: 'operator' })),
    },
    { path: '/health/ready', whileStopping: true, handle: (_request, response) => health.ready(response) },
    { path: '/metrics', handle: (_request, response) => showMetrics(response) },
  ]
  const door = { isStopping: () => stopping, newRequestId, onFailure }
  const instance = Buffer.from(world.random(INSTANCE_BYTES)).toString('base64url')
  kept.audit.note(DEFAULT_TENANT, { kind: 'gate.started', version: VERSION, instance })

  return {
    handle: createRouter({ ...door, routes, checkEdge: createEdge({ ...config, ...config.listen }) }),
    handleOperator: createRouter({ ...door, routes: operatorRoutes, checkEdge: () => {} }),
    refuse: createRefusal({ newRequestId, onFailure }),
    welcome: () => letFirstIn(people),
    rootKey: kept.keyring,
    stop() {
      stopping = true
      health.stop()
    },
    async close() {
      const { drainMs } = config.timeouts
      await closeAll(world.log, {
        flights: () => Promise.all([flights.close(drainMs), underWay.landed(drainMs)]),
        ...calls.closing,
        keys: people.keys.close,
        vault: kept.vault.close,
        async audit() {
          kept.audit.note(DEFAULT_TENANT, { kind: 'gate.stopped', instance })
          await kept.audit.close()
        },
        storage: kept.storage.close,
      })
    },
  }
}

const ADMIN_BODY_BYTES = 64 * 1024
const INSTANCE_BYTES = 9
const CONNECTIONS_PER_ORIGIN = 256
const TOOLS_PER_PAGE = 1_000

/** What outlives a restart, and the record of what happens. */
async function openKept(config: Config, { clock, random, log, environment, schema }: World) {
  const { dataDirectory: dataDir, databaseUrl } = config
  const storage = await openStorage({ dataDir, databaseUrl, schema, clock, log })
  try {
    const keyring = await openKeyring({ storage, dataDir, environment, clock, random, log })
    const vault = createVault({ storage, keyring, clock, log, random })
    const audit = createAudit({ storage, clock, log, synchronous: config.audit.synchronous })
    return { storage, keyring, vault, audit, metrics: createMetrics() }
  } catch (error) {
    await storage.close()
    throw error
  }
}
type Kept = Awaited<ReturnType<typeof openKept>>

/** Who may call, how often, and with which credential of theirs. */
function createPeople({ limits, servers }: Config, { clock, random, log }: World, kept: Kept) {
  const { storage, vault, metrics, audit } = kept
  const newId = createIds(clock, random)
  const keys = createApiKeys({ storage, newId, clock, log, random })
  const credentials = createCredentials({ vault, clock })
  const leavers: ((tenant: TenantId, userId: UserId) => void)[] = [
    keys.dropUser,
    (tenant, userId) => credentials.dropUser({ tenant, userId }),
  ]
  const users = createUsers({
    storage,
    newId,
    clock,
    changed: (tenant, userId) => leavers.forEach((leave) => leave(tenant, userId)),
  })
  const services = new Map(
    servers.flatMap((server) => serviceOf(server) ?? []).map((service) => [service.service, service]),
  )
  const watched = createStrangers({ clock, keep: (event) => audit.note(DEFAULT_TENANT, event) })
  const { identify, authenticate } = createBearer({ keys, counted: countersOf(metrics) })
  return {
    tenants: createTenants({ storage, clock }),
    keys,
    users,
    /** Told when a user is changed or gone. */
    onUserChanged: (leave: (typeof leavers)[number]) => void leavers.push(leave),
    credentials,
    services,
    limits: createLimits({ counters: createMemoryCounters(clock), ...limits }),
    bearer: { identify: watched(identify), authenticate: watched(authenticate) },
  }
}
type People = ReturnType<typeof createPeople>

/** The first user and their key are made together: a crash leaves both or neither. */
function letFirstIn({ users, keys }: People): Promise<Administrator | undefined> {
  return users.addFirst(DEFAULT_TENANT, 'admin', async (db, { id, name }) => {
    const { key } = await keys.addIn(db, { userId: id, name: 'first start', scopes: ['mcp', 'admin', 'metrics'] })
    return { name, key }
  })
}

/** Where calls go: the upstreams, what is known of their tools, and the endpoint in front of them. */
function createCalls(config: Config, world: World, parts: Kept & People) {
  const { clock, log } = world
  const { metrics, audit, storage, credentials, services } = parts
  const { limits, timeouts, stdio, names } = config
  const newRequestId = createRequestIds(world.random)

  function onNotification({ method }: { readonly method: string }, { upstream, tenant, userId }: Owner): void {
    if (method === 'notifications/tools/list_changed') registry.invalidate(upstream, tenant, userId)
  }
  const children = createChildren({
    clock,
    log,
    stateDir: config.dataDirectory,
    settings: {
      ...childrenDefaults,
      ...stdio,
      lineBytes: limits.answerBytes,
      startTimeoutMs: timeouts.startMs,
      drainMs: timeouts.drainMs,
    },
    greet: createGreet(upstreamEras),
    onEvent: createChildTrail({ metrics, keep: audit.note }),
    onNotification,
  })
  const pools = createPools({ connections: CONNECTIONS_PER_ORIGIN, connectMs: timeouts.startMs })
  const upstreams = createUpstreams(
    config.servers.map((server): UpstreamDefinition => ({ ...server, service: services.get(server.id) })),
    openTransport({ ...world, children, pools, eras: upstreamEras, answerBytes: limits.answerBytes, onNotification }),
  )
  const tokens = {
    require(principal: Principal, upstream: UpstreamId) {
      const service = services.get(upstream)
      return service && credentials.requireToken(principal, service, upstream)
    },
  }
  const registry = createRegistry({
    upstreams,
    credentials: tokens,
    lastKnown: createLastKnown({ storage, clock }),
    clock,
    log,
    newRequestId,
    settings: { listMs: timeouts.listMs, nameLimit: NAME_LIMIT - names.clientPrefix.length },
  })
  const flights = createFlights()
  const noteFailure = createFailureNote({ log, metrics })
  const endpoint = createMcpEndpoint({
    registry,
    upstreams,
    limits: parts.limits,
    credentials: tokens,
    authenticate: parts.bearer.authenticate,
    flights,
    clock,
    newRequestId,
    noteFailure,
    trail: createTrail({ audit, clock, serviceOf: (upstream) => services.get(upstream)?.service }),
    settings: { requestBytes: limits.requestBytes, toolsPerPage: TOOLS_PER_PAGE },
    observe: createObserver(metrics),
  })
  /** Nothing goes on with a credential that is gone: a child may hold it in its environment. */
  function onTokenChanged(tenant: TenantId, userId: UserId, server: UpstreamId): void {
    registry.invalidate(server, tenant, userId)
    void upstreams.forget({ tenant, userId }, server)
  }
  parts.onUserChanged((tenant, userId) => void upstreams.forget({ tenant, userId }))
  return {
    children,
    servers: () => upstreams.definitions,
    onTokenChanged,
    registry,
    endpoint,
    flights,
    newRequestId,
    noteFailure,
    closing: { upstreams: upstreams.close, children: children.close, pools: pools.close },
  }
}

function countersOf({ sekisho_auth_total: total }: Kept['metrics']) {
  return { ok: total.labels('ok'), missing: total.labels('missing'), invalid: total.labels('invalid') }
}

/** What a server asks of its users, in full, where the configuration says it only in part. */
function serviceOf({ id, requiresUserToken, tokenSetup }: ServerConfig): ServiceToken | undefined {
  if (!requiresUserToken) return undefined
  const { name = id, instructions, helpUrl, format } = tokenSetup ?? {}
  const where = helpUrl === undefined ? '' : ` (${helpUrl})`
  const how = `Set it with \`sekisho token set ${id}\`, or ask an administrator of the gate to.`
  return {
    service: id,
    name,
    instructions: [`${instructions ?? `Get a token for ${name}.`}${where}`, how].join(' '),
    format,
  }
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
