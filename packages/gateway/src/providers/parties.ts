import type { Clock } from '../base/clock.ts'
import type { TenantId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import { createRecent } from '../base/recent.ts'
import type { Config, DiscoveredOAuth, ServerConfig } from '../config/config.ts'
import { covers, discover, readMetadata, type ServerMetadata } from './discover.ts'
import type { FetchFor } from './fetches.ts'
import { boundTo, partyOf, type KnownClient, type Party } from './party.ts'
import { linkOf, type ProviderLink } from './link.ts'
import type { Registrant, Registration } from './registration.ts'
import type { Credential } from './tokens.ts'

export interface PartiesNeeds {
  readonly clock: Clock
  readonly fetchFor: FetchFor
  readonly registration: Registration
  readonly settings: Pick<Config, 'providers' | 'servers'>
  onOperation(operation: 'discover', outcome: string): void
}

/** What binds a credential, or a connection that was begun, to its authorization server. */
export type Bound = Pick<Credential, 'boundTo' | 'clientId'> & { readonly resource?: string | undefined }

const METADATA = 100
const METADATA_MS = 600_000

/** The authorization servers of this gate: those of the configuration, and those that servers name. */
export function createParties({ clock, fetchFor, registration, settings, onOperation }: PartiesNeeds) {
  const { providers, servers } = settings
  const links = servers.flatMap((server) => linkOf(server, providers) ?? [])
  const found = new Map(
    servers.flatMap((server) => findServer(server) ?? []).map((server) => [server.provider, server]),
  )
  const known = createRecent<string, { metadata: ServerMetadata; until: number }>(METADATA)

  async function metadataOf(issuer: string, server: Server): Promise<ServerMetadata> {
    const held = known.get(issuer)
    if (held !== undefined && clock.now() < held.until) return held.metadata
    const metadata = await readMetadata(fetchFor(server.provider), issuer, server)
    known.set(issuer, { metadata, until: clock.now() + METADATA_MS })
    return metadata
  }

  async function find(server: Server) {
    try {
      const discovered = await discover(fetchFor(server.provider), server)
      onOperation('discover', 'ok')
      return discovered
    } catch (error) {
      onOperation('discover', 'failed')
      throw error
    }
  }

  return {
    links,

    /**
     * The party of a new connection, found out anew where discovery says which it is.
     *
     * @throws {Problem} `connection.unknown`, `provider.*`, `outbound.refused`
     */
    async require(tenant: TenantId, provider: string): Promise<Party> {
      const configured = Object.hasOwn(providers, provider) ? providers[provider] : undefined
      if (configured !== undefined) return partyOf(configured)
      const server = found.get(provider)
      if (server === undefined) throw problem('connection.unknown', { provider })
      const { metadata, resource, scopes } = await find(server)
      known.set(metadata.issuer, { metadata, until: clock.now() + METADATA_MS })
      const client = await registration.require(registrantOf(tenant, server, metadata))
      return {
        ...describe(server, metadata, client),
        resource,
        scopes: server.oauth.scopes ?? kept(scopes ?? [], metadata),
      }
    },

    /**
     * The party that something is bound to; `undefined` where the configuration or the authorization server has become
     * another: nothing is sent there.
     *
     * @throws {Problem} `provider.*`, `outbound.refused` where it cannot be found out just now
     */
    async find(tenant: TenantId, provider: string, bound: Bound): Promise<Party | undefined> {
      const configured = Object.hasOwn(providers, provider) ? providers[provider] : undefined
      if (configured !== undefined) {
        const party = partyOf(configured)
        const same = boundTo(party) === bound.boundTo && party.client.clientId === bound.clientId
        return same ? party : undefined
      }
      const server = found.get(provider)
      if (server === undefined || bound.resource === undefined || !covers(bound.resource, server.url)) return undefined
      const metadata = await metadataOf(bound.boundTo, server)
      const client = await registration.find(registrantOf(tenant, server, metadata), bound.clientId)
      return client && { ...describe(server, metadata, client), resource: bound.resource, scopes: [] }
    },

    /** Gives a registration up that is not known there any more, so that the next connection makes another. */
    async forgetClient(tenant: TenantId, { issuer, client }: Party): Promise<void> {
      if (client.registered && issuer !== undefined) await registration.forget(tenant, issuer, client.clientId)
    },
  }
}
export type Parties = ReturnType<typeof createParties>

type Server = ProviderLink & { readonly url: string; readonly oauth: DiscoveredOAuth }

function findServer(server: ServerConfig): Server | undefined {
  const link = linkOf(server, {})
  const oauth = server.kind === 'http' ? server.oauth : undefined
  return link?.resource === undefined || oauth === undefined ? undefined : { ...link, url: link.resource, oauth }
}

/**
 * Asks, beside the scopes of a server, to be let in again without the user, where its authorization server knows how
 * that is asked for. Where no scope is asked for, what is granted is the authorization server's to say.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess OpenID Connect Core §11}
 */
function kept(scopes: readonly string[], { scopes_supported: known = [] }: ServerMetadata): readonly string[] {
  const isAsked = scopes.length > 0 && known.includes(OFFLINE) && !scopes.includes(OFFLINE)
  return isAsked ? [...scopes, OFFLINE] : scopes
}

const OFFLINE = 'offline_access'

function registrantOf(tenant: TenantId, { provider, name, oauth }: Server, metadata: ServerMetadata): Registrant {
  return { tenant, provider, name, metadata, configured: oauth }
}

/** A server that follows the specification, in the terms of a definition. */
function describe(
  { provider: id, name }: Server,
  metadata: ServerMetadata,
  client: KnownClient,
): Omit<Party, 'resource' | 'scopes'> {
  const { revocation_endpoint: revocation } = metadata
  return {
    id,
    name,
    client,
    issuer: metadata.issuer,
    sendsIssuer: metadata.authorization_response_iss_parameter_supported === true,
    authorizationUrl: metadata.authorization_endpoint,
    tokenUrl: metadata.token_endpoint,
    revocation: revocation === undefined ? undefined : { style: 'rfc7009', url: revocation },
    authorizationParameters: {},
    pkce: 'S256',
    scopeSeparator: ' ',
    tokenReply: { format: 'json', errorsWithStatus200: false, path: undefined, grantErrors: [], clientErrors: [] },
    refresh: { rotates: 'optional' },
    account: undefined,
  }
}
