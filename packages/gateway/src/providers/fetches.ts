import { problem } from '../base/problem.ts'
import type { Config } from '../config/config.ts'
import { createGuardedFetch, type Fetch } from '../http/guarded-fetch.ts'
import { hostsOf, providersOf } from './link.ts'

/** The fetch for one provider's addresses. @throws {Problem} `connection.unknown` */
export type FetchFor = (provider: string) => Fetch

/**
 * One guarded fetch for each provider, since a server that names its own authorization server is a stranger: what the
 * operator named for one provider is no place that another can send the gate to. `allowedHosts` are open to all.
 */
export function createFetches(
  settings: Pick<Config, 'providers' | 'servers'>,
  allowedHosts: readonly string[],
): { readonly fetchFor: FetchFor; close(): Promise<void> } {
  const guards = new Map(
    providersOf(settings).map((provider) => {
      const own = hostsOf(provider, settings)
      return [provider, createGuardedFetch({ allowedHosts: [...allowedHosts, ...own] })]
    }),
  )
  return {
    fetchFor(provider) {
      const guard = guards.get(provider)
      if (guard === undefined) throw problem('connection.unknown', { provider })
      return guard.fetch
    },
    async close() {
      await Promise.all([...guards.values()].map((guard) => guard.close()))
    },
  }
}
