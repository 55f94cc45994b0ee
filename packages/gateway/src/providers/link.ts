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

/**
 * The hosts that the operator named by setting up providers and servers, as a URL's `host` has them: the gate may
 * connect to these although they are private, or plain http on loopback.
 */
export function hostsOf({ providers, servers }: Pick<Config, 'providers' | 'servers'>): string[] {
  const endpoints = Object.values(providers).flatMap(({ tokenUrl, revocation, account }) => [
    tokenUrl,
    ...(revocation ? [revocation.url] : []),
    ...(account ? [account.url] : []),
  ])
  const found = servers.flatMap((server) => linkOf(server, providers)?.resource ?? [])
  return [...new Set([...endpoints, ...found].flatMap((text) => URL.parse(text)?.host ?? []))]
}
