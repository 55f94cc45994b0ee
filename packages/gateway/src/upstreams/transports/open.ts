import type { Clock } from '../../base/clock.ts'
import type { Random, UpstreamId } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import { problem } from '../../base/problem.ts'
import { render, renderAll } from '../../base/template.ts'
import type { Pools } from '../../http/outbound.ts'
import type { BuiltinStore } from '../builtin-store.ts'
import type { Launch } from '../children/launch.ts'
import type { Owner } from '../children/owner.ts'
import type { Children } from '../children/pool.ts'
import type { UpstreamDefinition } from '../definition.ts'
import type { UpstreamEras } from '../era.ts'
import type { LinkStore } from '../link-store.ts'
import type { Caller, Transport } from '../transport.ts'
import { createBuiltinTransport, type Done, type LoadBuiltin } from './builtin.ts'
import { fillOnce } from './filled.ts'
import { createHttpTransport } from './http.ts'
import { createRoutes } from './http-routes.ts'
import { createSseHint } from './sse-hint.ts'
import { createSseTransport } from './sse.ts'
import { createStdioTransport } from './stdio.ts'

export interface OpenNeeds {
  readonly children: Children
  readonly pools: Pools
  /** For streams that stay open, each of which takes a connection for itself. */
  readonly streamPools: Pools
  /** Where the sessions are kept that upstreams have opened. */
  readonly store: LinkStore
  /** What our own servers keep for users. */
  readonly builtinStore: BuiltinStore
  readonly eras: UpstreamEras
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly answerBytes: number
  /** Told of each notification that an upstream sends, whether it belongs to a call or not. */
  onNotification(message: { readonly method: string }, owner: Owner): void
  readonly builtins: Readonly<Record<string, LoadBuiltin>>
  /** Told what servers of our own do. */
  onDone(upstream: UpstreamId, done: Done): void
}

/** Opens the transport that a definition asks for; nothing is started or connected by it. */
export function openTransport(needs: OpenNeeds): (definition: UpstreamDefinition) => Transport {
  return (definition) => {
    switch (definition.kind) {
      case 'stdio':
        return openStdio(needs, definition)
      case 'http':
        return openHttp(needs, definition)
      case 'builtin':
        return openBuiltin(needs, definition)
    }
  }
}

type Definition<Kind> = UpstreamDefinition & { readonly kind: Kind }

function openStdio({ children }: OpenNeeds, definition: Definition<'stdio'>): Transport {
  const { id: upstream, shared, memoryMb, startTimeoutMs, args, env } = definition
  const launchFor = fillOnce([...args, ...Object.values(env)], (caller) => launchOf(definition, caller))
  return createStdioTransport({ children, upstream, shared, limits: { startTimeoutMs, memoryMb }, launchFor })
}

/** Fills in command line and environment for one caller, on a copy. */
function launchOf({ command, args, env, cwd }: Definition<'stdio'>, { userId, token }: Caller): Launch {
  const values = { userId, token: token?.reveal() }
  return { command, args: args.map((arg) => render(arg, values)), env: renderAll(env, values), cwd }
}

function openHttp(
  needs: OpenNeeds,
  { id: upstream, url, headers, startTimeoutMs, sse }: Definition<'http'>,
): Transport {
  const { eras, clock, random, log, pools, streamPools, store, answerBytes } = needs
  const routing = { url, headers, poolFor: pools.get, streamPoolFor: streamPools.get }
  const common = { ...routing, upstream, eras, clock, log, settings: { answerBytes, startMs: startTimeoutMs } }
  if (sse === true) return createSseTransport({ ...common, onNotification: needs.onNotification })
  const { for: routeFor } = createRoutes(routing)
  return createHttpTransport({
    ...common,
    random,
    store,
    unsupported: createSseHint({ upstream, clock, routeFor }),
    onNotification: (method, { tenant, userId }) => needs.onNotification({ method }, { upstream, tenant, userId }),
  })
}

function openBuiltin(needs: OpenNeeds, definition: Definition<'builtin'>) {
  const { id: upstream, builtin, apiBaseUrl, toolsets, readOnly = false, limits } = definition
  const { startTimeoutMs, timeoutMs } = definition
  const { eras, log, answerBytes, builtinStore, onNotification, onDone } = needs
  const storage = builtinStore.forUpstream(upstream)
  const load = needs.builtins[builtin] ?? unknownBuiltin(upstream)
  const settings = { answerBytes, startMs: startTimeoutMs }
  return createBuiltinTransport({
    upstream,
    eras,
    log,
    settings,
    load: () =>
      load({ apiBaseUrl, toolsets, readOnly, limits, timeoutMs, storage, count: (done) => onDone(upstream, done) }),
    onNotification,
  })
}

function unknownBuiltin(server: UpstreamId) {
  return () => Promise.reject(problem('upstream.start_failed', { server, reason: 'there is no such built-in server' }))
}
