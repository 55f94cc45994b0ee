import {
  AuthorizationResponseError,
  OperationProcessingError,
  ResponseBodyError,
  UnsupportedOperationError,
  WWWAuthenticateChallengeError,
} from 'oauth4webapi'
import { problem, Problem } from '../../base/problem.ts'
import type { IdentityProvider } from './provider.ts'

/** Why nobody was signed in, in words of our own: what a provider says is never shown. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['access_denied', 'it was declined there'],
  ['login_required', 'nobody was signed in there'],
  ['interaction_required', 'nobody was signed in there'],
  ['consent_required', 'it was declined there'],
  ['temporarily_unavailable', 'it is not available just now'],
  ['server_error', 'it had a fault of its own'],
  ['invalid_grant', 'its answer was used already, has expired, or was made for somebody else'],
  ['bad_verification_code', 'its answer was used already, has expired, or was made for somebody else'],
])

/** What it says where it does not know the gate, or not under this address. */
const CLIENT_ERRORS: ReadonlySet<string> = new Set([
  'invalid_client',
  'unauthorized_client',
  'invalid_request',
  'invalid_scope',
  'unsupported_response_type',
  'incorrect_client_credentials',
  'redirect_uri_mismatch',
  'application_suspended',
])

/** Says of an error of OAuth (RFC 6749 §4.1.2.1, §5.2) whose it is to mend. */
export function refusedWith({ id, label: provider }: IdentityProvider, error: string, cause?: unknown): Problem {
  if (CLIENT_ERRORS.has(error)) return problem('federated.misconfigured', { id, provider, reason: error, cause })
  const reason = REASONS.get(error) ?? 'it did not say why'
  return problem('federated.refused', { id, provider, reason, cause })
}

/** Says that something of an answer is not as it has to be. */
export function unbelievable({ id, label: provider }: IdentityProvider, reason: string, cause?: unknown): Problem {
  return problem('federated.bad_answer', { id, provider, reason, cause })
}

/** Makes a problem of whatever went wrong between the gate and a provider. */
export function toProblem(provider: IdentityProvider, error: unknown): Problem {
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError)
    return refusedWith(provider, error.error, error)
  if (error instanceof WWWAuthenticateChallengeError) return unbelievable(provider, 'it refuses its own token', error)
  if (error instanceof OperationProcessingError || error instanceof UnsupportedOperationError)
    return unbelievable(provider, reasonOf(error.code), error)
  if (!(error instanceof Problem)) return unbelievable(provider, 'it is not what was asked for', error)
  if (error.code === 'outbound.failed' || error.code === 'outbound.timeout')
    return problem('federated.unreachable', { id: provider.id, provider: provider.label, cause: error })
  return error
}

function reasonOf(code: string | undefined): string {
  return WORDS[code ?? ''] ?? 'it is not OpenID Connect'
}

const WORDS: Readonly<Record<string, string>> = {
  OAUTH_JWT_TIMESTAMP_CHECK_FAILED: 'a time in it is not right',
  OAUTH_JWT_CLAIM_COMPARISON_FAILED: 'it is for somebody else, or of somebody else',
  OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED: 'it is about somebody else',
  OAUTH_KEY_SELECTION_FAILED: 'its signature is by no key of the provider',
  OAUTH_INVALID_RESPONSE: 'it lacks what it must have, or its signature is wrong',
  OAUTH_UNSUPPORTED_OPERATION: 'it is signed in a way that is not taken',
}
