import type { ServerResponse } from 'node:http'
import type { ErrorCode } from '../base/errors.ts'
import type { Problem } from '../base/problem.ts'
import { failureHeaders } from '../http/refusal.ts'
import { sendJson } from '../http/router.ts'

/**
 * Answers a failure as OAuth has it, which is what clients of these endpoints read.
 *
 * @see RFC 6749 §5.2, RFC 7591 §3.2.2
 */
export function sendOAuthError(response: ServerResponse, failure: Problem, requestId: string): void {
  const headers = failure.row.status === 405 ? [] : failureHeaders(failure)
  sendJson(response, failure.row.status, toOAuthError(failure), ['X-Request-Id', requestId, ...headers])
}

/** The body in which OAuth tells a failure. */
export function toOAuthError(failure: Problem): { error: string; error_description: string } {
  return { error: oauthErrorOf(failure), error_description: `${failure.message} ${failure.fix}` }
}

/** The error code of OAuth for a failure of ours. */
export function oauthErrorOf({ code, row }: Problem): string {
  const special = CODES[code]
  if (special !== undefined) return special
  return row.status >= 500 ? 'server_error' : 'invalid_request'
}

const CODES: Readonly<Partial<Record<ErrorCode, string>>> = {
  'limit.endpoint': 'temporarily_unavailable',
  'gate.stopping': 'temporarily_unavailable',
  'storage.unreachable': 'temporarily_unavailable',
  'storage.failing': 'temporarily_unavailable',
  'oauth.redirect': 'invalid_redirect_uri',
  'device.slow_down': 'slow_down',
}
