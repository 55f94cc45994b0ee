import type { UpstreamId } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import { problem } from '../../base/problem.ts'
import { render, renderAll } from '../../base/template.ts'
import type { Pools } from '../../http/outbound.ts'
import type { Launch } from '../children/launch.ts'
import type { Owner } from '../children/owner.ts'
import type { Children } from '../children/pool.ts'
import type { UpstreamDefinition } from '../definition.ts'
import type { Handshake, UpstreamEras } from '../era.ts'
import type { Caller, Transport } from '../transport.ts'
import { createBuiltinTransport, type LoadBuiltin } from './builtin.ts'
import { createHttpTransport } from './http.ts'
import { createStdioTransport } from './stdio.ts'

export interface OpenNeeds {
  readonly children: Children<Handshake>
  readonly pools: Pools
  readonly eras: UpstreamEras
  readonly clock: { now(): number }
  readonly log: Log
  readonly answerBytes: number
  /** Told of each notification that an upstream sends in mid-call. */
  onNotification(message: { readonly method: string }, owner: Owner): void
  readonly builtins: Readonly<Record<string, LoadBuiltin>>
}

/** Opens the transport that a definition asks for; nothing is started or connected by it. */
export function openTransport(needs: OpenNeeds): (definition: UpstreamDefinition) => Transport {
  const { children, pools, eras, clock, log, answerBytes } = needs
  return (definition) => {
    const { id: upstream, startTimeoutMs } = definition
    switch (definition.kind) {
      case 'stdio': {
        const { shared, memoryMb } = definition
        const limits = { startTimeoutMs, memoryMb }
        return createStdioTransport({ children, upstream, eras, shared, limits, launchFor: launcher(definition) })
      }
      case 'http': {
        const settings = { answerBytes, startMs: startTimeoutMs }
        const { url, headers } = definition
        return createHttpTransport({
          upstream,
          url,
          headers,
          eras,
          log,
          clock,
          settings,
          poolFor: pools.get,
          onNotification: (method, { tenant, userId }) =>
            needs.onNotification({ method }, { upstream, tenant, userId }),
        })
      }
      case 'builtin': {
        const load = needs.builtins[definition.builtin] ?? unknownBuiltin(upstream)
        const { apiBaseUrl } = definition
        return createBuiltinTransport({ upstream, eras, settings: { answerBytes }, load: () => load({ apiBaseUrl }) })
      }
    }
  }
}

/** Fills in command line and environment for one caller, on a copy. */
function launcher({ command, args, env, cwd }: UpstreamDefinition & { kind: 'stdio' }): (caller: Caller) => Launch {
  return ({ userId, token }) => {
    const values = { userId, token: token?.reveal() }
    return { command, args: args.map((arg) => render(arg, values)), env: renderAll(env, values), cwd }
  }
}

function unknownBuiltin(server: UpstreamId) {
  return () => Promise.reject(problem('upstream.start_failed', { server, reason: 'there is no such built-in server' }))
}
