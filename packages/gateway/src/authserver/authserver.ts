import type { IncomingMessage } from 'node:http'
import type Provider from 'oidc-provider'
import type { Audit } from '../audit/append.ts'
import type { Watch } from '../audit/watch.ts'
import type { Clock } from '../base/clock.ts'
import type { NewId, Random, TenantId, UserId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { Problem } from '../base/problem.ts'
import type { Fetch } from '../http/guarded-fetch.ts'
import { cameBy, type Principal } from '../identity/principal.ts'
import type { Storage } from '../storage/database.ts'
import type { EndedAccess } from '../storage/shared/announcements.ts'
import type { Sealer } from '../vault/sealer.ts'
import { createAgents, type Agents, type AgentsNeeds } from './agents.ts'
import { createConsents, type Consent } from './consents.ts'
import { createDevices, type Devices } from './devices.ts'
import { createEndpoints, RESOURCE_DOCUMENT, type AuthserverRoute, type LimitedEndpoint } from './endpoints.ts'
import { createGrants } from './grants.ts'
import { createInteractions, type Interactions } from './interactions.ts'
import { createNewcomers } from './newcomers.ts'
import { createRecords } from './records.ts'
import { createResources } from './resources.ts'
import type { AuthserverSettings } from './settings.ts'
import { sweep } from './sweep.ts'
import { belongsTo, createTokens } from './tokens.ts'
import type { Account, Visitor } from './visitor.ts'

export interface AuthserverNeeds {
  readonly storage: Storage
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random?: Random
  readonly log: Log
  readonly audit: Pick<Audit, 'note' | 'record' | 'requireRoom'>
  readonly watch: Pick<Watch, 'clientCame' | 'tokenReplayed'>
  readonly limits: { spend(endpoint: LimitedEndpoint, address: string): void }
  readonly addressOf: (request: IncomingMessage) => string
  readonly newRequestId: () => string
  readonly onFailure: (failure: Problem, requestId: string) => void
  readonly settings: AuthserverSettings
  /** Guarded: it is sent to addresses that strangers chose. */
  readonly fetch: Fetch
  /** Guarded; may go where the issuers are that the operator trusts. */
  readonly fetchFromIssuers: Fetch
  /** The user that an issuer knows as this subject, and may name to this client. */
  readonly userOf: (issuer: string, subject: string, clientId: string) => Promise<Account | undefined>
  /** Whose browser it is, where somebody is signed in there. */
  readonly whoIsSignedIn: (request: IncomingMessage) => Promise<Visitor | undefined>
  /** Whether there still is such a user: anything but `undefined`. */
  readonly findUser: (tenant: TenantId, userId: UserId) => Promise<unknown>
  readonly users: AgentsNeeds['users']
  readonly newId: NewId
  readonly onOperation?: (operation: LimitedEndpoint, outcome: string) => void
  /** Told when what a client was allowed is taken back: what was opened with it may have to end. */
  readonly onEnded?: (ended: EndedAccess) => void
  /** How long a verified token is believed without asking the database; another process's change may go unseen so long. */
  readonly cacheMs?: number
}

export interface Authserver {
  readonly routes: readonly AuthserverRoute[]
  /** Whom an access token stands for: at once where it was seen lately; `undefined` for one unknown, expired, revoked. */
  verify(token: string): Principal | undefined | Promise<Principal | undefined>
  /** Where the metadata of a resource is, as the one who asks spells our origin. @see RFC 9728 §5.1 */
  metadataUrl(path: string, host: string | undefined): string
  readonly interactions: Interactions
  readonly devices: Devices
  readonly agents: Agents
  readonly consents: {
    list(tenant: TenantId, userId: UserId): Promise<Consent[]>
    /**
     * Takes back what was allowed, with every token, at once. Answers whether there was anything.
     *
     * @throws {Problem} `audit.full`
     */
    revoke(tenant: TenantId, userId: UserId, clientId: string, by?: Deed): Promise<boolean>
  }
  /** Forgets what was verified of a user who was changed or removed. */
  dropUser(tenant: TenantId, userId: UserId): void
  /** Forgets what was verified of what has ended at another process. */
  dropEnded(ended: EndedAccess): void
  /** Takes up new signing keys where they are due, and sweeps; done by itself every few minutes. */
  tend(): Promise<void>
  close(): Promise<void>
}

/** Who does something to what is a user's, and with what: they themselves, in a browser, where it does not say. */
export interface Deed {
  readonly userId?: UserId | undefined
  /** The id of an API key. */
  readonly key?: string | undefined
  readonly requestId?: string | undefined
  /** Where from, where that is known. */
  readonly address?: string | undefined
}

const ALONE_CACHE_MS = 30_000
const SHARED_CACHE_MS = 1_000
const TEND_MS = 300_000

/**
 * Opens the authorization server that MCP clients sign their users in with.
 *
 * @see OAuth 2.1; MCP 2026-07-28, basic/authorization
 */
export function createAuthserver(needs: AuthserverNeeds): Authserver {
  const { storage, clock, log, audit, settings, findUser } = needs
  const { onOperation = () => undefined, onEnded = () => undefined } = needs
  const records = createRecords({ storage, clock })
  const newcomers = createNewcomers({ storage, clock })
  const resources = createResources(settings)
  const consents = createConsents({ storage, clock, log })
  const grants = createGrants({ consents, resources, knownIds: new Set(settings.oauth.clients.map((c) => c.clientId)) })
  const cacheMs = needs.cacheMs ?? (storage.dialect === 'sqlite' ? ALONE_CACHE_MS : SHARED_CACHE_MS)
  const onUsed = (used: Account & { clientId: string }) => consents.markUsed(used, used.clientId)
  const tokens = createTokens({ storage, clock, resources, cacheMs, onUsed })
  function end(ended: EndedAccess): void {
    tokens.drop(cameBy(ended))
    onEnded(ended)
  }
  const visitors = new WeakMap<object, { readonly visitor: Visitor | undefined }>()
  const isUser = async ({ tenant, userId }: Account) => (await findUser(tenant, userId)) !== undefined
  /** The library is not small, and a gate whose clients all come with keys never needs it. */
  const engine = once(async () => {
    const { openEngine } = await import('./engine.ts')
    return openEngine({
      ...needs,
      onOperation,
      onEnded,
      records,
      newcomers,
      resources,
      consents,
      grants,
      tokens,
      visitors,
      isUser,
    })
  })
  const provider = async (): Promise<Provider> => (await engine.get()).provider()

  let tending: Promise<void> | undefined
  async function tendOnce(): Promise<void> {
    await (await engine.peek())?.takeUpKeys()
    await sweep(storage, clock.now())
    await newcomers.makeRoom()
  }
  function tend(): Promise<void> {
    tending ??= tendOnce().finally(() => (tending = undefined))
    return tending
  }
  const timer = setInterval(() => {
    tend().catch((error: unknown) => log.error({ error }, 'oauth.not_tended'))
  }, TEND_MS).unref()

  const routes = createEndpoints({
    ...needs,
    resources,
    provider,
    arrive: (request, visitor) => void visitors.set(request, { visitor }),
    onOperation,
  })
  return {
    routes,
    verify: tokens.verify,
    metadataUrl: (path, host) => `${resources.originFor(host)}${RESOURCE_DOCUMENT}${path}`,
    interactions: createInteractions({ provider, consents, grants, newcomers }),
    devices: createDevices({ provider, records, consents, grants, newcomers, clock }),
    agents: createAgents({
      ...needs,
      async onReplaced({ tenant, userId }, clientId) {
        await records.destroyOf(tenant, userId, clientId)
        end({ tenant, userId, clientId })
      },
    }),
    consents: {
      list: consents.list,
      async revoke(tenant, userId, client, by = {}) {
        audit.requireRoom(tenant)
        const known = await consents.find({ tenant, userId }, client)
        const was = await consents.forget(tenant, userId, client)
        await records.destroyOf(tenant, userId, client)
        end({ tenant, userId, clientId: client })
        const doneBy = { ...by, userId: by.userId ?? userId }
        const about = { owner: userId, client, clientName: known?.clientName }
        if (was) await audit.record(tenant, { kind: 'consent.revoked', ...doneBy, ...about })
        return was
      },
    },
    dropUser: (tenant, userId) => tokens.drop(belongsTo(tenant, userId)),
    dropEnded: (ended) => tokens.drop(cameBy(ended)),
    tend,
    async close() {
      clearInterval(timer)
      await tending?.catch(() => undefined)
      await consents.close()
    },
  }
}

/** Makes something when it is first asked for; where that fails, the next to ask tries again. */
function once<T>(make: () => Promise<T>) {
  let made: Promise<T> | undefined
  return {
    get(): Promise<T> {
      made ??= make().catch((error: unknown) => {
        made = undefined
        throw error
      })
      return made
    },
    peek: () => made,
  }
}
