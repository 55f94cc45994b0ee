import type { TenantId, UpstreamId, UserId } from './base/ids.ts'
import type { Kept } from './compose-kept.ts'
import type { People } from './compose-people.ts'
import type { Config } from './config/config.ts'
import { createPools } from './http/outbound.ts'
import type { Principal } from './identity/principal.ts'
import { createMcpEndpoint } from './mcp/endpoint.ts'
import { upstreamEras } from './mcp/eras/era.ts'
import { createFlights } from './mcp/flights.ts'
import { createTrail } from './mcp/trail.ts'
import { createLastKnown } from './registry/last-known.ts'
import { NAME_LIMIT } from './registry/names.ts'
import { createRegistry } from './registry/registry.ts'
import { createObserver } from './telemetry/observe.ts'
import type { Owner } from './upstreams/children/owner.ts'
import { createChildren } from './upstreams/children/pool.ts'
import { childrenDefaults } from './upstreams/children/settings.ts'
import { createChildTrail } from './upstreams/children/trail.ts'
import { openTransport } from './upstreams/transports/open.ts'
import { createGreet } from './upstreams/transports/stdio-greet.ts'
import { createUpstreams } from './upstreams/upstreams.ts'
import type { World } from './world.ts'

const CONNECTIONS_PER_ORIGIN = 256
const TOOLS_PER_PAGE = 1_000

/** Where calls go: the upstreams, what is known of their tools, and the endpoint in front of them. */
export function createCalls(config: Config, world: World, parts: Kept & People) {
  const { clock, log } = world
  const { metrics, audit, storage, accounts, newRequestId, noteFailure } = parts
  const { limits, timeouts, stdio, names } = config

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
    accounts.definitions,
    openTransport({ ...world, children, pools, eras: upstreamEras, answerBytes: limits.answerBytes, onNotification }),
  )
  const lastKnown = createLastKnown({ storage, clock })
  const registry = createRegistry({
    upstreams,
    credentials: { require: (principal, upstream) => listingCredential(accounts, principal, upstream) },
    lastKnown,
    clock,
    log,
    newRequestId,
    settings: { listMs: timeouts.listMs, nameLimit: NAME_LIMIT - names.clientPrefix.length },
  })
  const flights = createFlights()
  const endpoint = createMcpEndpoint({
    registry,
    upstreams,
    limits: parts.limits,
    credentials: accounts,
    authenticate: parts.bearer.authenticate,
    flights,
    clock,
    newRequestId,
    noteFailure,
    trail: createTrail({ audit, clock, serviceOf: accounts.serviceOf }),
    settings: { requestBytes: limits.requestBytes, toolsPerPage: TOOLS_PER_PAGE },
    observe: createObserver(metrics),
  })
  /** Nothing goes on with a credential that is gone: a child may hold it in its environment. */
  function onTokenChanged(tenant: TenantId, userId: UserId, server: UpstreamId): void {
    registry.invalidate(server, tenant, userId)
    void upstreams.forget({ tenant, userId }, server)
  }
  parts.onUserChanged((tenant, userId) => void upstreams.forget({ tenant, userId }))
  accounts.onConnectionChanged((tenant, userId, servers) => {
    for (const server of servers) onTokenChanged(tenant, userId, server)
  })
  return {
    children,
    servers: () => upstreams.definitions,
    onTokenChanged,
    /** How many tools a server had when this user was last shown them. */
    async countTools(whose: { tenant: TenantId; userId: UserId }, server: UpstreamId): Promise<number | undefined> {
      const definition = upstreams.find(server)
      return definition && (await lastKnown.find({ definition, ...whose }))?.length
    },
    registry,
    endpoint,
    flights,
    closing: { upstreams: upstreams.close, children: children.close, pools: pools.close },
  }
}
export type Calls = ReturnType<typeof createCalls>

/** Our own servers have the same tools for everybody, so what is missing shows at the call and hides none of them. */
function listingCredential({ definitions, require }: People['accounts'], principal: Principal, upstream: UpstreamId) {
  const isOurs = definitions.some(({ id, kind }) => id === upstream && kind === 'builtin')
  return isOurs ? undefined : require(principal, upstream)
}
