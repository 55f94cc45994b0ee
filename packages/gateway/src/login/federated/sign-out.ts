import type { TenantId } from '../../base/ids.ts'
import type { Storage } from '../../storage/database.ts'
import type { MetadataOf } from './metadata.ts'
import type { IdentityProvider } from './provider.ts'

export interface SignOutNeeds {
  readonly storage: Pick<Storage, 'for'>
  readonly metadataOf: MetadataOf
  readonly publicUrl: string
  /** Finds the provider of an issuer that lets the people of a tenant in. */
  findByIssuer(tenant: TenantId, issuer: string): IdentityProvider | undefined
}

/** Signing out at a provider as well, for who signed out here: otherwise whoever comes next is signed in by one click. */
export function createSignOut({ storage, metadataOf, publicUrl, findByIssuer }: SignOutNeeds) {
  return {
    /** The provider that vouched for a session; `undefined` where none did, or it is none of ours any more. */
    async providerOf(tenant: TenantId, sessionId: string): Promise<IdentityProvider | undefined> {
      const sessions = storage.for(tenant).selectFrom('sessions').select('federated_issuer')
      const row = await sessions.where('id', '=', sessionId).executeTakeFirst()
      return row?.federated_issuer ? findByIssuer(tenant, row.federated_issuer) : undefined
    },

    /**
     * Where a browser signs out at a provider; `undefined` where it has no such place.
     *
     * @throws {Problem} `federated.unreachable`, `federated.bad_answer`
     * @see {@link https://openid.net/specs/openid-connect-rpinitiated-1_0.html OpenID Connect RP-Initiated Logout 1.0 §2}
     */
    async endSessionUrl(provider: IdentityProvider): Promise<URL | undefined> {
      if (provider.protocol !== 'oidc') return undefined
      const { end_session_endpoint: endpoint } = await metadataOf(provider)
      if (endpoint === undefined) return undefined
      const url = new URL(endpoint)
      url.searchParams.set('client_id', provider.clientId)
      url.searchParams.set('post_logout_redirect_uri', `${publicUrl}/sign-in`)
      return url
    },
  }
}
