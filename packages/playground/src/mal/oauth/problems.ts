import { json, Refusal, type Reply } from '../server/exchange.ts'

/** The reply of league/oauth2-server: `message` and, where there is one, `hint`; no `error_description`. */
function oauthReply(status: number, payload: OAuthPayload, headers: Record<string, string> = {}): Reply {
  return json(payload, status, { 'cache-control': 'no-store', ...headers })
}

interface OAuthPayload {
  error: string
  message: string
  hint?: string
}

export function invalidRequest(parameter: string, hint = `Check the \`${parameter}\` parameter`): Refusal {
  const message =
    'The request is missing a required parameter, includes an invalid parameter value, includes a parameter more ' +
    'than once, or is otherwise malformed.'
  return new Refusal(oauthReply(400, { error: 'invalid_request', message, hint }))
}

export function invalidGrant(hint: string): Refusal {
  const message =
    'The provided authorization grant (e.g., authorization code, resource owner credentials) or refresh token is ' +
    'invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued ' +
    'to another client.'
  return new Refusal(oauthReply(400, { error: 'invalid_grant', message, hint }))
}

export function invalidRefreshToken(hint: string): Refusal {
  return new Refusal(oauthReply(401, { error: 'invalid_request', message: 'The refresh token is invalid.', hint }))
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.2 RFC 6749 §5.2}: Basic is answered with a challenge. */
export function invalidClient(byHeader: boolean): Refusal {
  return new Refusal(
    oauthReply(
      401,
      { error: 'invalid_client', message: 'Client authentication failed' },
      byHeader ? { 'www-authenticate': 'Basic realm="OAuth"' } : {},
    ),
  )
}

export function unsupportedGrantType(): Refusal {
  return new Refusal(
    oauthReply(400, {
      error: 'unsupported_grant_type',
      message: 'The authorization grant type is not supported by the authorization server.',
      hint: 'Check that all required parameters have been provided',
    }),
  )
}

export function serverError(): Refusal {
  return new Refusal(
    oauthReply(500, {
      error: 'server_error',
      message: 'The authorization server encountered an unexpected condition which prevented it from fulfilling it.',
    }),
  )
}

/** What the redirect says when the user pressed Cancel. */
export const accessDenied = {
  error: 'access_denied',
  message: 'The resource owner or authorization server denied the request.',
  hint: 'The user denied the request',
} as const
