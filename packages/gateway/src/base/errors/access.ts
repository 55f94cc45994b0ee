import type { ErrorRow } from '../error-row.ts'

/** Failures of who may do what, and how often. */
export const accessErrors = {
  'auth.required': {
    status: 401,
    rpc: -31001,
    oauth: undefined,
    says: 'This needs you to sign in, or an API key.',
    fix: 'Let the client sign you in (it finds out how from resource_metadata), or send Authorization: Bearer with a key made by `sekisho key add`.',
  },
  'auth.invalid': {
    status: 401,
    rpc: -31001,
    oauth: 'invalid_token',
    says: 'The access token or API key is unknown, expired, revoked, or made for another resource.',
    fix: 'Sign in again, or make a new key with `sekisho key add`.',
  },
  'auth.forbidden': {
    status: 403,
    rpc: -31002,
    oauth: 'insufficient_scope',
    says: 'This API key may not do that: it needs the scope {scope}.',
    fix: 'Make a key with that scope, with `sekisho key add --scope`.',
  },
  'auth.role': {
    status: 403,
    rpc: -31002,
    says: 'This needs the role {role}.',
    fix: 'Ask an administrator of the gate.',
  },
  'auth.operator': {
    status: 403,
    rpc: -31002,
    says: 'Another user’s log is shown to the operator only.',
    fix: 'Let that user ask, or run `sekisho logs {server} --user` where the gate runs, as the owner of its data.',
  },
  'limit.rate': {
    status: 429,
    rpc: -31003,
    says: 'Too many calls; try again in {seconds} s.',
    fix: 'Call less often, or ask the operator to raise limits.callsPerMinute.',
  },
  'limit.concurrency': {
    status: 429,
    rpc: -31003,
    says: 'Too many calls at once.',
    fix: 'Wait for earlier calls to end, or ask the operator to raise limits.concurrentCalls.',
  },
  'user.exists': {
    status: 409,
    rpc: -32602,
    says: 'There is already a user called {user}.',
    fix: 'Choose another name.',
  },
  'user.unknown': {
    status: 404,
    rpc: -32602,
    says: 'There is no user called {user}.',
    fix: 'See `sekisho user list`.',
  },
  'user.last_owner': {
    status: 409,
    rpc: -32602,
    says: 'This is the last owner; the gate needs one.',
    fix: 'Make another user an owner first.',
  },
  'key.unknown': { status: 404, rpc: -32602, says: 'There is no API key {key}.', fix: 'See `sekisho key list`.' },

  'limit.endpoint': {
    status: 429,
    rpc: -31003,
    says: 'Too many requests to {endpoint} from your address; try again in {seconds} s.',
    fix: 'Wait, or ask the operator to raise limits.perMinute.{endpoint}.',
  },
  'oauth.request': {
    status: 400,
    rpc: -32600,
    says: 'This request to let a program in cannot be answered: {reason}.',
    fix: 'Go back to the program that sent you here, and begin again there.',
  },
  'oauth.redirect': {
    status: 400,
    rpc: -32602,
    says: 'The redirect_uris are missing, or not all of them can be sent an answer.',
    fix: 'Use https, http on loopback, or a scheme of the program’s own, each without a fragment.',
  },
  'login.required': {
    status: 403,
    rpc: -31001,
    says: 'This needs you to be signed in.',
    fix: 'Sign in and try again.',
  },
  'login.failed': {
    status: 400,
    rpc: -31001,
    says: 'The name or the password is not right.',
    fix: 'Try again. Who has forgotten the password asks an administrator for a new link.',
  },
  'login.throttled': {
    status: 429,
    rpc: -31003,
    says: 'Too many attempts to sign in; try again in {seconds} s.',
    fix: 'Wait. Who has forgotten the password asks an administrator for a new link.',
  },
  'login.password_weak': {
    status: 400,
    rpc: -32602,
    says: 'This password cannot be taken: {reason}.',
    fix: 'Use at least 8 characters, better a sentence of several words, and none that is known from leaks.',
  },
  'invitation.invalid': {
    status: 404,
    rpc: -32602,
    says: 'This link is not valid: it was used already, has expired, or was never made.',
    fix: 'Ask an administrator of the gate for a new one.',
  },
  'interaction.unknown': {
    status: 404,
    rpc: -32602,
    says: 'What a client asked you here is not open any more: it was answered already, or took too long.',
    fix: 'Go back to the client and let it begin again.',
  },
  'session.unknown': {
    status: 404,
    rpc: -32602,
    says: 'There is no such session.',
    fix: 'Load the page again: it may have ended already.',
  },
  'client.unknown': {
    status: 404,
    rpc: -32602,
    says: 'There is no such client among those you have allowed.',
    fix: 'Load the page again: it may have been revoked already.',
  },
} as const satisfies Record<string, ErrorRow>
