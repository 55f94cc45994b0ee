import type Provider from 'oidc-provider'
import type { Client, Grant, KoaContextWithOIDC } from 'oidc-provider'
import { covers, type Asked, type Consents } from './consents.ts'
import { redirectHostOf, redirectKind } from './redirects.ts'
import type { Resources } from './resources.ts'
import { parseAccountId } from './visitor.ts'

export interface GrantsNeeds {
  readonly consents: Consents
  readonly resources: Resources
  /** The client ids of the configuration. */
  readonly knownIds: ReadonlySet<string>
}

/** An authorization request, as far as a permission depends on it. */
export interface Request {
  readonly scopes: readonly string[]
  readonly resources: readonly string[]
  readonly redirectUri: string
}

/**
 * The grants that tokens hang on. Each authorization has one of its own, though its user may have been asked only
 * the first time: a refresh token that was stolen, or that one device gives back, ends that family and no other.
 */
export function createGrants({ consents, resources, knownIds }: GrantsNeeds) {
  const isMetadataClient = (clientId: string): boolean => !knownIds.has(clientId) && /^https:/i.test(clientId)

  /** What registered itself has an id of its own; what has one for all its installations is known by its website. */
  function describe(clientId: string, { scopes, resources, redirectUri }: Request): Asked {
    const isOwnId = !knownIds.has(clientId) && !isMetadataClient(clientId)
    const isAssured = isOwnId || redirectKind(redirectUri) === 'https'
    return { scopes, resources, redirectHost: redirectHostOf(redirectUri), isAssured }
  }

  async function make(
    provider: Provider,
    whose: { accountId: string; clientId: string },
    asked: Asked,
  ): Promise<Grant> {
    const grant = new provider.Grant(whose)
    grant.addOIDCScope(asked.scopes.join(' '))
    for (const resource of asked.resources) grant.addResourceScope(resource, 'mcp')
    await grant.save()
    return grant
  }

  /** The grant an answer was given with; another's counts for nothing. */
  async function findGiven({ oidc }: KoaContextWithOIDC, grantId: string): Promise<Grant | undefined> {
    const grant = await oidc.provider.Grant.find(grantId)
    const isTheirs = grant?.accountId === oidc.account?.accountId && grant?.clientId === oidc.client?.clientId
    return isTheirs ? grant : undefined
  }

  return {
    describe,
    make,
    isMetadataClient,

    /** Whether the operator set a client up, or this user has let it in. */
    async isTrusted(clientId: string, accountId: string | undefined): Promise<boolean> {
      if (knownIds.has(clientId)) return true
      const user = accountId === undefined ? undefined : parseAccountId(accountId)
      return user !== undefined && (await consents.find(user, clientId)) !== undefined
    },

    /** The grant for an authorization whose user need not be asked; without one, they are. */
    async load(ctx: KoaContextWithOIDC): Promise<Grant | undefined> {
      const { oidc } = ctx
      const given = oidc.result?.consent?.grantId
      if (given !== undefined) return findGiven(ctx, given)
      const { account, client } = oidc
      const user = account && parseAccountId(account.accountId)
      if (user === undefined || client === undefined) return undefined
      if (oidc.promptPending('login') || oidc.promptPending('consent')) return undefined
      const asked = describe(client.clientId, requestOf(ctx))
      const consent = await consents.find(user, client.clientId)
      if (consent === undefined || !covers(consent, asked, resources.all)) return undefined
      return make(oidc.provider, { accountId: account?.accountId ?? '', clientId: client.clientId }, asked)
    },
  }
}
export type Grants = ReturnType<typeof createGrants>

function requestOf({ oidc }: KoaContextWithOIDC): Request {
  return {
    scopes: [...oidc.requestParamScopes],
    resources: Object.keys(oidc.resourceServers ?? {}),
    redirectUri: String(oidc.params?.['redirect_uri']),
  }
}

/** What to call a client whose metadata has no name. */
export function clientNameOf({ clientName, clientId }: Client): string {
  return clientName ?? (/^https:/i.test(clientId) ? new URL(clientId).host : clientId)
}
