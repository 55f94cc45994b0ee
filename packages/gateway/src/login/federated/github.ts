import {
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  calculatePKCECodeChallenge,
  ClientSecretPost,
  customFetch,
  processAuthorizationCodeResponse,
  validateAuthResponse,
  type AuthorizationServer,
  type Client,
} from 'oauth4webapi'
import { z } from 'zod'
import { isSafePlace } from '../../base/loopback.ts'
import { refusedWith, toProblem, unbelievable } from './failure.ts'
import type { FetchFor } from './fetches.ts'
import type { Asked, Identity, IdentityProvider, Protocol } from './provider.ts'

const Account = z.object({ id: z.int().positive(), login: z.string(), name: z.string().nullish() })
const Emails = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }))
const Organizations = z.array(z.object({ login: z.string() }))
const Refused = z.object({ error: z.string() })

/**
 * GitHub, which speaks OAuth 2.0 and has no ID token: who somebody is, its API says to the token that was made for this
 * very code. The id is the subject, since a login may become somebody else's; of addresses only the primary one
 * counts, where it is verified.
 *
 * @see {@link https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps GitHub, "Authorizing OAuth apps"}
 */
export function createGitHub({ fetchFor }: { readonly fetchFor: FetchFor }): Protocol {
  async function exchange(provider: IdentityProvider, asked: Asked, answer: URLSearchParams): Promise<Identity> {
    const server = serverOf(provider)
    const client: Client = { client_id: provider.clientId }
    const valid = validateAuthResponse(server, client, answer, asked.state)
    const reply = await authorizationCodeGrantRequest(
      server,
      client,
      ClientSecretPost(provider.clientSecret.reveal()),
      valid,
      asked.redirectUri,
      asked.codeVerifier,
      {
        [customFetch]: fetchFor(provider),
        [allowInsecureRequests]: isSafePlace(new URL(provider.issuer)),
      },
    )
    // Errors, too, come with status 200 from there.
    const { data: refused } = Refused.safeParse(await reply.clone().json())
    if (refused !== undefined) throw refusedWith(provider, refused.error)
    const { access_token: token } = await processAuthorizationCodeResponse(server, client, reply)
    return identify(provider, token)
  }

  async function identify(provider: IdentityProvider, token: string): Promise<Identity> {
    const { id, login, name } = await ask(provider, { path: '/user', token }, Account)
    const emails = await ask(provider, { path: '/user/emails', token }, Emails)
    const email = emails.find(({ primary, verified }) => primary && verified)?.email
    const asksForGroups = provider.scopes.includes('read:org')
    const groups = asksForGroups ? await ask(provider, { path: '/user/orgs?per_page=100', token }, Organizations) : []
    return {
      issuer: provider.issuer,
      subject: String(id),
      email,
      verifiedEmail: email,
      username: login,
      name: name ?? undefined,
      groups: groups.map((group) => group.login),
      amr: [],
      authenticatedAt: undefined,
      sid: undefined,
    }
  }

  async function ask<T>(provider: IdentityProvider, { path, token }: Question, schema: z.ZodType<T>): Promise<T> {
    const headers = { Accept: 'application/vnd.github+json', Authorization: `Bearer ${token}` }
    const reply = await fetchFor(provider)(`${apiOf(provider)}${path}`, { headers })
    const { data } = schema.safeParse(reply.status === 200 ? await reply.json() : undefined)
    if (data === undefined) throw unbelievable(provider, 'its API does not say who it is')
    return data
  }

  return {
    async begin(provider, asked) {
      const url = new URL(`${provider.issuer}/login/oauth/authorize`)
      url.search = new URLSearchParams({
        client_id: provider.clientId,
        redirect_uri: asked.redirectUri,
        scope: provider.scopes.join(' '),
        state: asked.state,
        code_challenge: await calculatePKCECodeChallenge(asked.codeVerifier),
        code_challenge_method: 'S256',
        ...(asked.again ? { prompt: 'select_account' } : {}),
      }).toString()
      return url
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

interface Question {
  readonly path: string
  readonly token: string
}

/** What its metadata say, which it has for others than those who sign in. */
function serverOf({ issuer }: IdentityProvider): AuthorizationServer {
  return { issuer: `${issuer}/login/oauth`, token_endpoint: `${issuer}/login/oauth/access_token` }
}

/** That of a GitHub Enterprise Server is below its own address. */
function apiOf({ issuer }: IdentityProvider): string {
  return issuer === 'https://github.com' ? 'https://api.github.com' : `${issuer}/api/v3`
}
