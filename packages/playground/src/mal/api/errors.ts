import { json, Refusal } from '../server/exchange.ts'

/** The API's own error shape: a message, mostly empty, and a word. */
function apiError(status: number, error: string, message = ''): Refusal {
  return new Refusal(json({ message, error }, status))
}

/** Without a credential, without the right to look, and throttled: all three look the same. */
export function forbidden(): Refusal {
  return apiError(403, 'forbidden')
}

export function notFound(): Refusal {
  return apiError(404, 'not_found')
}

export function badRequest(message: string): Refusal {
  return apiError(400, 'bad_request', message)
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 RFC 6750 §3} */
export function expiredToken(): Refusal {
  return unauthorized({ error: 'invalid_token' }, 'The access token expired')
}

export function invalidToken(): Refusal {
  return unauthorized({ error: 'invalid_token', message: 'token is invalid' }, 'The access token is invalid')
}

function unauthorized(body: object, description: string): Refusal {
  return new Refusal(
    json(body, 401, { 'www-authenticate': `Bearer error="invalid_token",error_description="${description}"` }),
  )
}
