import { randomBytes } from 'node:crypto'
import Provider, { type Configuration, type KoaContextWithOIDC } from 'oidc-provider'
import type { Memory } from './adapter.ts'
import type { Keys } from './keys.ts'
import { spoil, spoilAnswer } from './oddities.ts'
import type { IdentityClient, IdentitySettings } from './options.ts'
import { pageHeaders } from '../page.ts'
import { page } from './layout.ts'
import { identityUsers } from './users.ts'

export interface ProviderNeeds {
  readonly issuer: string
  readonly clients: readonly IdentityClient[]
  readonly keys: Keys
  readonly memory: Memory
  readonly settings: IdentitySettings
}

/** The library's server: discovery, S256, an `iss` in every answer, back-channel logout; nobody is asked to consent. */
export function createOpenIdProvider(needs: ProviderNeeds): Provider {
  const provider = new Provider(needs.issuer, configure(needs))
  provider.silent = true
  const codes: string[] = []
  provider.use(async (ctx, next) => {
    await next()
    const { oddity } = needs.settings
    const { oidc, body, response } = ctx as unknown as Answered
    const location = response.get('location')
    const code = URL.parse(location)?.searchParams.get('code') ?? undefined
    if (oddity !== undefined && code !== undefined) ctx.redirect(spoilAnswer(location, oddity, codes.at(-1)))
    if (code !== undefined) codes.push(code)
    if (oddity === undefined || body === undefined) return
    if (oidc?.route === 'token' && typeof body.id_token === 'string') {
      body.id_token = oddity === 'no-id-token' ? undefined : await spoil(body.id_token, oddity, needs.keys)
    }
    if (oidc?.route === 'userinfo' && oddity === 'other-userinfo') body.sub = 'somebody-else'
    if (oidc?.route === 'userinfo' && oddity === 'changed-sub') body.sub = `${String(body.sub)}-once-more`
    if (oidc?.route === 'discovery' && oddity === 'wrong-discovery') body.issuer = 'https://evil.example'
  })
  return provider
}

/** What the library leaves behind once it has answered. */
interface Answered {
  readonly oidc?: Pick<KoaContextWithOIDC['oidc'], 'route'>
  readonly body?: Record<string, unknown>
  readonly response: { get(name: string): string }
}

function configure({ clients, keys, memory }: ProviderNeeds): Configuration {
  return {
    adapter: memory.adapterFor,
    clients: clients.map((client) => ({
      client_id: client.id,
      client_secret: client.secret,
      client_name: client.name,
      redirect_uris: [...client.redirectUris],
      post_logout_redirect_uris: [...(client.postLogoutRedirectUris ?? [])],
      ...(client.backchannelLogoutUri === undefined
        ? {}
        : { backchannel_logout_uri: client.backchannelLogoutUri, backchannel_logout_session_required: true }),
    })),
    claims: {
      openid: ['sub', 'amr', 'auth_time', 'sid'],
      profile: ['name', 'preferred_username'],
      email: ['email', 'email_verified'],
      groups: ['groups'],
    },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true, logoutSource: showSignOut, postLogoutSuccessSource: showSignedOut },
    },
    // Whoever is told of a logout is on this machine, where the library would send nothing.
    fetch(url, options = {}) {
      Reflect.deleteProperty(options, 'dispatcher')
      return fetch(url, options)
    },
    findAccount: (_ctx, sub) => Promise.resolve(accountOf(sub)),
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    jwks: keys.jwks,
    async loadExistingGrant({ oidc }) {
      const { client, session } = oidc
      if (client === undefined || session?.accountId === undefined) return undefined
      const grant = new oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId })
      grant.addOIDCScope('openid profile email groups')
      await grant.save()
      return grant
    },
    pkce: { required: () => true },
    responseTypes: ['code'],
    scopes: ['openid', 'profile', 'email', 'groups'],
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 3_600, IdToken: 600, Interaction: 600, Session: 3_600 },
  }
}

function accountOf(sub: string) {
  const user = identityUsers.find((each) => each.sub === sub)
  if (user === undefined) return undefined
  const { name, username, email, emailVerified, groups } = user
  const claims = { sub, name, preferred_username: username, email, email_verified: emailVerified, groups: [...groups] }
  return { accountId: sub, claims: () => claims }
}

/** The page of a browser that a relying party sent here to sign out. */
function showSignOut(ctx: KoaContextWithOIDC, form: string): void {
  const button = '<button name="logout" value="yes">Sign out everywhere</button>'
  show(ctx, 'Sign out', form.replace('</form>', `${button}</form>`))
}

/** Where it stays when that is done, and nobody said where it goes. The library's own page loads a font from elsewhere. */
function showSignedOut(ctx: KoaContextWithOIDC): void {
  show(ctx, 'You are signed out', '')
}

function show(ctx: KoaContextWithOIDC, title: string, main: string): void {
  ctx.set(pageHeaders)
  ctx.body = page(title, main)
}
