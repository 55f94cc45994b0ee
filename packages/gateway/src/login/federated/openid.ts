import {
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  calculatePKCECodeChallenge,
  ClientSecretBasic,
  ClientSecretPost,
  customFetch,
  getValidatedIdTokenClaims,
  jwksCache,
  processAuthorizationCodeResponse,
  processUserInfoResponse,
  userInfoRequest,
  validateApplicationLevelSignature,
  validateAuthResponse,
  type Client,
  type JWKSCacheInput,
} from 'oauth4webapi'
import { isSafePlace } from '../../base/loopback.ts'
import { readIdentity } from './claims.ts'
import { toProblem, unbelievable } from './failure.ts'
import type { FetchFor } from './fetches.ts'
import type { MetadataOf, ProviderMetadata } from './metadata.ts'
import type { Asked, Identity, IdentityProvider, Protocol } from './provider.ts'

export interface OpenIdNeeds {
  readonly fetchFor: FetchFor
  readonly metadataOf: MetadataOf
}

/** Whoever is to prove anew who they are has done so within this time. */
const AGAIN_SECONDS = 300

/**
 * OpenID Connect by the authorization code flow: PKCE S256, `state`, `nonce`, the issuer of the answer (RFC 9207), and
 * an ID token whose signature is checked although it came by TLS from the provider itself.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation OpenID Connect Core §3.1.3.7}
 */
export function createOpenId({ fetchFor, metadataOf }: OpenIdNeeds): Protocol {
  const keySets = new Map<string, JWKSCacheInput>()

  async function exchange(provider: IdentityProvider, asked: Asked, answer: URLSearchParams): Promise<Identity> {
    const metadata = await metadataOf(provider)
    const client: Client = { client_id: provider.clientId }
    const options = optionsFor(provider)
    const valid = validateAuthResponse(metadata, client, answer, asked.state)
    const { redirectUri, codeVerifier, nonce } = asked
    const secret = authenticationOf(provider, metadata)
    const reply = await authorizationCodeGrantRequest(
      metadata,
      client,
      secret,
      valid,
      redirectUri,
      codeVerifier,
      options,
    )
    const tokens = await processAuthorizationCodeResponse(metadata, client, reply, {
      expectedNonce: nonce,
      requireIdToken: true,
      ...(asked.again && provider.anew === 'max_age' ? { maxAge: AGAIN_SECONDS } : {}),
    })
    await validateApplicationLevelSignature(metadata, reply, { ...options, [jwksCache]: keySetOf(provider) })
    const idToken = getValidatedIdTokenClaims(tokens)
    if (idToken === undefined) throw unbelievable(provider, 'it holds no ID token')
    const userInfo = await askUserInfo(metadata, client, { subject: idToken.sub, token: tokens.access_token, options })
    const identity = readIdentity(provider, { issuer: metadata.issuer, idToken, userInfo })
    if (identity === undefined) throw unbelievable(provider, 'its subject is none')
    return identity
  }

  function optionsFor(provider: IdentityProvider) {
    return { [customFetch]: fetchFor(provider), [allowInsecureRequests]: isSafePlace(new URL(provider.issuer)) }
  }

  function keySetOf({ id }: IdentityProvider): JWKSCacheInput {
    const known = keySets.get(id) ?? {}
    keySets.set(id, known)
    return known
  }

  return {
    async begin(provider, asked) {
      const { authorization_endpoint: endpoint } = await metadataOf(provider)
      return authorizationUrl(endpoint, provider, asked)
    },
    async finish(provider, asked, answer) {
      try {
        return await exchange(provider, asked, answer)
      } catch (error) {
        throw toProblem(provider, error)
      }
    },
  }
}

/** @see {@link https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest OpenID Connect Core §3.1.2.1} */
async function authorizationUrl(endpoint: string, provider: IdentityProvider, asked: Asked): Promise<URL> {
  const url = new URL(endpoint)
  const parameters: Record<string, string> = {
    response_type: 'code',
    client_id: provider.clientId,
    redirect_uri: asked.redirectUri,
    scope: provider.scopes.join(' '),
    state: asked.state,
    nonce: asked.nonce,
    code_challenge: await calculatePKCECodeChallenge(asked.codeVerifier),
    code_challenge_method: 'S256',
    ...(asked.again ? parametersAnew(provider) : {}),
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url
}

/** Who does not say when somebody signed in can at least be had to ask them. */
function parametersAnew({ anew }: IdentityProvider): Record<string, string> {
  return anew === 'max_age' ? { max_age: String(AGAIN_SECONDS) } : { prompt: anew }
}

/** Where nothing is said, it is by HTTP Basic. @see OpenID Connect Discovery §3, `token_endpoint_auth_methods_supported` */
function authenticationOf({ clientSecret }: IdentityProvider, metadata: ProviderMetadata) {
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
  const method = methods.includes('client_secret_basic') ? ClientSecretBasic : ClientSecretPost
  return method(clientSecret.reveal())
}

interface UserInfoQuestion {
  /** Whom the ID token is about: an answer about somebody else is not taken. */
  readonly subject: string
  readonly token: string
  readonly options: { readonly [customFetch]: ReturnType<FetchFor>; readonly [allowInsecureRequests]: boolean }
}

/** Some providers put an address or groups there and not into the ID token. @see OpenID Connect Core §5.3.2 */
async function askUserInfo(metadata: ProviderMetadata, client: Client, { subject, token, options }: UserInfoQuestion) {
  if (metadata.userinfo_endpoint === undefined) return {}
  const reply = await userInfoRequest(metadata, client, token, options)
  return processUserInfoResponse(metadata, client, subject, reply)
}
