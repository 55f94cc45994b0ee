import type { UserId } from '../base/ids.ts'

interface EventRow {
  readonly means: string
  /** What is kept beside when, who and under which request id: nothing that is not named here. */
  readonly fields: Readonly<Record<string, string>>
}

const on = { key: 'the id of the API key it was done with' }
const server = { server: 'the server, as the configuration names it' }
const person = { target: 'the id of the user it was done to', name: 'their name' }
const apiKey = { target: 'the id of the API key it was done to', owner: 'the id of the user it belongs to' }
const client = { client: 'the client id' }
const token = { owner: 'the id of the user whose token it is', service: 'the service it is for' }
const connection = {
  owner: 'the id of the user whose account it is',
  provider: 'the provider, or mcp: and the server that named its own',
  issuer: 'the authorization server, where it named itself',
}
const identity = {
  provider: 'the identity provider, as the configuration names it',
  issuer: 'its issuer',
  how: 'sign-in (an account was made for it) or account (by its user)',
  address: 'where from',
}
const expires = 'when it ends, in milliseconds since 1970'
const consent = {
  ...client,
  clientName: 'what it calls itself',
  redirectHost: 'where its access is sent',
  resources: 'what it asks for',
  address: 'where from',
}

/** Everything that is kept for ever, once: read by the code that writes it and by the documentation. */
export const events = {
  'tool.call': {
    means: 'A tool was called.',
    fields: {
      ...server,
      tool: 'the name the server knows the tool by',
      outcome: 'ok (an answer came, an error of the server’s own too), failed or cancelled',
      error: 'the code of the failure',
      ms: 'how long it took, in milliseconds',
      era: 'the protocol era the client speaks',
      service: 'the service whose credential went along',
      ...on,
    },
  },
  'tool.denied': {
    means: 'A tool was asked for and refused; of refusals for calling too much, one a minute for each user.',
    fields: { ...server, tool: 'the name the client used', error: 'the code of the refusal', ...on },
  },
  'server.request': {
    means: 'A prompt, a resource or a task was asked for, or something else that a server offers beside tools.',
    fields: {
      ...server,
      method: 'what was asked, as the protocol calls it',
      name: 'the prompt or the URI, as the server knows it',
      outcome: 'ok (an answer came, an error of the server’s own too), failed, cancelled or denied',
      error: 'the code of the failure',
      ms: 'how long it took, in milliseconds',
      era: 'the protocol era the client speaks',
      service: 'the service whose credential went along',
      ...on,
    },
  },
  'tools.changed': {
    means:
      'A server describes its tools otherwise than when they were last looked at; a restart of the gate forgets nothing.',
    fields: {
      ...server,
      owner: 'the id of the user who was shown them, where each has tools of their own',
      before: 'the SHA-256 of the descriptions until now',
      after: 'the SHA-256 of those from now on',
      added: 'how many have a new name',
      removed: 'how many are gone',
      altered: 'how many have the same name and another description',
    },
  },
  'auth.failed': {
    means: 'A request came with no key, or with one that opens nothing; of each, at most one a second is kept.',
    fields: { error: 'the code of the refusal', path: 'what was asked for', address: 'where it came from' },
  },
  'login.ok': {
    means: 'Somebody signed in with a browser.',
    fields: {
      how: 'what they proved it with (RFC 8176)',
      provider: 'the identity provider that vouched for them',
      address: 'where from',
      browser: 'what the browser is',
    },
  },
  'login.failed': {
    means: 'An attempt to sign in was refused; of each refusal, at most one a second is kept.',
    fields: {
      error: 'the code of the refusal',
      target: 'the id of the user, where there is one',
      address: 'where from',
    },
  },
  'login.second_failed': {
    means:
      'Somebody proved a first factor, and was refused at the second; of each refusal, at most one a second is kept.',
    fields: { error: 'the code of the refusal', address: 'where from' },
  },
  'login.ended': { means: 'Somebody signed out of a browser.', fields: { address: 'where from' } },
  'login.refused': {
    means:
      'An identity provider vouched for somebody, and the rules did not let them in; of each refusal, at most one a second is kept.',
    fields: {
      provider: 'the identity provider',
      error: 'the code of the refusal',
      reason: 'which rule',
      address: 'where from',
    },
  },
  'login.ended_elsewhere': {
    means: 'An identity provider said that a user signed out there, and their browsers were signed out.',
    fields: { provider: 'the identity provider', count: 'how many' },
  },
  'identity.linked': {
    means: 'A user, or the gate for a new user, linked an identity elsewhere to sign in with.',
    fields: identity,
  },
  'identity.unlinked': {
    means: 'A user unlinked an identity; browsers that it signed in are signed out.',
    fields: identity,
  },
  'session.ended': {
    means: 'A user signed browsers of theirs out.',
    fields: { count: 'how many', address: 'where from' },
  },
  'invitation.made': {
    means: 'A link was made that lets a user in, to set a password or to link an account.',
    fields: { ...person, expires, ...on },
  },
  'invitation.used': {
    means: 'A user came in by a link, where nobody has a password; their other browsers are signed out.',
    fields: { address: 'where from' },
  },
  'password.reset_made': {
    means: 'A link was made by which a user sets a new password.',
    fields: { ...person, expires, ...on },
  },
  'passkey.added': {
    means: 'A user added a passkey.',
    fields: { name: 'what they call it', address: 'where from' },
  },
  'passkey.removed': {
    means: 'A user removed a passkey.',
    fields: { name: 'what they called it', address: 'where from' },
  },
  'authenticator.added': { means: 'A user set up an authenticator app.', fields: { address: 'where from' } },
  'authenticator.removed': { means: 'A user removed their authenticator app.', fields: { address: 'where from' } },
  'recovery.made': {
    means: 'A user was given recovery codes; those of before are good for nothing.',
    fields: { count: 'how many', address: 'where from' },
  },
  'recovery.used': {
    means: 'A user took the second step with a recovery code.',
    fields: { left: 'how many are left', address: 'where from' },
  },
  'factors.reset': {
    means: 'An administrator took a user’s second factors away; the user’s browsers are signed out.',
    fields: { ...person, ...on },
  },
  'password.set': {
    means: 'A password was set; the user’s other browsers are signed out.',
    fields: { how: 'invitation (with a link) or change (with the one before)', address: 'where from' },
  },
  'consent.given': { means: 'A user let a client in.', fields: consent },
  'consent.refused': { means: 'A user did not let a client in.', fields: consent },
  'user.added': { means: 'A user was added.', fields: { ...person, role: 'their role', ...on } },
  'user.removed': { means: 'A user was removed with all that was theirs.', fields: { ...person, ...on } },
  'user.role_changed': { means: 'A user was given another role.', fields: { ...person, role: 'the new role', ...on } },
  'agent.added': {
    means: 'An agent was added: a user who is no person, with a client of its own.',
    fields: { ...person, ...client, how: 'what it proves itself by', ...on },
  },
  'agent.renewed': {
    means: 'An agent was given a new secret or new keys; the ones before, and its tokens, have ended.',
    fields: { ...person, ...client, how: 'what it proves itself by', ...on },
  },
  'key.added': {
    means: 'An API key was made.',
    fields: { ...apiKey, name: 'what it is called', scopes: 'what it allows', expires, address: 'where from', ...on },
  },
  'key.revoked': {
    means: 'An API key was revoked.',
    fields: { ...apiKey, name: 'what it is called', address: 'where from', ...on },
  },
  'token.set': {
    means: 'A token for a service was put into the vault.',
    fields: { ...token, address: 'where from', ...on },
  },
  'token.removed': {
    means: 'A token for a service was removed from the vault.',
    fields: { ...token, address: 'where from', ...on },
  },
  'connection.made': {
    means: 'A user connected an account of theirs.',
    fields: { ...connection, address: 'where from' },
  },
  'connection.imported': {
    means: 'Tokens that another program was given for an account became a connection.',
    fields: { ...connection, ...on },
  },
  'connection.refreshed': { means: 'The access token of a connected account was renewed.', fields: connection },
  'connection.refresh_failed': {
    means: 'The access token of a connected account could not be renewed; the connection is kept.',
    fields: { ...connection, error: 'the code of the failure' },
  },
  'connection.rejected': {
    means: 'A provider does not accept a connection any more: its user has to connect the account again.',
    fields: { ...connection, error: 'the code of the refusal' },
  },
  'connection.removed': {
    means: 'A connected account was disconnected.',
    fields: {
      ...connection,
      revoked: 'whether the provider confirmed that the tokens are revoked',
      address: 'where from',
      ...on,
    },
  },
  'server.read_only': {
    means: 'A user said whether anything may be changed at a server with what is theirs.',
    fields: { ...server, on: 'true where nothing may be changed any more' },
  },
  'client.registered': {
    means: 'A client registered itself with the authorization server; at most one a second is kept.',
    fields: { ...client, clientName: 'what it calls itself', redirectHost: 'the hosts its answers go to' },
  },
  'client.asserted': {
    means: 'An issuer that the operator trusts let a client in for a user, who was not asked.',
    fields: { ...client, issuer: 'the identity provider', resources: 'what the token is for' },
  },
  'client.cut_off': {
    means: 'A code or a refresh token was used that had been used before, and all that came of it was revoked.',
    fields: client,
  },
  'consent.revoked': {
    means: 'What a user allowed a client was taken back; its tokens have ended.',
    fields: {
      ...client,
      clientName: 'what it calls itself',
      owner: 'the id of the user who had allowed it',
      address: 'where from',
      ...on,
    },
  },
  'account.odd': {
    means: 'Something about a user’s account was odd, of which they are told.',
    fields: {
      what: 'the rule: new_place, after_failures, token_replayed, client_moved or many_refused',
      ...client,
      clientName: 'what it calls itself',
      browser: 'what the browser is',
      address: 'where from',
      count: 'how many',
      ...on,
    },
  },
  'gate.started': {
    means: 'The gate started.',
    fields: { version: 'its version', instance: 'which of several gates' },
  },
  'gate.stopped': { means: 'The gate was stopped in good order.', fields: { instance: 'which of several gates' } },
  'upstream.started': {
    means: 'A server was started for a user, or for all.',
    fields: { ...server, owner: 'the id of the user it runs for', pid: 'its process' },
  },
  'upstream.ended': {
    means: 'A server that was started has ended.',
    fields: { ...server, owner: 'the id of the user it ran for', pid: 'its process', reason: 'why' },
  },
} as const satisfies Record<string, EventRow>

export type EventKind = keyof typeof events

type Value = string | number | boolean | undefined

type Common<K> = {
  readonly kind: K
  /** Who did it, where that is known. */
  readonly userId?: UserId | undefined
  readonly requestId?: string | undefined
}

/** One thing that happened, with the fields of its row. */
export type AuditEvent = {
  [K in EventKind]: Common<K> & { readonly [F in keyof (typeof events)[K]['fields']]?: Value }
}[EventKind]
