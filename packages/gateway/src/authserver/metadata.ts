import type { Resources } from './resources.ts'
import {
  CLIENT_AUTH_METHODS,
  DEVICE_GRANT,
  JWT_BEARER_GRANT,
  SCOPES,
  type AuthserverSettings,
  type OAuthSettings,
} from './settings.ts'

/**
 * What a client reads first: where everything is and what is understood. One document for OAuth and OpenID.
 *
 * @see RFC 8414 §2, OpenID Connect Discovery §3, RFC 9207 §3
 */
export function describeServer({ publicUrl, oauth }: AuthserverSettings): object {
  return {
    issuer: publicUrl,
    authorization_endpoint: `${publicUrl}/authorize`,
    token_endpoint: `${publicUrl}/token`,
    ...(oauth.dynamicRegistration ? { registration_endpoint: `${publicUrl}/register` } : {}),
    ...(oauth.deviceAuthorization ? { device_authorization_endpoint: `${publicUrl}/device_authorization` } : {}),
    revocation_endpoint: `${publicUrl}/revoke`,
    jwks_uri: `${publicUrl}/jwks`,
    ...profilesOf(oauth),
    scopes_supported: SCOPES,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: grantTypesOf(oauth),
    token_endpoint_auth_methods_supported: CLIENT_AUTH_METHODS,
    token_endpoint_auth_signing_alg_values_supported: SIGNING,
    revocation_endpoint_auth_methods_supported: CLIENT_AUTH_METHODS,
    revocation_endpoint_auth_signing_alg_values_supported: SIGNING,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: oauth.clientIdMetadata,
    prompt_values_supported: ['none', 'login', 'consent'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: SIGNING,
    claims_supported: ['sub', 'iss', 'auth_time'],
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
  }
}

function grantTypesOf({ deviceAuthorization, trustedIssuers }: OAuthSettings): readonly string[] {
  const always = ['authorization_code', 'refresh_token', 'client_credentials']
  const devices = deviceAuthorization ? [DEVICE_GRANT] : []
  return [...always, ...devices, ...(trustedIssuers.length > 0 ? [JWT_BEARER_GRANT] : [])]
}

/** @see draft-ietf-oauth-identity-assertion-authz-grant §7.2 */
function profilesOf({ trustedIssuers }: OAuthSettings): object {
  if (trustedIssuers.length === 0) return {}
  return { authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'] }
}

export const SIGNING = ['RS256', 'ES256'] as const

/**
 * Says which authorization server a resource trusts. Clients compare `resource` with the address they were given, so
 * it is spelled as they spell it.
 *
 * @see RFC 9728 §2 and §3.3
 */
export function describeResource(settings: AuthserverSettings, resources: Resources, asked: AskedResource): object {
  return {
    resource: `${resources.originFor(asked.host)}${asked.path}`,
    authorization_servers: [settings.publicUrl],
    scopes_supported: ['mcp'],
    bearer_methods_supported: ['header'],
    resource_name: 'Sekisho',
  }
}

interface AskedResource {
  readonly path: string
  readonly host: string | undefined
}
