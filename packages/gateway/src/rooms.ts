/**
 * Which room may import which: imports go down, never sideways or up. Read by the architecture test, which
 * re-derives the arrows from the source, and by the generated docs.
 */
export const rooms = {
  base: { floor: 0, imports: [], owns: 'the error table, ids, the clock, secrets, JSON-RPC' },
  config: { floor: 1, imports: ['base'], owns: 'the schema of sekisho.jsonc; reading file and environment' },
  http: { floor: 1, imports: ['base'], owns: 'the server, the edge every request crosses, connections to the world' },
  storage: {
    floor: 1,
    imports: ['base'],
    owns: 'the database, its dialects, migrations, the tenant wall; what several processes share',
  },
  identity: { floor: 2, imports: ['base', 'storage'], owns: 'tenants, users, roles, API keys; who calls' },
  audit: { floor: 2, imports: ['base', 'storage'], owns: 'what is kept for ever' },
  limits: { floor: 2, imports: ['base', 'storage'], owns: 'how often, how many at once' },
  vault: { floor: 2, imports: ['base', 'storage'], owns: 'credentials at rest' },
  pages: { floor: 2, imports: ['base', 'http'], owns: 'how every page looks and what its words are' },
  telemetry: { floor: 2, imports: ['base', 'http'], owns: 'logs, metrics, health' },
  providers: {
    floor: 3,
    imports: ['base', 'config', 'http', 'storage', 'identity', 'audit', 'vault'],
    owns: 'the credential a user has for a service: pasted, or connected by OAuth and kept alive',
  },
  authserver: {
    floor: 3,
    imports: ['base', 'http', 'pages', 'storage', 'identity', 'audit', 'limits', 'vault'],
    owns: 'the authorization server: clients, consent, tokens, and what says where it is (RFC 9728)',
  },
  login: {
    floor: 4,
    imports: ['base', 'http', 'pages', 'storage', 'identity', 'audit', 'limits', 'authserver'],
    owns: 'how a person proves who they are: passwords, identity providers, invitations, sessions',
  },
  upstreams: {
    floor: 4,
    imports: ['base', 'http', 'storage', 'telemetry', 'providers'],
    owns: 'calls to MCP servers and what they tell: HTTP, SSE, stdio, built in',
  },
  registry: {
    floor: 5,
    imports: ['base', 'storage', 'identity', 'upstreams'],
    owns: 'which tools, prompts and resources there are, and what they are called',
  },
  mcp: {
    floor: 6,
    imports: [
      'base',
      'http',
      'telemetry',
      'storage',
      'identity',
      'audit',
      'limits',
      'providers',
      'authserver',
      'upstreams',
      'registry',
    ],
    owns: 'MCP toward the clients, in every revision: calls, sessions, streams, what is between the eras',
  },
  account: {
    floor: 6,
    imports: [
      'base',
      'http',
      'pages',
      'telemetry',
      'storage',
      'identity',
      'audit',
      'limits',
      'providers',
      'authserver',
      'login',
      'upstreams',
      'registry',
    ],
    owns: 'what users manage for themselves: connections, tokens, clients they allowed, keys, sessions',
  },
  admin: {
    floor: 6,
    imports: [
      'base',
      'http',
      'telemetry',
      'storage',
      'identity',
      'audit',
      'limits',
      'vault',
      'providers',
      'authserver',
      'login',
      'upstreams',
      'registry',
    ],
    owns: 'the API of administrators and of the CLI',
  },
  cli: {
    floor: 7,
    imports: ['base', 'config', 'storage', 'vault', 'providers', 'upstreams', 'gateway', 'main'],
    owns: 'the commands',
  },
} as const satisfies Record<string, Room>

interface Room {
  readonly floor: number
  readonly imports: readonly string[]
  readonly owns: string
}
