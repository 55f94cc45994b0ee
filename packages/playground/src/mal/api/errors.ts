import { json, Refusal } from '../server/exchange.ts'

/** The API's own error shape: a message, mostly empty, and a word. */
function apiError(status: number, error: string, message = ''): Refusal {
  return new Refusal(json({ message, error }, status))
}

/** Without a credential, without the right to look, and throttled: all three look the same. */
export function forbidden(): Refusal {
  return apiError(403, 'forbidden')
}

/** What stands in front of the API turns away with a page for people. */
export function deniedPage(status: 403 | 503, words: string): Refusal {
  const body = `<!DOCTYPE html><html><head><title>${words}</title></head><body><h1>${words}</h1></body></html>`
  return new Refusal({ status, headers: { 'content-type': 'text/html; charset=UTF-8' }, body })
}

export function tooMany(): Refusal {
  return new Refusal(json({ message: 'Too Many Requests', error: 'too_many_requests' }, 429, { 'retry-after': '1' }))
}

export function unavailable(): Refusal {
  return apiError(503, 'service_unavailable')
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
