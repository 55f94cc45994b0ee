import type { Clock } from '../../base/clock.ts'
import type { Random, TenantId, UserId } from '../../base/ids.ts'
import { isSameIssuer } from '../../base/issuer.ts'
import { asProblem, problem, type Problem } from '../../base/problem.ts'
import type { User, Users } from '../../identity/users.ts'
import type { Storage } from '../../storage/database.ts'
import { createAdmission, requireAllowed, type Vouched } from './admission.ts'
import { createIdentityFetches } from './fetches.ts'
import { createFlows, type Begin, type FlowSealer } from './flow.ts'
import { createGitHub } from './github.ts'
import { createIdentities, type LinkedIdentity } from './identities.ts'
import { createLogout, type Ended } from './logout.ts'
import { createMetadata } from './metadata.ts'
import { createSpent } from '../spent.ts'
import { createOpenId } from './openid.ts'
import type { Identity, IdentityProvider, Protocol } from './provider.ts'
import { createSignOut } from './sign-out.ts'

export interface FederatedNeeds {
  readonly providers: readonly IdentityProvider[]
  readonly storage: Storage
  readonly sealer: FlowSealer
  readonly users: Pick<Users, 'find' | 'addIn' | 'setRole'>
  readonly clock: Clock
  readonly random: Random
  readonly publicUrl: string
  /** Hosts that the operator named although they are private. */
  readonly allowedHosts: readonly string[]
  /** Told of every step and how it ended, for the metrics. */
  onOperation(operation: string, outcome: string): void
}

/** A browser that came back with an answer of a provider. */
export interface Arrival {
  readonly provider: IdentityProvider
  readonly answer: URLSearchParams
  readonly cookieHeader: string | undefined
}

/** Whom the answer is about, and what was begun. */
export interface Arrived extends Vouched {
  readonly next: string | undefined
  /** The session whose user links the identity; without it somebody signs in. */
  readonly linkTo: string | undefined
  /** Whether the provider was to have them prove anew who they are. */
  readonly again: boolean
}

/** Signing in with the identity providers that the operator set up. */
export function createFederated(needs: FederatedNeeds) {
  const { providers, storage, users, clock } = needs
  const { fetchFor, close } = createIdentityFetches(providers, needs.allowedHosts)
  const metadataOf = createMetadata({ fetchFor, clock })
  const spent = createSpent({ storage, clock })
  const flows = createFlows({ ...needs, spent })
  const identities = createIdentities({ storage, users, clock })
  const { admit } = createAdmission({ identities, users })
  const logout = createLogout({ storage, fetchFor, metadataOf, spent, clock })
  const providersOf = (tenant: TenantId) => providers.filter((provider) => provider.tenant === tenant)
  const findByIssuer = (tenant: TenantId, issuer: string) =>
    providersOf(tenant).find((provider) => isSameIssuer(provider.issuer, issuer))
  const protocols: Readonly<Record<IdentityProvider['protocol'], Protocol>> = {
    oidc: createOpenId({ fetchFor, metadataOf }),
    github: createGitHub({ fetchFor }),
  }

  async function counted<T>(operation: string, work: Promise<T>): Promise<T> {
    try {
      const done = await work
      needs.onOperation(operation, 'ok')
      return done
    } catch (error) {
      needs.onOperation(operation, asProblem(error).code)
      throw error
    }
  }

  async function finish({ provider, answer, cookieHeader }: Arrival): Promise<Arrived> {
    const flow = await flows.take(provider, { state: answer.get('state'), cookieHeader })
    const identity = await protocols[provider.protocol].finish(provider, flow.asked, answer)
    return { provider, identity, next: flow.next, linkTo: flow.linkTo, again: flow.asked.again }
  }

  async function endBy(provider: IdentityProvider, token: string): Promise<readonly Ended[]> {
    // Who has no ID tokens has no logout tokens, and nobody is asked for keys on behalf of a stranger.
    if (provider.protocol !== 'oidc') throw problem('federated.unknown', { provider: provider.id })
    const tenants = new Set(providers.filter((each) => isSameApplication(each, provider)).map((each) => each.tenant))
    return logout.take(provider, [...tenants], token)
  }

  return {
    providers,

    /** Those that let the people of a tenant in. */
    providersOf,

    /** Finds one by its id, where a tenant is given among those of its people. @throws {Problem} `federated.unknown` */
    require(id: string, tenant?: TenantId): IdentityProvider {
      const provider = providers.find((each) => each.id === id)
      const isTheirs = tenant === undefined || provider?.tenant === tenant
      if (provider === undefined || !isTheirs) throw problem('federated.unknown', { provider: id })
      return provider
    },

    /**
     * Begins a sign-in, or the linking of an account: where to send the browser, and the cookie that waits for it.
     *
     * @throws {Problem} `federated.unreachable`, `federated.bad_answer`
     */
    async begin(provider: IdentityProvider, asked: Begin): Promise<{ readonly url: URL; readonly cookie: string }> {
      const flow = await flows.open(provider, asked)
      return { url: await protocols[provider.protocol].begin(provider, flow.asked), cookie: flow.cookie }
    },

    /** Takes a provider's answer. @throws {Problem} `federated.*` */
    finish: (arrival: Arrival) => counted('sign_in_with', finish(arrival)),

    /** Answers which user an identity may come in as. @throws {Problem} `federated.not_allowed`, `federated.no_account` */
    admit,

    /**
     * Links an identity to a user of the provider's tenant who asked for it.
     *
     * @throws {Problem} `federated.not_allowed`, `federated.taken`
     */
    async link(userId: UserId, vouched: Vouched): Promise<'linked' | 'known'> {
      requireAllowed(vouched)
      return identities.link(vouched.provider.tenant, userId, vouched)
    },

    identities,

    /** Finds the user of a tenant who comes in by an identity; nobody where no provider of that tenant has its issuer. */
    findUser: async (tenant: TenantId, identity: Pick<Identity, 'issuer' | 'subject'>): Promise<User | undefined> =>
      findByIssuer(tenant, identity.issuer) && (await identities.find(tenant, identity))?.user,

    /**
     * Whether a linked identity lets its user in: its provider may have been taken out of the configuration, or given to
     * another tenant.
     */
    opens: (tenant: TenantId, { issuer }: Pick<LinkedIdentity, 'issuer'>): boolean =>
      findByIssuer(tenant, issuer) !== undefined,

    /** Takes a logout token; answers whose sessions it ended. @throws {Problem} `federated.*` */
    endBy: (provider: IdentityProvider, token: string) => counted('logout_by_provider', endBy(provider, token)),

    ...createSignOut({ ...needs, metadataOf, findByIssuer }),
    whereTo: flows.whereTo,
    clearCookie: flows.clear,
    close,
  }
}
export type Federated = ReturnType<typeof createFederated>

/** Whether two entries are one application there, which is told of each logout once. */
function isSameApplication(one: IdentityProvider, other: IdentityProvider): boolean {
  return one.clientId === other.clientId && isSameIssuer(one.issuer, other.issuer)
}

/** Whether the rules are why somebody was not let in, which the audit log is told. */
export function isRefusal({ code }: Problem): boolean {
  return code === 'federated.not_allowed' || code === 'federated.no_account' || code === 'federated.taken'
}
