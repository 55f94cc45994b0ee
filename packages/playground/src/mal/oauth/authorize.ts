import type { MalClient, MalSettings } from '../options.ts'
import { consentPage } from '../pages/consent.ts'
import type { Sessions } from '../pages/session.ts'
import { redirect, type Exchange, type Reply, type Route } from '../server/exchange.ts'
import { accessDenied, invalidClient, invalidRequest, unsupportedGrantType } from './problems.ts'
import type { GrantStore } from './store.ts'

/**
 * The authorization endpoint. A request that is wrong is answered here and never redirected, not even for the errors
 * that RFC 6749 §4.1.2.1 would send back: that is what MyAnimeList's library does.
 */
export function authorizeRoutes({ clients, grants, sessions, settings }: AuthorizeNeeds): Route[] {
  return [
    { method: 'GET', path, handle: ask },
    { method: 'POST', path, handle: decide },
  ]

  function ask(exchange: Exchange): Reply {
    const asked = parseAuthorization(exchange.url.searchParams, clients)
    if (settings.authorize === 'access_denied') return back(asked, accessDenied)
    const user = sessions.userOf(exchange)
    const here = exchange.url.pathname + exchange.url.search
    if (!user) return redirect(`/login?from=${encodeURIComponent(here)}`)
    return consentPage({ client: asked.client, userName: user.name, here })
  }

  function decide(exchange: Exchange): Reply {
    const asked = parseAuthorization(exchange.url.searchParams, clients)
    const user = sessions.userOf(exchange)
    if (!user) return ask(exchange)
    if (exchange.form.get('decision') !== 'allow') return back(asked, accessDenied)
    const { client, redirectUri, codeChallenge } = asked
    return back(asked, {
      code: grants.issueCode({ userName: user.name, clientId: client.id, redirectUri, codeChallenge }),
    })
  }
}

const path = '/v1/oauth2/authorize'

interface AuthorizeNeeds {
  clients: ReadonlyMap<string, MalClient>
  grants: GrantStore
  sessions: Sessions
  settings: MalSettings
}

interface Authorization {
  readonly client: MalClient
  readonly redirectUri: string
  readonly codeChallenge: string
  readonly state: string | null
}

/**
 * Reads an authorization request.
 *
 * The redirect URI has to be a registered one letter by letter, ports of the loopback address included. A challenge is
 * required of every application, and `plain` is the only method.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7636#section-4.3 RFC 7636 §4.3}
 */
function parseAuthorization(query: URLSearchParams, clients: ReadonlyMap<string, MalClient>): Authorization {
  if (query.get('response_type') !== 'code') throw unsupportedGrantType()
  const clientId = query.get('client_id')
  if (clientId === null) throw invalidRequest('client_id')
  const client = clients.get(clientId)
  if (!client) throw invalidClient(false)

  const redirectUri = query.get('redirect_uri') ?? onlyOne(client.redirectUris)
  if (redirectUri === undefined) throw invalidRequest('redirect_uri')
  if (!client.redirectUris.includes(redirectUri)) throw invalidClient(false)

  const codeChallenge = query.get('code_challenge')
  if (codeChallenge === null) throw invalidRequest('code_challenge')
  if ((query.get('code_challenge_method') ?? 'plain') !== 'plain') {
    throw invalidRequest('code_challenge_method', 'Code challenge method must be one of `plain`')
  }
  if (!/^[\w.~-]{43,128}$/.test(codeChallenge)) {
    throw invalidRequest('code_challenge', 'Code challenge must follow the specifications of RFC-7636.')
  }
  return { client, redirectUri, codeChallenge, state: query.get('state') }
}

function onlyOne(uris: readonly string[]): string | undefined {
  return uris.length === 1 ? uris[0] : undefined
}

function back({ redirectUri, state }: Authorization, says: Readonly<Record<string, string>>): Reply {
  const target = new URL(redirectUri)
  for (const [name, value] of Object.entries(says)) target.searchParams.set(name, value)
  if (state !== null) target.searchParams.set('state', state)
  return redirect(target.href)
}
