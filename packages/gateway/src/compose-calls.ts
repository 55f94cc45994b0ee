import type { TenantId, UpstreamId, UserId } from './base/ids.ts'
import type { Kept } from './compose-kept.ts'
import type { People } from './compose-people.ts'
import { createServers } from './compose-servers.ts'
import type { Config } from './config/config.ts'
import { cameBy, maySeeUpstream, type Principal } from './identity/principal.ts'
import { createStreamLimits } from './limits/streams.ts'
import { createParking } from './mcp/bridge/parking.ts'
import { createSeals } from './mcp/bridge/states.ts'
import { createMcpEndpoint } from './mcp/endpoint.ts'
import { exposeNotification } from './mcp/exposed.ts'
import { createFlights } from './mcp/flights.ts'
import { createFollowing } from './mcp/following.ts'
import { createListening } from './mcp/listen.ts'
import { createPlacing } from './mcp/placing.ts'
import { openSessions } from './mcp/sessions/open.ts'
import { createTrail } from './mcp/trail.ts'
import { createWatches } from './mcp/watches.ts'
import { isPersonal } from './registry/last-known.ts'
import { readUri, type OwnUri } from './registry/names.ts'
import type { Registry } from './registry/registry.ts'
import { createObserver } from './telemetry/observe.ts'
import type { UpstreamDefinition } from './upstreams/definition.ts'
import type { World } from './world.ts'

const ITEMS_PER_PAGE = 1_000
const SWEEP_MS = 3_600_000

/** Where calls go: the servers, the sessions and streams of their clients, and the endpoint in front of them. */
export async function createCalls(config: Config, world: World, parts: Kept & People) {
  const { clock, log, random } = world
  const { metrics, audit, storage, shared, announcements, accounts, gateSecrets, newRequestId, noteFailure } = parts
  const servers = createServers(config, world, parts)
  const { upstreams, registry } = servers
  const keyFor = (purpose: string) => gateSecrets.require(`mcp.${purpose}`)
  const readServers = new Set(upstreams.definitions.filter(({ readOnly }) => readOnly).map(({ id }) => id))
  const sharedServers = new Set(upstreams.definitions.filter(isSharedByUsers).map(({ id }) => id))

  const watches = createWatches({ upstreams, credentials: accounts, log })
  const following = createFollowing({
    watch: watches.watch,
    visible: (principal, server) =>
      upstreams.definitions
        .map(({ id }) => id)
        .filter((id) => (server === undefined || server === id) && maySeeUpstream(principal, id)),
    expose: exposeNotification,
    readUri: (exposed) => ownUriIn(registry, exposed),
    log,
  })
  const streamLimits = createStreamLimits(config.limits)
  const flights = createFlights()
  const open = await openSessions({
    ...shared,
    storage,
    following,
    flights,
    clock,
    random,
    log,
    key: await keyFor('sessions'),
    forget: upstreams.forgetSession,
    limits: streamLimits,
    keptMost: config.limits.sessionsPerUser,
    isShared: config.redisUrl !== undefined,
  })
  const parking = createParking({ ...shared, key: await keyFor('parks'), clock, random })
  const listening = createListening({ following, limits: streamLimits })
  const endpoint = createMcpEndpoint({
    ...open,
    registry,
    upstreams,
    parking,
    listening,
    flights,
    clock,
    newRequestId,
    noteFailure,
    limits: parts.limits,
    credentials: accounts,
    authenticate: parts.bearer.authenticate,
    placing: createPlacing({
      registry,
      seals: createSeals({ key: await keyFor('states'), clock }),
      isShared: (id) => sharedServers.has(id),
      isReadOnly: (id) => readServers.has(id),
    }),
    trail: createTrail({ audit, watch: parts.watch, clock, serviceOf: accounts.serviceOf }),
    settings: { requestBytes: config.limits.requestBytes, perPage: ITEMS_PER_PAGE },
    tellUpstreams: watches.tell,
    observe: createObserver(metrics),
  })

  /** Nothing goes on with a credential that is gone: a child may hold it in its environment. */
  function dropCredential(tenant: TenantId, userId: UserId, server: UpstreamId): void {
    const who = { tenant, userId }
    registry.invalidate(server, who)
    void upstreams.forget(who, server).then(() => watches.renew(who, server))
    following.changed(server, ['tools', 'prompts', 'resources'], who)
  }
  function onTokenChanged(tenant: TenantId, userId: UserId, server: UpstreamId): void {
    dropCredential(tenant, userId, server)
    announcements.tell('credential', { tenant, userId, server })
  }
  announcements.hear('credential', ({ tenant, userId, server }) => {
    accounts.credentials.dropUser({ tenant, userId })
    parts.connections.dropUser({ tenant, userId })
    dropCredential(tenant, userId, server)
  })
  /** Who is let in once is not asked again while a stream lasts. */
  function endStreamsOf(isMeant: (principal: Principal) => boolean): void {
    open.streams.endOf(isMeant)
    listening.endOf(isMeant)
  }
  parts.onUserChanged((tenant, userId) => {
    void upstreams.forget({ tenant, userId })
    endStreamsOf((principal) => principal.tenant === tenant && principal.userId === userId)
  })
  parts.onAccessEnded((ended) => endStreamsOf(cameBy(ended)))
  accounts.onConnectionChanged((tenant, userId, ids) => {
    for (const id of ids) onTokenChanged(tenant, userId, id)
  })
  const sweeping = setInterval(() => {
    for (const sweep of [open.sessions.sweep, ...servers.sweeps])
      sweep().catch((error: unknown) => log.warn({ error }, 'gate.sweep_failed'))
  }, SWEEP_MS)
  sweeping.unref()

  return {
    children: servers.children,
    servers: () => upstreams.definitions,
    onTokenChanged,
    countTools: servers.countTools,
    countStreams: () => streamLimits.size,
    registry,
    endpoint,
    flights,
    /** Ends what stays open until somebody ends it, so that the rest can be waited for. */
    stop() {
      listening.close()
      open.streams.close()
    },
    closing: {
      parking: parking.close,
      sessions: open.close,
      async sweeping() {
        clearInterval(sweeping)
      },
      ...servers.closing,
    },
  }
}
export type Calls = Awaited<ReturnType<typeof createCalls>>

/** Clients may have written the server's name in other letters. */
function ownUriIn({ named }: Pick<Registry, 'named'>, exposed: string): OwnUri | undefined {
  const own = readUri(exposed)
  const server = own && named(own.server)
  return server && { ...own, server }
}

/** Whether users look alike to a server: it is given nothing of theirs, and runs once for all of them. */
function isSharedByUsers(definition: UpstreamDefinition): boolean {
  return definition.kind !== 'builtin' && !isPersonal(definition)
}
