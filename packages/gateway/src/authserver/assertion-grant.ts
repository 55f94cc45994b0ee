import type Provider from 'oidc-provider'
import { errors } from 'oidc-provider'
import type { Assertions, Asserted } from './assertions.ts'
import type { Grants } from './grants.ts'
import { JWT_BEARER_GRANT } from './settings.ts'
import { toAccountId } from './visitor.ts'

export interface AssertionGrantNeeds {
  readonly assertions: Assertions
  readonly grants: Pick<Grants, 'make'>
  readonly onAsserted: (asserted: Asserted, clientId: string) => void
}

/**
 * Teaches the library to exchange an assertion for an access token. There is nothing to refresh: the issuer is asked
 * anew, so that whoever it lets go is gone within a token's life. The user is not asked, the enterprise has decided.
 *
 * @see RFC 7523 §2.1, draft-ietf-oauth-identity-assertion-authz-grant §4.4
 */
export function addAssertionGrant(provider: Provider, { assertions, grants, onAsserted }: AssertionGrantNeeds): void {
  provider.registerGrantType(
    JWT_BEARER_GRANT,
    async (ctx) => {
      const { client, params } = ctx.oidc
      if (client === undefined || client.clientAuthMethod === 'none')
        throw new errors.UnauthorizedClient('this grant is for clients that prove who they are')
      const assertion = params?.['assertion']
      const resource = params?.['resource']
      if (typeof assertion !== 'string') throw new errors.InvalidRequest('the assertion is missing')
      const { clientId } = client
      const asserted = await assertions.verify({
        assertion,
        clientId,
        resource: typeof resource === 'string' ? resource : undefined,
      })
      const accountId = toAccountId(asserted.account)
      const permission = { scopes: ['mcp'], resources: [asserted.resource], redirectHost: '', isAssured: true }
      const grant = await grants.make(provider, { accountId, clientId }, permission)
      const token = new provider.AccessToken({ accountId, client, grantId: grant.jti, gty: 'jwt_bearer', scope: 'mcp' })
      const about = { scope: 'mcp', audience: asserted.resource, accessTokenFormat: 'opaque' as const }
      token.resourceServer = new provider.ResourceServer(asserted.resource, about)
      const value = await token.save()
      onAsserted(asserted, clientId)
      ctx.body = { access_token: value, token_type: 'Bearer', expires_in: token.expiration, scope: 'mcp' }
    },
    ['assertion', 'scope', 'resource'],
  )
}
