import type { TenantId, UpstreamId, UserId } from './base/ids.ts'
import type { Secret } from './base/secret.ts'
import type { Kept } from './compose-kept.ts'
import type { Config, ServerConfig } from './config/config.ts'
import type { Principal } from './identity/principal.ts'
import type { Connections } from './providers/connections.ts'
import { createCredentials } from './providers/credential.ts'
import type { ProviderLink } from './providers/link.ts'
import type { ServiceToken } from './providers/service.ts'
import type { UpstreamDefinition } from './upstreams/definition.ts'
import type { World } from './world.ts'

interface AccountsNeeds extends Pick<Kept, 'vault'>, Pick<World, 'clock'> {
  readonly config: Config
  readonly connections: Connections
  linkOf(server: ServerConfig): ProviderLink | undefined
}

/** What each server asks of its users, and the credential each user has for it. */
export function createAccounts({ config, vault, clock, connections, linkOf }: AccountsNeeds) {
  const credentials = createCredentials({ vault, clock, linkFor: connections.linkFor })
  const definitions = config.servers.map((server): UpstreamDefinition =>
    defined(server, { config, service: serviceOf(server), link: linkOf(server) }),
  )
  const byId = new Map(definitions.map((definition) => [definition.id, definition]))

  return {
    credentials,
    definitions,
    /**
     * The user's own credential for an upstream; `undefined` where it takes none.
     *
     * @throws {Problem} `token.required`, `connection.*`, `provider.*`
     */
    require(principal: Principal, upstream: UpstreamId): Secret | undefined | Promise<Secret | undefined> {
      const { service, link } = byId.get(upstream) ?? {}
      if (link) return connections.require(principal, link, upstream)
      return service && credentials.requireToken(principal, service, upstream)
    },
    /**
     * Another one, where the upstream did not take the one at hand, or wants it to have these scopes. A pasted token has
     * no other.
     */
    async renew(
      principal: Principal,
      upstream: UpstreamId,
      refused: Secret,
      scopes?: readonly string[],
    ): Promise<Secret | undefined> {
      const link = byId.get(upstream)?.link
      if (link === undefined) return undefined
      if (scopes === undefined) return connections.renew(principal, link, upstream, refused)
      return connections.widen({ holder: principal, link, server: upstream }, refused, scopes)
    },
    /** Whose credential goes along, for the record. */
    serviceOf(upstream: UpstreamId): string | undefined {
      const { service, link } = byId.get(upstream) ?? {}
      return link?.provider ?? service?.service
    },
    /** Told of the servers whose credential is another one now, or gone. */
    onConnectionChanged(tell: (tenant: TenantId, userId: UserId, servers: readonly UpstreamId[]) => void): void {
      connections.onChanged((tenant, userId, provider) => {
        const concerned = definitions.filter(({ link }) => link?.provider === provider)
        tell(
          tenant,
          userId,
          concerned.map(({ id }) => id),
        )
      })
    },
  }
}

interface Asks {
  readonly config: Config
  readonly service: ServiceToken | undefined
  readonly link: ProviderLink | undefined
}

function defined(server: ServerConfig, { config, service, link }: Asks): UpstreamDefinition {
  if (server.kind !== 'builtin') return { ...server, service, link }
  const apiBaseUrl = server.provider === undefined ? undefined : config.providers[server.provider]?.apiBaseUrl
  return { ...server, service, link, apiBaseUrl }
}

/** What a server asks of its users, in full, where the configuration says it only in part. */
function serviceOf({ id, requiresUserToken, tokenSetup, provider }: ServerConfig): ServiceToken | undefined {
  if (!requiresUserToken || provider !== undefined) return undefined
  const { name = id, instructions, helpUrl, format } = tokenSetup ?? {}
  return {
    service: id,
    name,
    instructions: instructions ?? `Get a token for ${name}${helpUrl === undefined ? '' : ` at ${helpUrl}`}.`,
    helpUrl,
    format,
  }
}
