import { linkOf } from '../../src/providers/link.ts'
import type { FreshDatabase } from '../stores/databases.ts'
import { ada, answerTo, createScene, serverAt, session, type Given } from './scene.ts'
import { startScripted, type Scripted } from './scripted-server.ts'

export const PRM = '/.well-known/oauth-protected-resource'
export const RFC8414 = '/.well-known/oauth-authorization-server'
export const OIDC = '/.well-known/openid-configuration'

export const metadata = (issuer: string, more: object = {}) => ({
  issuer,
  authorization_endpoint: `${new URL(issuer).origin}/authorize`,
  token_endpoint: `${new URL(issuer).origin}/token`,
  code_challenge_methods_supported: ['S256'],
  ...more,
})

/** An MCP server with a challenge, and an authorization server of its own that registers whoever asks. */
export async function startServer(more: (origin: string) => object = () => ({})): Promise<Scripted> {
  const server = await startScripted()
  const { origin } = server
  const challenge = `Bearer error="invalid_token", resource_metadata="${origin}/prm", scope="notes:read notes:write"`
  server.on('/mcp', () => ({ status: 401, headers: { 'www-authenticate': challenge } }))
  server.on('/prm', () => ({ body: { resource: `${origin}/mcp`, authorization_servers: [origin] } }))
  server.on(RFC8414, () => ({
    body: metadata(origin, {
      registration_endpoint: `${origin}/register`,
      revocation_endpoint: `${origin}/revoke`,
      ...more(origin),
    }),
  }))
  let registered = 0
  server.on('/register', () => ({
    status: 201,
    body: { client_id: `dcr-${++registered}`, client_secret: 'dcr-secret-nobody-sees', client_secret_expires_at: 0 },
  }))
  server.on('/token', ({ form }) => ({
    body: { access_token: `a-${form['code'] ?? 'renewed'}`, refresh_token: 'r', expires_in: 3600 },
  }))
  server.on('/revoke', () => ({ body: {} }))
  return server
}

/** A gate with that server, and ada on her way to it. */
export async function openNotes(database: FreshDatabase, server: Scripted, given: Given = {}) {
  const servers = given.servers ?? [serverAt(server)]
  const scene = await createScene(database, { ...given, servers })
  const link = servers[0] && linkOf(servers[0], {})
  if (!link) throw new Error('the server asks for no account')
  return {
    scene,
    begin: () => scene.connections.begin({ ...session, provider: 'mcp:notes', next: '/account' }),
    answer: (url: URL, says: Record<string, string>) =>
      scene.connections.finish({ session, address: answerTo(url, says) }),
    use: async () => (await scene.connections.require(ada, link, 'notes')).reveal(),
  }
}
