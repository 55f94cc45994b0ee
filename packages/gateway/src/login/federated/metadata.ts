import {
  allowInsecureRequests,
  customFetch,
  discoveryRequest,
  processDiscoveryResponse,
  type AuthorizationServer,
} from 'oauth4webapi'
import type { Clock } from '../../base/clock.ts'
import { isSafePlace } from '../../base/loopback.ts'
import { toProblem, unbelievable } from './failure.ts'
import type { FetchFor } from './fetches.ts'
import type { IdentityProvider } from './provider.ts'

/** What a provider says of itself, with what signing in cannot do without. */
export type ProviderMetadata = AuthorizationServer & {
  readonly authorization_endpoint: string
  readonly token_endpoint: string
  readonly jwks_uri: string
}

interface Known {
  readonly at: number
  readonly metadata: Promise<ProviderMetadata>
}

const KEPT_MS = 3_600_000

/**
 * The metadata of each provider, asked for when it is first needed and once an hour after that.
 *
 * @see {@link https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig OpenID Connect Discovery §4}
 */
export function createMetadata({ fetchFor, clock }: { readonly fetchFor: FetchFor; readonly clock: Clock }) {
  const known = new Map<string, Known>()

  async function ask(provider: IdentityProvider): Promise<ProviderMetadata> {
    try {
      const issuer = new URL(provider.issuer)
      const options = { [customFetch]: fetchFor(provider), [allowInsecureRequests]: isSafePlace(issuer) }
      return complete(provider, await processDiscoveryResponse(issuer, await discoveryRequest(issuer, options)))
    } catch (error) {
      throw toProblem(provider, error)
    }
  }

  /** @throws {Problem} `federated.unreachable`, `federated.bad_answer`, `outbound.refused` */
  return function metadataOf(provider: IdentityProvider): Promise<ProviderMetadata> {
    const found = known.get(provider.id)
    if (found !== undefined && clock.now() - found.at < KEPT_MS) return found.metadata
    const asked: Known = { at: clock.now(), metadata: ask(provider) }
    known.set(provider.id, asked)
    // What failed is asked for again the next time.
    asked.metadata.catch(() => {
      if (known.get(provider.id) === asked) known.delete(provider.id)
    })
    return asked.metadata
  }
}
export type MetadataOf = ReturnType<typeof createMetadata>

/** A browser is sent to one of these and secrets to the others, so that each has to be https, or this machine. */
function complete(provider: IdentityProvider, metadata: AuthorizationServer): ProviderMetadata {
  const { authorization_endpoint, token_endpoint, jwks_uri, userinfo_endpoint, end_session_endpoint } = metadata
  if (authorization_endpoint === undefined || token_endpoint === undefined || jwks_uri === undefined)
    throw unbelievable(provider, 'its metadata lacks an endpoint')
  const endpoints = [authorization_endpoint, token_endpoint, jwks_uri, userinfo_endpoint, end_session_endpoint]
  if (!endpoints.every((endpoint) => endpoint === undefined || isSafe(endpoint)))
    throw unbelievable(provider, 'its endpoints are not https')
  return { ...metadata, authorization_endpoint, token_endpoint, jwks_uri }
}

function isSafe(endpoint: string): boolean {
  const url = URL.parse(endpoint)
  return url !== null && isSafePlace(url)
}
