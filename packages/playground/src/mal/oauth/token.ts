import { timingSafeEqual } from 'node:crypto'
import type { MalClient, MalSettings } from '../options.ts'
import { json, type Answer, type Exchange, type Route } from '../server/exchange.ts'
import { requireUser } from '../users.ts'
import { digest } from './codes.ts'
import { invalidClient, invalidGrant, invalidRefreshToken, invalidRequest } from './problems.ts'
import { serverError, unsupportedGrantType } from './problems.ts'
import type { GrantStore, Tokens } from './store.ts'

/** The token endpoint: codes into tokens, and refresh tokens into newer ones. */
export function tokenRoutes({ clients, grants, settings }: TokenNeeds): Route[] {
  return [{ method: 'POST', path: '/v1/oauth2/token', handle: exchangeToken }]

  function exchangeToken(exchange: Exchange): Answer {
    const grantType = exchange.form.get('grant_type')
    if (grantType === 'authorization_code') return fromCode(exchange)
    if (grantType === 'refresh_token') return fromRefreshToken(exchange)
    throw unsupportedGrantType()
  }

  function fromCode(exchange: Exchange): Answer {
    const client = authenticate(exchange, clients)
    const { form } = exchange
    const text = form.get('code')
    if (text === null) throw invalidRequest('code')
    const code = grants.findCode(text)
    if (!code) throw invalidRequest('code', 'Cannot decrypt the authorization code')
    if (grants.isExpired(code)) throw invalidRequest('code', 'Authorization code has expired')
    if (code.revoked) throw invalidRequest('code', 'Authorization code has been revoked')
    if (code.clientId !== client.id) throw invalidRequest('code', 'Authorization code was not issued to this client')
    if (form.get('redirect_uri') === null) throw invalidRequest('redirect_uri')
    if (form.get('redirect_uri') !== code.redirectUri) throw invalidRequest('redirect_uri', 'Invalid redirect URI')

    requireVerifier(form.get('code_verifier'), code.codeChallenge)
    code.revoked = true
    const user = requireUser(code.userName)
    exchange.seen.user = user.name
    return issued(grants.issueTokens(user, client.id))
  }

  function fromRefreshToken(exchange: Exchange): Answer {
    const client = authenticate(exchange, clients)
    const text = exchange.form.get('refresh_token')
    if (text === null) throw invalidRequest('refresh_token')
    const held = grants.findRefreshToken(text)
    if (!held) throw invalidRefreshToken('Cannot decrypt the refresh token')
    if (held.clientId !== client.id) throw invalidRefreshToken('Token is not linked to client')
    if (grants.isExpired(held)) throw invalidRefreshToken('Token has expired')
    if (held.revoked) throw invalidRefreshToken('Token has been revoked')
    exchange.seen.user = held.userName

    if (settings.refreshReply === 'hang') return 'hang'
    if (settings.refreshReply === 'html') return maintenance
    if (settings.refreshReply === 'error') throw serverError()
    if (settings.rotation === 'strict') {
      held.revoked = true
      held.access.revoked = true
    }
    const { refresh_token, ...rest } = body(grants.issueTokens(requireUser(held.userName), client.id))
    return noStore(settings.refreshReply === 'no_refresh_token' ? rest : { ...rest, refresh_token })
  }
}

interface TokenNeeds {
  clients: ReadonlyMap<string, MalClient>
  grants: GrantStore
  settings: MalSettings
}

/**
 * Identifies the application, by body or by Basic. A public one must not send a secret at all; even an empty one is
 * refused.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1 RFC 6749 §2.3.1}
 */
function authenticate({ form, headers }: Exchange, clients: ReadonlyMap<string, MalClient>): MalClient {
  const basic = parseBasic(headers.authorization)
  const id = form.get('client_id') ?? basic?.id
  if (id === undefined) throw invalidRequest('client_id')
  const client = clients.get(id)
  if (!client) throw invalidClient(basic !== undefined)
  const secret = form.get('client_secret') ?? basic?.secret
  if (client.secret === undefined ? secret !== undefined : !isEqual(client.secret, secret)) {
    throw invalidClient(basic !== undefined)
  }
  return client
}

function parseBasic(header: string | undefined): { id: string; secret: string } | undefined {
  const [, credentials] = /^Basic ([\w+/=-]+)$/i.exec(header ?? '') ?? []
  if (credentials === undefined) return undefined
  const text = Buffer.from(credentials, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { id: text.slice(0, colon), secret: text.slice(colon + 1) }
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc7636#section-4.6 RFC 7636 §4.6}, for `plain`. */
function requireVerifier(verifier: string | null, challenge: string): void {
  if (verifier === null) throw invalidRequest('code_verifier')
  if (!/^[\w.~-]{43,128}$/.test(verifier)) {
    throw invalidRequest('code_verifier', 'Code Verifier must follow the specifications of RFC-7636.')
  }
  if (!isEqual(challenge, verifier)) throw invalidGrant('Failed to verify `code_verifier`.')
}

function isEqual(expected: string, given: string | undefined): boolean {
  return given !== undefined && timingSafeEqual(Buffer.from(digest(expected)), Buffer.from(digest(given)))
}

function body({ accessToken, refreshToken, expiresIn }: Tokens) {
  return { token_type: 'Bearer', expires_in: expiresIn, access_token: accessToken, refresh_token: refreshToken }
}

function issued(tokens: Tokens): Answer {
  return noStore(body(tokens))
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.1 RFC 6749 §5.1} */
function noStore(value: unknown): Answer {
  return json(value, 200, { 'cache-control': 'no-store', pragma: 'no-cache' })
}

/** The page that stands in front of a service that is down: 200, and no word of JSON. */
const maintenance: Answer = {
  status: 200,
  headers: { 'content-type': 'text/html; charset=UTF-8' },
  body: '<!doctype html><html lang="en"><title>Maintenance</title><h1>We will be back soon</h1></html>\n',
}
