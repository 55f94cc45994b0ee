import type { ErrorRow } from '../error-row.ts'

/** Failures of signing in with an identity provider. */
export const federatedErrors = {
  'federated.unknown': {
    status: 404,
    rpc: -32602,
    says: 'Nobody signs in here with {provider}.',
    fix: 'Go back to the page where you sign in: it shows every way there is.',
  },
  'federated.state': {
    status: 400,
    rpc: -32602,
    says: 'This answer belongs to no sign-in that was begun in this browser.',
    fix: 'Begin again on the page where you sign in. Each attempt is good for one answer and ten minutes.',
  },
  'federated.refused': {
    status: 400,
    rpc: -31001,
    says: '{provider} did not sign you in: {reason}.',
    fix: 'Begin again, or sign in another way.',
  },
  'federated.unreachable': {
    status: 502,
    rpc: -31006,
    says: '{provider} cannot be reached just now.',
    fix: 'Try again in a while, or sign in another way.',
  },
  'federated.bad_answer': {
    status: 502,
    rpc: -31006,
    says: '{provider} gave an answer that cannot be believed ({reason}).',
    fix: 'Begin again. Where it happens each time, tell an administrator of the gate; the log says more under this request id.',
  },
  'federated.misconfigured': {
    status: 502,
    rpc: -31006,
    says: '{provider} does not accept this gate as its client ({reason}).',
    fix: 'Ask the operator to compare signIn.with.{id} with what is registered there.',
  },
  'federated.not_allowed': {
    status: 403,
    rpc: -31002,
    says: 'Your account at {provider} may not come in here: {reason}.',
    fix: 'Choose another account there, or ask an administrator of the gate.',
  },
  'federated.no_account': {
    status: 403,
    rpc: -31002,
    says: 'Your account at {provider} is not linked to an account of this gate.',
    fix: 'Who has an account here signs in as before, and links it on the page of their account. Everybody else asks an administrator.',
  },
  'federated.taken': {
    status: 409,
    rpc: -32602,
    says: 'This account at {provider} is linked to another account of this gate.',
    fix: 'Choose another account there, or unlink it first where it is linked now.',
  },
  'federated.only_way': {
    status: 409,
    rpc: -32602,
    says: 'This is the only way in that you have.',
    fix: 'Link another account first, or ask an administrator for a link that lets you in.',
  },
  'federated.unlinked': {
    status: 404,
    rpc: -32602,
    says: 'There is no such account among those you have linked.',
    fix: 'Load the page again: it may have been unlinked already.',
  },
  'federated.logout_token': {
    status: 400,
    rpc: -32602,
    says: 'This is no logout token that counts: {reason}.',
    fix: 'Send a new one, as OpenID Connect Back-Channel Logout 1.0 §2.4 describes it.',
  },
} as const satisfies Record<string, ErrorRow>
