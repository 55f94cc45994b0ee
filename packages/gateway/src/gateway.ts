import type { IncomingMessage, ServerResponse } from 'node:http'
import { createAdminApp, type AdminCaller } from './admin/app.ts'
import { createAudit } from './audit/append.ts'
import type { Clock } from './base/clock.ts'
import { createIds, createRequestIds, type Random, type TenantId, type UpstreamId, type UserId } from './base/ids.ts'
import type { Log } from './base/log.ts'
import { problem } from './base/problem.ts'
import type { Secret } from './base/secret.ts'
import type { Config, ServerConfig } from './config/config.ts'
import { createEdge } from './http/edge.ts'
import { createPools } from './http/outbound.ts'
import { createRefusal } from './http/refusal.ts'
import { createRouter, type Route } from './http/router.ts'
import type { Refuse } from './http/serve.ts'
import { serveWeb } from './http/web.ts'
import { createApiKeys } from './identity/keys.ts'
import { mayReadMetrics, type Principal } from './identity/principal.ts'
import { createTenants } from './identity/tenants.ts'
import { createUsers } from './identity/users.ts'
import { createLimits } from './limits/spend.ts'
import { createBearer } from './mcp/bearer.ts'
import { createMcpEndpoint } from './mcp/endpoint.ts'
import { upstreamEras } from './mcp/eras/era.ts'
import { createFlights } from './mcp/flights.ts'
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
import type { ChildEvent } from './upstreams/children/events.ts'
import { createChildren } from './upstreams/children/pool.ts'
import { reapLeftovers } from './upstreams/children/records.ts'
import { childrenDefaults } from './upstreams/children/settings.ts'
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

/** A gate that is open. It listens nowhere by itself: whoever opened it gives it its sockets. */
export interface Gateway {
  /** Answers what comes over the network. */
  handle(request: IncomingMessage, response: ServerResponse): void
  /** Answers what comes over the socket in the data directory, which only its owner can open. */
  handleOperator(request: IncomingMessage, response: ServerResponse): void
  /** Answers what never became a request, wherever it came from. */
  readonly refuse: Refuse
  /** The administrator made at the first start, and their key, which is shown this once. */
  readonly administrator: { readonly name: string; readonly key: Secret } | undefined
  readonly rootKey: { readonly created: boolean; readonly place: string }
  /** From now on the gate is not ready, and begins nothing new. */
  stop(): void
  /** Waits for what is under way, `timeouts.drainMs` at the latest, and lets go of everything. */
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
  const administrator = await welcomeAdministrator(people)
  await reapLeftovers({ stateDir: config.dataDirectory, log: world.log, graceMs: childrenDefaults.graceMs })
  const calls = createCalls(config, world, { ...kept, ...people })
  const { endpoint, flights, close: closeCalls } = calls
  const startedAt = world.clock.now()

  const health = createHealth({ checks: [{ name: 'database', check: () => probe(kept.storage) }], log: world.log })
  const admin = createAdminApp({
    ...people,
    ...calls,
    audit: kept.audit,
    clock: world.clock,
    startedAt,
    url: () => config.publicUrl,
    onFailure: calls.noteFailure,
  })
  const fetchAdmin = (request: IncomingMessage, response: ServerResponse, caller: AdminCaller) =>
    serveWeb(request, response, { bodyLimit: ADMIN_BODY_BYTES, fetch: (web) => admin.fetch(web, caller) })
  const showMetrics = async (response: ServerResponse) => {
    const { metrics } = kept
    response.writeHead(200, ['Content-Type', metrics.contentType]).end(await metrics.text())
  }
  let stopping = false

  /** What is the same for everybody who comes over the network. */
  const routes: Route[] = [
    {
      path: '/mcp',
      handle(request, response) {
        if (stopping) throw problem('gate.stopping')
        return endpoint(request, response, undefined)
      },
    },
    {
      path: '/mcp/',
      prefix: true,
      handle(request, response, rest) {
        if (stopping) throw problem('gate.stopping')
        return endpoint(request, response, rest as UpstreamId)
      },
    },
    { path: '/health/live', anyHost: true, handle: (_request, response) => health.live(response) },
    { path: '/health/ready', anyHost: true, handle: (_request, response) => health.ready(response) },
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
      async handle(request, response) {
        await fetchAdmin(request, response, { kind: 'principal', principal: await people.bearer.identify(request) })
      },
    },
  ]
  const operatorRoutes: Route[] = [
    {
      path: '/admin/api/',
      prefix: true,
      handle: (request, response) => fetchAdmin(request, response, { kind: 'operator' }),
    },
    { path: '/health/ready', handle: (_request, response) => health.ready(response) },
    { path: '/metrics', handle: (_request, response) => showMetrics(response) },
  ]
  const { newRequestId } = calls
  const onFailure = calls.noteFailure

  return {
    handle: createRouter({ routes, checkEdge: createEdge({ ...config, ...config.listen }), newRequestId, onFailure }),
    handleOperator: createRouter({ routes: operatorRoutes, checkEdge: () => {}, newRequestId, onFailure }),
    refuse: createRefusal({ newRequestId, onFailure }),
    administrator,
    rootKey: kept.keyring,
    stop() {
      stopping = true
      health.stop()
    },
    async close() {
      await flights.close(config.timeouts.drainMs)
      await closeCalls()
      await Promise.all([people.keys.close(), kept.vault.close()])
      await kept.audit.close()
      await kept.storage.close()
    },
  }
}

const ADMIN_BODY_BYTES = 64 * 1024
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
function createPeople({ limits, servers }: Config, { clock, random, log }: World, { storage, vault, metrics }: Kept) {
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
  return {
    tenants: createTenants({ storage, clock }),
    keys,
    users,
    /** Told when a user is changed or gone. */
    onUserChanged: (leave: (typeof leavers)[number]) => void leavers.push(leave),
    credentials,
    services,
    limits: createLimits({ counters: createMemoryCounters(clock), ...limits }),
    bearer: createBearer({ keys, counted: countersOf(metrics) }),
  }
}
type People = ReturnType<typeof createPeople>

/** At the very first start: somebody has to be let in to let others in. */
async function welcomeAdministrator({ tenants, users, keys }: People): Promise<Gateway['administrator']> {
  const tenant = await tenants.ensureDefault()
  const user = await users.addFirst(tenant, 'admin')
  if (!user) return undefined
  const { key } = await keys.add(tenant, { userId: user.id, name: 'first start', scopes: ['mcp', 'admin', 'metrics'] })
  return { name: user.name, key }
}

/** Where calls go: the upstreams, what is known of their tools, and the endpoint in front of them. */
function createCalls(config: Config, world: World, parts: Kept & People) {
  const { clock, log } = world
  const { metrics, audit, storage, credentials, services } = parts
  const { limits, timeouts, stdio, names } = config
  const newRequestId = createRequestIds(world.random)

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
    onEvent: createChildTrail(parts),
    onNotification({ method }, { upstream, tenant, userId }) {
      if (method === 'notifications/tools/list_changed') registry.invalidate(upstream, tenant, userId)
    },
  })
  const pools = createPools({ connections: CONNECTIONS_PER_ORIGIN, connectMs: timeouts.startMs })
  const upstreams = createUpstreams(
    config.servers.map((server): UpstreamDefinition => ({ ...server, service: services.get(server.id) })),
    openTransport({ ...world, children, pools, eras: upstreamEras, answerBytes: limits.answerBytes }),
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
    void children.end((owner) => owner.tenant === tenant && owner.userId === userId && owner.upstream === server)
  }
  parts.onUserChanged(
    (tenant, userId) => void children.end((owner) => owner.tenant === tenant && owner.userId === userId),
  )
  return {
    children,
    servers: () => upstreams.definitions,
    onTokenChanged,
    registry,
    endpoint,
    flights,
    newRequestId,
    noteFailure,
    async close() {
      await upstreams.close()
      await children.close()
      await pools.close()
    },
  }
}

function countersOf({ sekisho_auth_total: total }: Kept['metrics']) {
  return { ok: total.labels('ok'), missing: total.labels('missing'), invalid: total.labels('invalid') }
}

/** What happens to children is kept, and counted. */
function createChildTrail({ audit, metrics }: Kept): (event: ChildEvent) => void {
  return (event) => {
    const { tenant, userId: owner, upstream: server } = event.owner
    switch (event.kind) {
      case 'started':
        metrics.sekisho_children.labels(server).inc()
        metrics.sekisho_child_starts_total.labels(server, 'ok').inc()
        return void audit.record(tenant, { kind: 'upstream.started', server, owner, pid: event.pid })
      case 'start_failed':
        return metrics.sekisho_child_starts_total.labels(server, event.code).inc()
      case 'ended':
        metrics.sekisho_children.labels(server).dec()
        return void audit.record(tenant, {
          kind: 'upstream.ended',
          server,
          owner,
          pid: event.pid,
          reason: event.reason,
        })
    }
  }
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

async function probe({ system }: Storage): Promise<void> {
  await system.selectFrom('meta').select('key').limit(1).execute()
}
