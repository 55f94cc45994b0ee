import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Audit } from '../audit/append.ts'
import { placeOf } from '../audit/oddities.ts'
import type { Watch } from '../audit/watch.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { Fetch } from '../http/guarded-fetch.ts'
import { cameBy } from '../identity/principal.ts'
import { DEFAULT_TENANT } from '../identity/tenants.ts'
import { createThrottle } from '../limits/throttle.ts'
import type { Storage } from '../storage/database.ts'
import type { EndedAccess } from '../storage/shared/announcements.ts'
import type { Sealer } from '../vault/sealer.ts'
import { createAdapters } from './adapter.ts'
import { createAssertions, type Asserted, type AssertionsNeeds } from './assertions.ts'
import type { Consents } from './consents.ts'
import { createDocumentFetch } from './documents.ts'
import type { LimitedEndpoint } from './endpoints.ts'
import type { Grants } from './grants.ts'
import { createIssuers } from './issuers.ts'
import type { Newcomers } from './newcomers.ts'
import { createProvider } from './provider.ts'
import type { Records } from './records.ts'
import { redirectHostOf } from './redirects.ts'
import type { Resources } from './resources.ts'
import type { AuthserverSettings } from './settings.ts'
import { createSigningKeys } from './signing-keys.ts'
import type { Tokens } from './tokens.ts'
import { parseAccountId, type Account, type Visitor } from './visitor.ts'

export interface EngineNeeds {
  readonly storage: Storage
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random?: Random
  readonly log: Log
  readonly audit: Pick<Audit, 'note'>
  readonly watch: Pick<Watch, 'clientCame' | 'tokenReplayed'>
  readonly consents: Pick<Consents, 'cameFrom'>
  readonly newRequestId: () => string
  readonly settings: AuthserverSettings
  readonly fetch: Fetch
  readonly records: Records
  readonly newcomers: Newcomers
  readonly resources: Resources
  readonly grants: Grants
  readonly tokens: Pick<Tokens, 'drop' | 'dropHash'>
  /** Who is signed in, by the request the library was given. */
  readonly visitors: WeakMap<object, { readonly visitor: Visitor | undefined }>
  /** Guarded; may go where the issuers are that the operator trusts. */
  readonly fetchFromIssuers: Fetch
  readonly userOf: AssertionsNeeds['userOf']
  readonly isUser: (account: Account) => Promise<boolean>
  readonly onOperation: (operation: LimitedEndpoint, outcome: string) => void
  readonly onEnded: (ended: EndedAccess) => void
}

const REGISTERED_EVERY_MS = 1_000

/** Opens the library with the keys of today. */
export async function openEngine(needs: EngineNeeds) {
  const { settings, clock, tokens } = needs
  const adapters = createAdapters({
    ...needs,
    graceMs: settings.oauth.refreshGraceHours * 3_600_000,
    returnTo: (uid) => `${settings.publicUrl}/authorize/${uid}`,
    visitorOf: (request) => needs.visitors.get(request),
    onTokensGone(which) {
      if ('hash' in which) return tokens.dropHash(which.hash)
      const ended = { keyId: which.grantId }
      tokens.drop(cameBy(ended))
      needs.onEnded(ended)
    },
  })
  const keys = createSigningKeys(needs)
  const { publicUrl, oauth } = settings
  const issuers = createIssuers({ fetch: needs.fetchFromIssuers, clock })
  const assertions = createAssertions({ ...needs, issuers, publicUrl, trusted: oauth.trustedIssuers })
  function onAsserted({ account, issuer, resource }: Asserted, client: string): void {
    const { tenant, userId } = account
    needs.audit.note(tenant, { kind: 'client.asserted', userId, client, issuer, resources: resource })
  }
  const build = {
    ...needs,
    assertions,
    onAsserted,
    adapters,
    fetchDocument: createDocumentFetch({ fetch: needs.fetch, clock }),
  }
  const registrations = createThrottle({ clock, everyMs: REGISTERED_EVERY_MS, atMost: 1 })
  let kids = ''
  let provider: Provider | undefined

  /** A server with new keys takes the place of the one before, which still ends what it has begun. */
  async function takeUpKeys(): Promise<Provider> {
    const current = await keys.current()
    const names = current.map(({ kid }) => kid).join(' ')
    if (provider !== undefined && names === kids) return provider
    const made = createProvider(build, current)
    follow(made, { ...needs, registrations })
    provider = made
    kids = names
    return made
  }
  const first = await takeUpKeys()
  return { provider: () => provider ?? first, takeUpKeys }
}

interface FollowNeeds extends Pick<EngineNeeds, 'audit' | 'watch' | 'consents' | 'log' | 'onOperation'> {
  /** Strangers register as they like, and must not fill the log that is kept for ever. */
  readonly registrations: ReturnType<typeof createThrottle>
}

/** Counts what the library did, and keeps what matters of it. */
function follow(provider: Provider, needs: FollowNeeds): void {
  const { audit, onOperation, registrations } = needs
  provider.on('authorization.success', () => onOperation('authorize', 'ok'))
  provider.on('interaction.started', () => onOperation('authorize', 'asked'))
  provider.on('authorization.error', (_ctx, { error }) => onOperation('authorize', error))
  provider.on('grant.success', (ctx) => {
    onOperation('token', 'ok')
    noteWhere(ctx, needs).catch((error: unknown) => needs.log.warn({ error }, 'oauth.place_lost'))
  })
  provider.on('grant.error', (_ctx, { error }) => onOperation('token', error))
  provider.on('device_authorization.success', () => onOperation('device', 'ok'))
  provider.on('device_authorization.error', (_ctx, { error }) => onOperation('device', error))
  provider.on('registration_create.error', (_ctx, { error }) => onOperation('register', error))
  provider.on('revocation.error', (_ctx, { error }) => onOperation('revoke', error))
  provider.on('server_error', ({ oidc }) => {
    const operation = OPERATIONS.get(oidc.route)
    if (operation !== undefined) onOperation(operation, 'server_error')
  })
  provider.on('registration_create.success', (_ctx, client) => {
    onOperation('register', 'ok')
    if (!registrations.pass('any')) return
    const { clientId, clientName, redirectUris = [] } = client
    const redirectHost = redirectUris.map(redirectHostOf).join(' ')
    audit.note(DEFAULT_TENANT, { kind: 'client.registered', client: clientId, clientName, redirectHost })
  })
  provider.on('grant.revoked', ({ oidc, ip: address }) => {
    if (oidc.route !== 'token' || oidc.client === undefined) return
    const client = oidc.client.clientId
    const whose = oidc.account && parseAccountId(oidc.account.accountId)
    if (whose !== undefined) needs.watch.tokenReplayed(whose, { client, address })
    audit.note(DEFAULT_TENANT, { kind: 'client.cut_off', client })
  })
}

/** A client renews its tokens at least as often as they end, so this is where one that moved is noticed. */
async function noteWhere({ oidc, ip: address }: KoaContextWithOIDC, { consents, watch }: FollowNeeds): Promise<void> {
  const whose = oidc.account && parseAccountId(oidc.account.accountId)
  const client = oidc.client?.clientId
  if (whose === undefined || client === undefined || oidc.params?.['grant_type'] !== 'refresh_token') return
  const before = await consents.cameFrom(whose, client, placeOf(address))
  if (before !== undefined) watch.clientCame(whose, { client, clientName: before.clientName, before, address })
}

/** What the library calls the operations. */
const OPERATIONS: ReadonlyMap<string, LimitedEndpoint> = new Map([
  ['authorization', 'authorize'],
  ['resume', 'authorize'],
  ['token', 'token'],
  ['device_authorization', 'device'],
  ['registration', 'register'],
  ['revocation', 'revoke'],
])
