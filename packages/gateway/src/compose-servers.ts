import type { TenantId, UpstreamId, UserId } from './base/ids.ts'
import type { Kept } from './compose-kept.ts'
import type { People } from './compose-people.ts'
import type { Config } from './config/config.ts'
import { createPools } from './http/outbound.ts'
import type { Principal } from './identity/principal.ts'
import { upstreamEras } from './mcp/eras/era.ts'
import { kindsChangedBy } from './registry/kinds.ts'
import { createLastKnown } from './registry/last-known.ts'
import { NAME_LIMIT } from './registry/names.ts'
import { createRegistry } from './registry/registry.ts'
import type { Owner } from './upstreams/children/owner.ts'
import { createBuiltinStore } from './upstreams/builtin-store.ts'
import { createChildren } from './upstreams/children/pool.ts'
import { childrenDefaults } from './upstreams/children/settings.ts'
import { createChildTrail } from './upstreams/children/trail.ts'
import { createLinkStore } from './upstreams/link-store.ts'
import type { Done } from './upstreams/transports/builtin.ts'
import { openTransport } from './upstreams/transports/open.ts'
import { createGreet } from './upstreams/transports/stdio-greet.ts'
import { createUpstreams } from './upstreams/upstreams.ts'
import type { World } from './world.ts'

const CONNECTIONS_PER_ORIGIN = 256
/** Each stream that stays open has a connection of its own, so that no call waits for it. */
const STREAMS_PER_ORIGIN = 10_000

/** The servers behind the gate, and what is known of what they have. */
export function createServers(config: Config, world: World, parts: Kept & People) {
  const { clock, log } = world
  const { metrics, audit, storage, sealer, announcements, accounts, newRequestId } = parts
  const { limits, timeouts, stdio, names } = config

  function onNotification({ method }: { readonly method: string }, { upstream, tenant, userId }: Owner): void {
    for (const kind of kindsChangedBy(method)) {
      registry.invalidate(upstream, { kind, tenant, userId })
      announcements.tell('catalog', { server: upstream, kind, tenant, userId })
    }
  }
  announcements.hear('catalog', ({ server, ...meant }) => registry.invalidate(server, meant))
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
  const streamPools = createPools({ connections: STREAMS_PER_ORIGIN, connectMs: timeouts.startMs })
  const store = createLinkStore({ storage, sealer, clock })
  const builtinStore = createBuiltinStore({ storage, clock })
  const { answerBytes } = limits
  const opening = {
    ...world,
    children,
    pools,
    streamPools,
    store,
    builtinStore,
    eras: upstreamEras,
    answerBytes,
    onNotification,
    onDone(server: UpstreamId, { what, outcome, ms }: Done) {
      metrics.sekisho_builtin_operations_total.inc({ server, what, outcome })
      metrics.sekisho_builtin_seconds_total.inc({ server, what, outcome }, ms / 1000)
    },
  }
  const upstreams = createUpstreams(accounts.definitions, openTransport(opening), clock)
  const lastKnown = createLastKnown({ storage, clock })
  const registry = createRegistry({
    upstreams,
    credentials: {
      require: (principal, upstream) => listingCredential(accounts, principal, upstream),
      renew: accounts.renew,
    },
    lastKnown,
    clock,
    log,
    newRequestId,
    onChanged({ kind, tenant, userId, ...change }) {
      if (kind === 'tools') audit.note(tenant, { kind: 'tools.changed', ...change, owner: userId })
    },
    settings: { listMs: timeouts.listMs, nameLimit: NAME_LIMIT - names.clientPrefix.length },
  })
  return {
    children,
    upstreams,
    registry,
    /** How many tools a server had when this user was last shown them. */
    async countTools(whose: { tenant: TenantId; userId: UserId }, server: UpstreamId): Promise<number | undefined> {
      const definition = upstreams.find(server)
      return definition && lastKnown.count({ definition, ...whose }, 'tools')
    },
    sweeps: [store.sweep, builtinStore.sweep],
    closing: {
      upstreams: upstreams.close,
      children: children.close,
      pools: () => Promise.all([pools.close(), streamPools.close()]),
    },
  }
}

/** Our own servers have the same tools for everybody, so what is missing shows at the call and hides none of them. */
function listingCredential({ definitions, require }: People['accounts'], principal: Principal, upstream: UpstreamId) {
  const isOurs = definitions.some(({ id, kind }) => id === upstream && kind === 'builtin')
  return isOurs ? undefined : require(principal, upstream)
}
