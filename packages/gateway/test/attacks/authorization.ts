import type { Scripted } from '../providers/scripted-server.ts'

/** What is said otherwise than an honest server would. */
export interface Says {
  readonly metadataUrl?: string
  /** Further parameters of the challenge. */
  readonly challenge?: string
  /** Joined to the metadata of the protected resource, of the authorization server, and to the answer of a registration. */
  readonly resource?: object
  readonly server?: object
  readonly client?: object
}

const METADATA = '/.well-known/oauth-protected-resource/mcp'

/** Makes a scripted server an MCP server with an authorization server of its own, as any is but for what is said here. */
export function publishAuthorization({ origin, on }: Scripted, says: Says = {}): void {
  const { metadataUrl = `${origin}${METADATA}`, challenge = '', resource, server, client } = says
  const authenticate = `Bearer resource_metadata="${metadataUrl}"${challenge}`
  on('/mcp', () => ({ status: 401, headers: { 'www-authenticate': authenticate }, body: {} }))
  on(METADATA, () => ({ body: { resource: `${origin}/mcp`, authorization_servers: [origin], ...resource } }))
  on('/.well-known/oauth-authorization-server', () => ({
    body: {
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      registration_endpoint: `${origin}/register`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      ...server,
    },
  }))
  on('/register', () => ({
    status: 201,
    body: { client_id: 'the-gate', token_endpoint_auth_method: 'none', ...client },
  }))
}
