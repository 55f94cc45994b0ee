import { createGuardedFetch, type Fetch } from '../../http/guarded-fetch.ts'
import type { IdentityProvider } from './provider.ts'

/** Key sets with certificates in them are longer than other documents. */
const MAX_BYTES = 256 * 1024

/**
 * One guarded fetch for each identity provider: the host of its issuer was named by the operator and may be private;
 * where its metadata lead beyond that, they lead to the public internet only.
 */
export function createIdentityFetches(providers: readonly IdentityProvider[], allowedHosts: readonly string[]) {
  const guards = new Map(
    providers.map(({ id, issuer }) => {
      const own = URL.parse(issuer)?.host
      const hosts = own === undefined ? allowedHosts : [...allowedHosts, own]
      return [id, createGuardedFetch({ allowedHosts: hosts, maxBytes: MAX_BYTES })]
    }),
  )
  return {
    fetchFor({ id }: Pick<IdentityProvider, 'id'>): Fetch {
      const guard = guards.get(id)
      if (guard === undefined) throw new TypeError(`there is no identity provider ${id}`)
      return guard.fetch
    },
    async close(): Promise<void> {
      await Promise.all([...guards.values()].map((guard) => guard.close()))
    },
  }
}
export type FetchFor = ReturnType<typeof createIdentityFetches>['fetchFor']
