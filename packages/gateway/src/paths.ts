/** What stands at a path; one that ends with a slash stands for everything below it. */
export type Paths = Readonly<Record<string, string>>

/** The pages by which people come in, and by which they let clients in. */
export const loginPaths = {
  '/': 'Leads to the account, or to signing in.',
  '/sign-in': 'Signs a person in.',
  '/sign-in/again': 'The same, for whoever is signed in and about to do what is dangerous.',
  '/sign-in/second': 'Asks for the second factor.',
  '/sign-in/set-up': 'Has a second factor set up, where one is required.',
  '/sign-in/set-up/': 'Takes what was set up there.',
  '/sign-in/with/': 'Sends the browser to an identity provider.',
  '/sign-in/from/': 'Where identity providers send the browser back to.',
  '/sign-in/out/': 'Signs the browser out at an identity provider (OpenID Connect RP-Initiated Logout 1.0).',
  '/sign-in/logout/':
    'Where identity providers tell that somebody signed out (OpenID Connect Back-Channel Logout 1.0).',
  '/sign-out': 'Signs the browser out.',
  '/welcome/': 'The link of an invitation: its user chooses a password.',
  '/device': 'Where the code is entered that a terminal shows.',
  '/device/answer': 'Takes the answer to what a terminal asks.',
  '/interaction/': 'Asks the person whether a client may.',
  '/assets/': 'Stylesheet, picture and script of the pages.',
} as const satisfies Paths

/** The pages on which people manage what is theirs. */
export const accountPaths = {
  '/account': 'Every server, and the account or token it wants.',
  '/account/': 'The clients a person let in, their API keys, their browsers, their password, their second factors.',
  '/connect/': 'Where a client’s link leads: connects what a server wants.',
  '/callback': 'Where providers send their answers.',
  '/callback/server': 'The same, for authorization servers that a server names.',
} as const satisfies Paths

/** The authorization server, whose own table says which of these there are. */
export const authserverPaths = {
  '/authorize': 'Begins an authorization (RFC 6749 §4.1, RFC 7636, RFC 8707, RFC 9207).',
  '/token': 'Exchanges a code or a refresh token.',
  '/device_authorization': 'Begins the sign-in of a terminal (RFC 8628).',
  '/register': 'Registers a client (RFC 7591).',
  '/revoke': 'Revokes a token (RFC 7009).',
  '/jwks': 'The keys that identity tokens are signed with.',
  '/.well-known/oauth-protected-resource': 'Metadata of a resource: `/mcp`, or the one that follows (RFC 9728).',
  '/.well-known/oauth-authorization-server': 'Metadata of the authorization server (RFC 8414).',
  '/.well-known/openid-configuration': 'The same, as OpenID clients look for it.',
} as const satisfies Paths

/** What programs ask. */
export const programPaths = {
  '/mcp': 'MCP, every server in one.',
  '/mcp/': 'MCP, the server that is named.',
  '/health/live': 'Whether the process answers.',
  '/health/ready': 'Whether it can serve: its database, and what is known of its providers.',
  '/metrics': 'Metrics, for Prometheus.',
  '/oauth-client.json': 'What the gate tells other authorization servers of itself, as their client.',
} as const satisfies Paths
