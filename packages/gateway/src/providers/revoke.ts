import type { Fetch } from '../http/guarded-fetch.ts'
import type { Party } from './party.ts'
import { ASK_MS, authenticated } from './token-endpoint.ts'
import type { Credential } from './tokens.ts'

/** `unsupported`: the provider has no way to be told. */
export type Revoked = 'ok' | 'failed' | 'unsupported'

/**
 * Tells a provider that its tokens are not needed any more; `ok` where it confirmed. Never throws: they are forgotten
 * here in any case. The refresh token goes first, since revoking it ends what came of it.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7009#section-2 RFC 7009 §2}
 */
export async function revokeTokens(fetch: Fetch, party: Party, credential: Credential): Promise<Revoked> {
  const { revocation } = party
  if (revocation === undefined) return 'unsupported'
  const url = revocation.url.replaceAll('{clientId}', encodeURIComponent(party.client.clientId))
  try {
    const asked = revocation.style === 'rfc7009' ? revocations(party, credential) : [grantDeletion(party, credential)]
    for (const init of asked) {
      const answer = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(ASK_MS) })
      if (!answer.ok) return 'failed'
    }
    return 'ok'
  } catch {
    return 'failed'
  }
}

function revocations({ client }: Party, { accessToken, refreshToken }: Credential): RequestInit[] {
  const tokens = [
    ...(refreshToken ? [{ token: refreshToken.reveal(), token_type_hint: 'refresh_token' }] : []),
    { token: accessToken.reveal(), token_type_hint: 'access_token' },
  ]
  return tokens.map((parameters) => ({ method: 'POST', ...authenticated(client, parameters) }))
}

/** Ends all that the user allowed the application; the client authenticates itself with Basic, whatever else it does. */
function grantDeletion({ client }: Party, { accessToken }: Credential): RequestInit {
  const { headers } = authenticated({ ...client, clientAuthentication: 'basic' }, {})
  const body = JSON.stringify({ access_token: accessToken.reveal() })
  return { method: 'DELETE', headers: { ...headers, 'Content-Type': 'application/json' }, body }
}
