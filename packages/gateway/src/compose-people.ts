import { createAuthserver } from './authserver/authserver.ts'
import { createSubjects } from './authserver/subjects.ts'
import { createIds, type TenantId, type UserId } from './base/ids.ts'
import { createAccounts } from './compose-accounts.ts'
import type { Kept } from './compose-kept.ts'
import type { Config, SignInConfig } from './config/config.ts'
import { createClientAddress, rateKeyOf } from './http/client-address.ts'
import { createGuardedFetch } from './http/guarded-fetch.ts'
import { mayBeKey } from './identity/key-format.ts'
import { createApiKeys } from './identity/keys.ts'
import { DEFAULT_TENANT, nameTenants, tenantCalled } from './identity/tenants.ts'
import { createUsers } from './identity/users.ts'
import { createEndpointLimits } from './limits/endpoints.ts'
import { createLimits } from './limits/spend.ts'
import { createAttempts, type OtherProcesses } from './login/attempts.ts'
import { openFactors } from './login/factors/open.ts'
import { createFederated } from './login/federated/federated.ts'
import { createInvitations } from './login/invitations.ts'
import type { ProofKind } from './login/needs.ts'
import { createPasswords } from './login/passwords.ts'
import type { PolicyOf } from './login/policy.ts'
import { createSessions } from './login/sessions.ts'
import { createBearer } from './mcp/bearer.ts'
import { createStrangers } from './mcp/strangers.ts'
import { createConnections } from './providers/connections.ts'
import { createFetches } from './providers/fetches.ts'
import { linkOf } from './providers/link.ts'
import { createReachable } from './providers/reachable.ts'
import type { Announcements, EndedAccess, Guessed } from './storage/shared/announcements.ts'
import type { World } from './world.ts'

/** Who may call, how often, and with which credential of theirs. */
export async function openPeople(config: Config, world: World, kept: Kept) {
  const { clock, random } = world
  const { storage, metrics, audit } = kept
  const newId = createIds(clock, random)
  const keys = createApiKeys({ ...world, storage, newId, onEnded })
  const limits = createLimits({ counters: kept.shared.counters, ...config.limits })
  const doors = createDoors(config, kept)
  const login = await createLogin(config, world, kept)
  const count = (operation: string, outcome: string) => metrics.oauth_operations_total.inc({ operation, outcome })

  const connections = await createConnections({
    ...world,
    ...kept,
    settings: config,
    fetchFor: doors.outbound.fetchFor,
    onOperation: count,
  })
  const accounts = createAccounts({
    config,
    vault: kept.vault,
    clock,
    connections,
    linkOf: (server) => linkOf(server, config.providers),
  })

  const leavers: ((tenant: TenantId, userId: UserId) => void)[] = [
    keys.dropUser,
    (tenant, userId) => accounts.credentials.dropUser({ tenant, userId }),
    (tenant, userId) => connections.dropUser({ tenant, userId }),
    (tenant, userId) => authserver.dropUser(tenant, userId),
  ]
  const users = createUsers({
    storage,
    newId,
    clock,
    changed(tenant, userId) {
      leavers.forEach((leave) => leave(tenant, userId))
      kept.announcements.tell('user', { tenant, userId })
    },
  })
  kept.announcements.hear('user', ({ tenant, userId }) => leavers.forEach((leave) => leave(tenant, userId)))
  const enders: ((ended: EndedAccess) => void)[] = []
  function onEnded(ended: EndedAccess): void {
    enders.forEach((end) => end(ended))
    kept.announcements.tell('access', ended)
  }
  kept.announcements.hear('access', (ended) => {
    for (const end of [keys.dropEnded, authserver.dropEnded, ...enders]) end(ended)
  })
  const authserver = createAuthserver({
    ...world,
    ...kept,
    onEnded,
    limits: doors.limits,
    addressOf: doors.addressOf,
    settings: {
      publicUrl: config.publicUrl,
      oauth: config.oauth,
      servers: () => config.servers.map(({ id }) => id),
    },
    fetch: doors.toStrangers.fetch,
    fetchFromIssuers: doors.toIssuers.fetch,
    userOf: createSubjects({
      trustedIssuers: config.oauth.trustedIssuers,
      tenants: login.tenants,
      users,
      findLinked: (tenant, identity) => federated.findUser(tenant, identity),
      log: world.log,
    }),
    newRequestId: kept.newRequestId,
    onFailure: kept.noteFailure,
    async whoIsSignedIn(request) {
      const session = await login.sessions.find(request.headers.cookie)
      return session && { ...session, signedInAt: session.authenticatedAt }
    },
    findUser: (tenant, userId) => users.find(tenant, userId),
    users,
    newId,
    onOperation: count,
  })

  const federated = createFederated({
    ...world,
    ...kept,
    users,
    providers: config.identityProviders.map((provider) => ({ ...provider, tenant: tenantCalled(provider.tenant) })),
    publicUrl: config.publicUrl,
    allowedHosts: config.outbound.allowedHosts,
    onOperation: count,
  })

  const watched = createStrangers({
    clock,
    ...doors,
    keep: (event) => audit.note(DEFAULT_TENANT, event),
  })
  const { identify, authenticate } = createBearer({
    keys: { ...keys, mayBeKey },
    tokens: authserver,
    isServer: (id) => config.servers.some((server) => server.id === id),
    counted: countersOf(metrics),
  })
  return {
    keys,
    users,
    /** Told when a user is changed or gone. */
    onUserChanged: (leave: (typeof leavers)[number]) => void leavers.push(leave),
    /** Told when a key, or what a client was allowed, opens the gate no more. */
    onAccessEnded: (end: (typeof enders)[number]) => void enders.push(end),
    accounts,
    connections,
    reachable: createReachable({ providers: config.providers, fetchFor: doors.outbound.fetchFor, clock }),
    authserver,
    login,
    federated,
    doors,
    limits,
    bearer: { identify: watched(identify), authenticate: watched(authenticate) },
    closers: {
      authserver: authserver.close,
      connections: connections.close,
      sessions: login.sessions.close,
      federated: federated.close,
      outbound: doors.outbound.close,
      toStrangers: doors.toStrangers.close,
      toIssuers: doors.toIssuers.close,
    },
  }
}
export type People = Awaited<ReturnType<typeof openPeople>>

/** What stands open to everybody: who is counted there, how often, and where the gate itself may go for them. */
function createDoors(config: Config, { shared }: Kept) {
  const addressOf = createClientAddress({ trusted: config.trustProxy })
  const limits = createEndpointLimits({ counters: shared.counters, perMinute: config.limits.perMinute })
  type Spent = Parameters<typeof limits.spend>
  const { allowedHosts } = config.outbound
  const issuers = config.oauth.trustedIssuers.map(({ issuer }) => new URL(issuer).host)
  return {
    addressOf,
    limits: { spend: (...[endpoint, address]: Spent) => limits.spend(endpoint, rateKeyOf(address)) },
    outbound: createFetches(config, allowedHosts),
    /** For what anybody may ask: where the operator’s own servers are, is no place that a stranger can send it to. */
    toStrangers: createGuardedFetch({ allowedHosts }),
    toIssuers: createGuardedFetch({ allowedHosts: [...allowedHosts, ...issuers] }),
  }
}

/** How people prove who they are. */
async function createLogin({ publicUrl, signIn, tenants }: Config, world: World, kept: Kept) {
  const { storage, sealer, gateSecrets, metrics } = kept
  const { clock, random, log } = world
  const secure = publicUrl.startsWith('https:')
  const passwords = createPasswords({ storage, clock, random, settings: signIn })
  const attemptsAt = (of: Guessed, refusal?: 'device.throttled') =>
    createAttempts({ clock, others: othersWho(of, kept.announcements), ...(refusal && { refusal }) })
  const settings = { publicUrl, invitationHours: signIn.invitationHours }
  const policyOf = createPolicies(tenants)
  const sessions = createSessions({ storage, clock, random, log, policyOf, secure })
  const challengeKey = await gateSecrets.require('challenges')
  return {
    ...openFactors({ storage, clock, random, sealer, challengeKey, policyOf, publicUrl }),
    sealer,
    policyOf,
    tenants: nameTenants(tenants.map(({ name }) => name)),
    onProof: (kind: ProofKind, outcome: string) => metrics.sekisho_sign_in_proofs_total.inc({ kind, outcome }),
    sessions,
    passwords,
    attempts: attemptsAt('password'),
    codeAttempts: attemptsAt('code'),
    deviceAttempts: attemptsAt('device', 'device.throttled'),
    invitations: createInvitations({ storage, clock, random, passwords, sessions, settings }),
  }
}

/** What other processes of the gate are told of guesses at one kind of thing, and tell. */
function othersWho(guess: Guessed, { tell, hear }: Announcements): OtherProcesses {
  return {
    tell: (attempt) => tell('attempt', { of: guess, ...attempt }),
    hear: (take) => hear('attempt', ({ of, ...attempt }) => of === guess && take(attempt)),
  }
}

/** Into a tenant that the configuration names no more nobody comes in a browser: what it asked of them is not known. */
function createPolicies(tenants: Config['tenants']): PolicyOf {
  const policies = new Map(tenants.map(({ name, signIn }) => [tenantCalled(name), signIn]))
  const [{ signIn }] = tenants
  const closed: SignInConfig = { ...signIn, methods: [], secondFactor: 'required', idleHours: 0, maxHours: 0 }
  return (tenant) => policies.get(tenant) ?? closed
}

function countersOf({ sekisho_auth_total: total, batch }: Kept['metrics']) {
  const ok = batch((checks) => total.labels('ok').inc(checks.length))
  return { ok: { inc: () => ok.add(1) }, missing: total.labels('missing'), invalid: total.labels('invalid') }
}
