import type { Config, ServerConfig } from '../config/config.ts'

/** What a server asks of its users: an account of theirs at a provider. */
export interface ProviderLink {
  /** The id of a provider, or `mcp:<server>` where the server's own metadata names the authorization server. */
  readonly provider: string
  readonly name: string
  /** The address that the access token is made for, where discovery says so; it goes to no other. */
  readonly resource?: string | undefined
}

/** Answers which account a server needs; `undefined` where it needs none. */
export function linkOf(server: ServerConfig, providers: Config['providers']): ProviderLink | undefined {
  if (server.provider !== undefined) {
    return { provider: server.provider, name: providers[server.provider]?.name ?? server.provider }
  }
  if (server.kind !== 'http' || server.oauth === undefined || server.url.kind !== 'text') return undefined
  return { provider: `mcp:${server.id}`, name: server.id, resource: server.url.text }
}

/** Every provider there is: those that are set up, and the servers that name their own. */
export function providersOf({ providers, servers }: Pick<Config, 'providers' | 'servers'>): string[] {
  const linked = servers.flatMap((server) => linkOf(server, providers)?.provider ?? [])
  return [...new Set([...Object.keys(providers), ...linked])]
}

/**
 * The hosts that the operator named by setting up this provider, or the server that names its own, as a URL's `host`
 * has them: for its sake the gate may connect to these although they are private, or plain http on loopback.
 */
export function hostsOf(provider: string, { providers, servers }: Pick<Config, 'providers' | 'servers'>): string[] {
  const configured = Object.hasOwn(providers, provider) ? providers[provider] : undefined
  const { tokenUrl, revocation, account } = configured ?? {}
  const links = servers
    .flatMap((server) => linkOf(server, providers) ?? [])
    .filter((link) => link.provider === provider)
  const named = [tokenUrl, revocation?.url, account?.url, ...links.map(({ resource }) => resource)]
  return [...new Set(named.flatMap((text) => (text === undefined ? [] : (URL.parse(text)?.host ?? []))))]
}
