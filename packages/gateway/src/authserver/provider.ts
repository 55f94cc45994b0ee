import type { ServerResponse } from 'node:http'
import Provider, {
  errors,
  interactionPolicy,
  type Configuration,
  type ErrorOut,
  type JWK,
  type KoaContextWithOIDC,
} from 'oidc-provider'
import { digest } from '../base/digest.ts'
import { asProblem, Problem, problem } from '../base/problem.ts'
import type { Log } from '../base/log.ts'
import { isPassing, secondsToWait } from '../http/refusal.ts'
import { showProblem } from '../pages/problem.ts'
import { say } from '../pages/words.ts'
import { isAgentClient } from './agents.ts'
import { toOAuthError } from './answers.ts'
import { addAssertionGrant, type AssertionGrantNeeds } from './assertion-grant.ts'
import type { createAdapters } from './adapter.ts'
import { describeKnown, hasGoodRedirects } from './client-metadata.ts'
import type { createDocumentFetch } from './documents.ts'
import type { Grants } from './grants.ts'
import { SIGNING } from './metadata.ts'
import { redirectHostOf } from './redirects.ts'
import type { Resources } from './resources.ts'
import { CLIENT_AUTH_METHODS, SCOPES, SESSION_COOKIE, type AuthserverSettings } from './settings.ts'
import { parseAccountId, type Account } from './visitor.ts'

export interface ProviderNeeds extends AssertionGrantNeeds {
  readonly settings: AuthserverSettings
  readonly adapters: ReturnType<typeof createAdapters>
  readonly grants: Grants
  readonly resources: Resources
  readonly fetchDocument: ReturnType<typeof createDocumentFetch>
  readonly isUser: (account: Account) => Promise<boolean>
  readonly newRequestId: () => string
  readonly log: Log
}

const MINUTE = 60
const DAY = 86_400
const YEAR = 365 * DAY
const CODE_SECONDS = 60
const DEVICE_SECONDS = 600
const INTERACTION_SECONDS = 3_600

/** Makes the library's server with these keys. All that is not used is turned off. */
export function createProvider(needs: ProviderNeeds, keys: readonly JWK[]): Provider {
  const { settings, log } = needs
  const provider = new Provider(settings.publicUrl, configure(needs, keys))
  compareAgentSecrets(provider)
  addAssertionGrant(provider, needs)
  provider.proxy = true
  provider.silent = true
  /** What the library met and could not tell. */
  const faults = new WeakMap<object, unknown>()
  provider.on('server_error', (ctx, error) => {
    log.error({ error }, 'oauth.fault')
    faults.set(ctx.req, error)
  })
  provider.use(async (ctx, next) => {
    try {
      await next()
      tellPassing(ctx, faults.get(ctx.req))
      dropSessionCookie(ctx.res)
      if (await leadsToStranger(ctx, needs.grants)) await showParting(ctx, needs.newRequestId())
    } catch (error) {
      log.error({ error }, 'oauth.fault')
      throw error
    }
  })
  return provider
}

/** What is kept of an agent's secret is its hash. */
function compareAgentSecrets({ Client }: Provider): void {
  const { compareClientSecret } = Client.prototype
  Client.prototype.compareClientSecret = function compareKept(this: InstanceType<typeof Client>, given) {
    return compareClientSecret.call(this, isAgentClient(this.clientId) ? digest(given) : given)
  }
}

type Answered = Parameters<Parameters<Provider['use']>[0]>[0]

/** A client that is told what is over soon comes back; what the library says of it is a fault. */
function tellPassing(ctx: Answered, fault: unknown): void {
  if (ctx.status !== 500 || !(fault instanceof Problem) || !isPassing(fault)) return
  ctx.status = fault.row.status
  ctx.set('Retry-After', secondsToWait(fault.details))
  ctx.body = toOAuthError(fault)
}

/**
 * Whether an error would send a browser to a client that its user has never let in. Anybody can register an address,
 * so that would make the gate's own address lead to any other.
 *
 * @see RFC 9700 §4.11.2
 */
async function leadsToStranger(ctx: Answered, grants: Grants): Promise<boolean> {
  const oidc: KoaContextWithOIDC['oidc'] | undefined = ctx['oidc']
  if (oidc?.route !== 'authorization' || oidc.client === undefined) return false
  const target = URL.parse(ctx.response.get('location'))
  const isError = target !== null && /[?&#]error=/.test(target.search + target.hash)
  return isError && !(await grants.isTrusted(oidc.client.clientId, oidc.session?.accountId))
}

/** A person may still go there, knowing where. */
async function showParting(ctx: Answered, requestId: string): Promise<void> {
  const href = ctx.response.get('location')
  const error = /[?&#]error=(\w+)/.exec(href)?.[1] ?? ''
  const failure = problem('oauth.request', { reason: reasonOf(error) })
  const label = say('problem.backTo', { host: redirectHostOf(href) })
  ctx.remove('location')
  await sendPage(ctx, showProblem(failure, { requestId, action: { href, label } }))
}

function dropSessionCookie(response: ServerResponse): void {
  const cookies = response.getHeader('Set-Cookie')
  if (!Array.isArray(cookies)) return
  const others = cookies.filter((cookie) => !cookie.startsWith(`${SESSION_COOKIE}=`))
  if (others.length > 0) response.setHeader('Set-Cookie', others)
  else response.removeHeader('Set-Cookie')
}

function configure(needs: ProviderNeeds, keys: readonly JWK[]): Configuration {
  const { settings, adapters, grants, fetchDocument, isUser } = needs
  const { oauth } = settings
  return {
    adapter: adapters,
    clients: oauth.clients.map((client) => ({ client_id: client.clientId, ...describeKnown(client) })),
    clientAuthMethods: [...CLIENT_AUTH_METHODS],
    clientBasedCORS: () => false,
    cookies: { names: { session: SESSION_COOKIE } },
    allowOmittingSingleRegisteredRedirectUri: false,
    enabledJWA: { clientAuthSigningAlgValues: [...SIGNING], idTokenSigningAlgValues: [...SIGNING] },
    expiresWithSession: () => false,
    features: featuresOf(needs),
    fetch: (url, options) => fetchDocument(url instanceof Request ? url.url : url.toString(), options),
    findAccount: async (_ctx, accountId) => {
      const account = parseAccountId(accountId)
      if (account === undefined || !(await isUser(account))) return undefined
      return { accountId, claims: () => ({ sub: accountId }) }
    },
    interactions: { policy: policy(), url: (_ctx, { uid }) => `/interaction/${uid}` },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    jwks: { keys: [...keys] },
    loadExistingGrant: (ctx) => grants.load(ctx),
    pkce: { required: () => true },
    renderError: (ctx, out, error) => renderError(ctx, { out, error }, needs.newRequestId()),
    responseTypes: ['code'],
    rotateRefreshToken: true,
    routes: {
      authorization: '/authorize',
      code_verification: '/device',
      device_authorization: '/device_authorization',
      jwks: '/jwks',
      registration: '/register',
      revocation: '/revoke',
      token: '/token',
    },
    scopes: [...SCOPES],
    ttl: {
      AccessToken: Math.ceil(oauth.accessTokenMinutes * MINUTE),
      AuthorizationCode: CODE_SECONDS,
      ClientCredentials: Math.ceil(oauth.accessTokenMinutes * MINUTE),
      DeviceCode: DEVICE_SECONDS,
      Grant: 10 * YEAR,
      IdToken: Math.ceil(oauth.accessTokenMinutes * MINUTE),
      Interaction: INTERACTION_SECONDS,
      RefreshToken: Math.ceil(oauth.refreshTokenDays * DAY),
      Session: INTERACTION_SECONDS,
    },
  }
}

function featuresOf({ settings, resources }: ProviderNeeds): NonNullable<Configuration['features']> {
  const { oauth } = settings
  const off = { enabled: false } as const
  return {
    devInteractions: off,
    clientCredentials: { enabled: true },
    dPoP: off,
    deviceFlow: { enabled: true, charset: 'base-20', mask: '****-****', deviceInfo: (ctx) => ({ address: ctx.ip }) },
    pushedAuthorizationRequests: off,
    rpInitiatedLogout: off,
    userinfo: off,
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    registration: { enabled: oauth.dynamicRegistration, issueRegistrationAccessToken: false },
    clientIdMetadataDocument: {
      enabled: oauth.clientIdMetadata,
      ack: 'draft-02',
      allowFetch: (_ctx, clientId) => new URL(clientId).pathname !== '/',
      allowClient: (_ctx, client) => client.clientName !== undefined && hasGoodRedirects(client.metadata()),
      cacheDuration: { min: 60, max: 86_400 },
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_ctx, _client, oneOf) => oneOf ?? resources.all,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => {
        const isOne = !Array.isArray(ctx.oidc.params?.['resource'])
        if (!isOne || resources.find(resource) !== resource) throw new errors.InvalidTarget()
        return { scope: 'mcp', audience: resource, accessTokenFormat: 'opaque' }
      },
    },
  }
}

/** Asks for a permission wherever none is kept; see `createGrants`. */
function policy(): interactionPolicy.DefaultPolicy {
  const { Check, Prompt } = interactionPolicy
  const prompts = interactionPolicy.base()
  prompts.remove('consent')
  const isMissing = new Check('not_allowed', 'the user has not allowed this', 'consent_required', ({ oidc }) => {
    return oidc.grant?.jti === undefined
  })
  prompts.add(new Prompt({ name: 'consent', requestable: true }, isMissing))
  return prompts
}

interface Failed {
  readonly out: ErrorOut
  readonly error: unknown
}

/** Shows a person what cannot be told to the client. Nothing that the request said is repeated. */
async function renderError(ctx: KoaContextWithOIDC, { out, error }: Failed, requestId: string): Promise<void> {
  const isOurs = out.error === 'server_error'
  const failure = isOurs ? asProblem(error) : problem('oauth.request', { reason: reasonOf(out.error) })
  await sendPage(ctx, showProblem(failure, { requestId }))
}

async function sendPage(ctx: Answered, page: Response): Promise<void> {
  ctx.status = page.status
  for (const [name, value] of page.headers) ctx.set(name, value)
  ctx.body = await page.text()
}

function reasonOf(error: string): string {
  return REASONS[error] ?? 'it is not valid'
}

const REASONS: Readonly<Record<string, string>> = {
  invalid_client: 'the program that sent it is not known here',
  invalid_redirect_uri: 'its answer would go to an address that the program has not registered',
  invalid_client_metadata: 'what the program says of itself is not valid',
  invalid_request: 'it is not complete, was begun in another browser, or has expired',
}
