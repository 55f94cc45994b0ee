/**
 * Every route of the API, once: read by the app, which guards by `who`, and by the reference page.
 *
 * `administrator`: owners and admins with a key of scope `admin`, and the operator. `self`: they, and
 * everybody else for themselves, by rules of the route's own. `anyone`: whoever has a key.
 */
export const adminRoutes = {
  'me.show': {
    method: 'get',
    path: '/admin/api/me',
    who: 'anyone',
    does: 'Says who asks, and what the key at hand opens.',
  },
  'users.list': {
    method: 'get',
    path: '/admin/api/users',
    who: 'administrator',
    does: 'Lists the users.',
  },
  'users.add': {
    method: 'post',
    path: '/admin/api/users',
    who: 'administrator',
    does: 'Adds a user. Only an owner adds owners.',
  },
  'users.role': {
    method: 'patch',
    path: '/admin/api/users/{user}',
    who: 'administrator',
    does: 'Changes the role of a user, named by id or name. Only an owner makes or changes owners.',
  },
  'users.remove': {
    method: 'delete',
    path: '/admin/api/users/{user}',
    who: 'administrator',
    does: 'Removes a user with their keys and tokens. Only an owner removes owners.',
  },
  'users.invite': {
    method: 'post',
    path: '/admin/api/users/{user}/invitation',
    who: 'administrator',
    does: 'Makes a link that lets a user in, to set a password or, where nobody has one, to link an account; it is good for once. Only an owner makes one for an owner.',
  },
  'users.reset': {
    method: 'post',
    path: '/admin/api/users/{user}/password-reset',
    who: 'administrator',
    does: 'Makes a link by which a user who has forgotten the password sets a new one, once; their browsers are signed out with it. Only an owner makes one for an owner.',
  },
  'users.resetFactors': {
    method: 'delete',
    path: '/admin/api/users/{user}/factors',
    who: 'administrator',
    does: 'Takes a user’s passkeys, authenticator app and recovery codes away, for who has lost them, and signs their browsers out. Only an owner does so for an owner.',
  },
  'agents.list': {
    method: 'get',
    path: '/admin/api/agents',
    who: 'administrator',
    does: 'Lists the agents: users who are programs, each with a client of its own.',
  },
  'agents.add': {
    method: 'post',
    path: '/admin/api/agents',
    who: 'administrator',
    does: 'Adds an agent. Without keys of its own it is given a secret, shown in this answer only.',
  },
  'agents.renew': {
    method: 'post',
    path: '/admin/api/agents/{agent}/secret',
    who: 'administrator',
    does: 'Gives an agent a new secret, or new keys; the ones before, and its tokens, end at once.',
  },
  'agents.remove': {
    method: 'delete',
    path: '/admin/api/agents/{agent}',
    who: 'administrator',
    does: 'Removes an agent with its tokens and credentials, at once.',
  },
  'keys.list': {
    method: 'get',
    path: '/admin/api/keys',
    who: 'administrator',
    does: 'Lists API keys, revoked ones too; never the keys themselves.',
  },
  'keys.add': {
    method: 'post',
    path: '/admin/api/keys',
    who: 'administrator',
    does: 'Makes an API key, shown in this answer only. It opens no more than the key it was made with.',
  },
  'keys.revoke': {
    method: 'delete',
    path: '/admin/api/keys/{key}',
    who: 'administrator',
    does: 'Revokes an API key, named by its id, for good.',
  },
  'tokens.list': {
    method: 'get',
    path: '/admin/api/tokens',
    who: 'self',
    does: 'Lists which service tokens are set; never the tokens themselves.',
  },
  'tokens.set': {
    method: 'put',
    path: '/admin/api/tokens/{server}',
    who: 'self',
    does: 'Sets the token that calls of a user to this server are made with.',
  },
  'tokens.remove': {
    method: 'delete',
    path: '/admin/api/tokens/{server}',
    who: 'self',
    does: 'Removes the token of a user for this server.',
  },
  'connections.list': {
    method: 'get',
    path: '/admin/api/connections',
    who: 'self',
    does: 'Lists the accounts users have connected; never their tokens. They are connected in a browser, at `/account`.',
  },
  'connections.import': {
    method: 'post',
    path: '/admin/api/connections',
    who: 'self',
    does: 'Makes a connection of the tokens that another program was given for a user’s account, and tries them.',
  },
  'connections.remove': {
    method: 'delete',
    path: '/admin/api/connections/{provider}',
    who: 'self',
    does: 'Disconnects the account of a user at a provider: forgotten here, and revoked there where it can be.',
  },
  'status.show': {
    method: 'get',
    path: '/admin/api/status',
    who: 'administrator',
    does: 'Says what runs: the gate, its servers, their processes.',
  },
  'logs.show': {
    method: 'get',
    path: '/admin/api/logs/{server}',
    who: 'self',
    does: 'Answers with the last of what a server wrote to stderr: to the user it worked for; of a shared server, to administrators. Only the operator names another user.',
  },
  'openapi.show': {
    method: 'get',
    path: '/admin/api/openapi.json',
    who: 'anyone',
    does: 'Describes this API as OpenAPI 3.1.',
  },
} as const satisfies Record<string, AdminRoute>

export interface AdminRoute {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  readonly path: `/admin/api/${string}`
  readonly who: 'administrator' | 'self' | 'anyone'
  readonly does: string
}

export type AdminRouteName = keyof typeof adminRoutes
