import type { ErrorRow } from '../error-row.ts'

/** Failures of the accounts users have elsewhere: tokens they paste and connections they make. */
export const accountErrors = {
  'token.required': {
    status: 403,
    rpc: -31005,
    says: '{server} needs your own {service} token and has none.',
    fix: 'Paste it at {url}, or set it with `sekisho token set {server}`. How to get one: {instructions}',
    shows: ['url'],
  },
  'token.format': {
    status: 400,
    rpc: -31005,
    says: 'This does not look like a {service} token.',
    fix: '{instructions}',
  },
  'token.unknown': {
    status: 404,
    rpc: -32602,
    says: '{user} has no token for {server}.',
    fix: 'See `sekisho token list`.',
  },
  'token.not_used': {
    status: 400,
    rpc: -32602,
    says: '{server} takes no token of its users.',
    fix: 'Use {"$userToken": …} in its configuration first.',
  },

  'connection.required': {
    status: 403,
    rpc: -31005,
    says: '{server} needs your own {provider} account, and none is connected yet.',
    fix: 'Open {url} in a browser, connect the account there, then try again.',
    shows: ['url'],
  },
  'connection.rejected': {
    status: 403,
    rpc: -31005,
    says: '{provider} does not accept the connection of your account any more.',
    fix: 'Open {url} in a browser, connect the account again, then try again.',
    shows: ['url'],
  },
  'connection.scope_required': {
    status: 403,
    rpc: -31005,
    says: '{server} wants more access to your {provider} account than it was given: {scopes}.',
    fix: 'Open {url} in a browser, allow it there, then try again.',
    shows: ['url'],
  },
  'connection.scope_refused': {
    status: 403,
    rpc: -31005,
    says: '{server} wants access to your {provider} account that it was given already: {scopes}.',
    fix: 'To connect again would change nothing: ask whoever runs {server}.',
  },
  'connection.declined': {
    status: 403,
    rpc: -31005,
    says: '{server} was not called, since you declined to connect {provider}.',
    fix: 'When you want to, open {url} in a browser and connect it there.',
    shows: ['url'],
  },
  'connection.exists': {
    status: 409,
    rpc: -32602,
    says: 'An account at {provider} is connected already, and was left as it is.',
    fix: 'To replace it, disconnect it first with `sekisho connection remove {id}`.',
  },
  'connection.import_refused': {
    status: 400,
    rpc: -32602,
    says: '{provider} does not accept these tokens, so nothing was kept of them.',
    fix: 'They have ended, or were made for another application than providers of this gate name: connect the account in a browser instead.',
  },
  'connection.not_importable': {
    status: 400,
    rpc: -32602,
    says: '{server} takes no tokens of another program: its users have no account at a provider that the configuration sets up.',
    fix: 'Connect it in a browser on the page of your accounts, or set a pasted token with `sekisho token set {server}`.',
  },
  'connection.unknown': {
    status: 404,
    rpc: -32602,
    says: 'There is no connection to {provider}.',
    fix: 'It may have been disconnected already: load the page again, or see `sekisho connection list`.',
  },
  'connect.state': {
    status: 400,
    rpc: -32602,
    says: 'This answer of the provider belongs to no connection that was begun in this browser.',
    fix: 'Begin again on the page of your accounts. Each attempt is good for one answer and ten minutes.',
  },
  'connect.other_user': {
    status: 403,
    rpc: -31002,
    says: 'This link was made for somebody else.',
    fix: 'Sign in as the user whose client asked for it, or open the page of your own accounts.',
  },
  'connect.link_expired': {
    status: 410,
    rpc: -32602,
    says: 'This link has expired.',
    fix: 'Open the page of your accounts, or let your client ask again.',
  },
  'connect.refused': {
    status: 400,
    rpc: -31005,
    says: '{provider} did not connect your account: {reason}.',
    fix: 'Begin again, and allow the access that is asked for.',
  },
  'provider.not_set_up': {
    status: 503,
    rpc: -31005,
    says: '{provider} is not set up on this gate yet.',
    fix: 'Ask the operator to register an application there and to set providers.{id} in the configuration.',
  },
  'provider.unreachable': {
    status: 502,
    rpc: -31006,
    says: '{provider} cannot be reached to renew or make your connection.',
    fix: 'Try again later; the connection itself is kept.',
  },
  'provider.bad_answer': {
    status: 502,
    rpc: -31006,
    says: '{provider} gave an answer that is not OAuth ({reason}).',
    fix: 'Try again later; the connection itself is kept. The log says more under this request id.',
  },
  'provider.misconfigured': {
    status: 502,
    rpc: -31006,
    says: '{provider} does not accept this gate as its client ({reason}).',
    fix: 'Ask the operator to compare providers.{id} with what is registered there.',
  },
} as const satisfies Record<string, ErrorRow>
