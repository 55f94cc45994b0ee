import type { Clock } from '../../base/clock.ts'
import type { Random, TenantId, UserId } from '../../base/ids.ts'
import { asProblem, problem, type Problem } from '../../base/problem.ts'
import { DEFAULT_TENANT } from '../../identity/tenants.ts'
import type { Users } from '../../identity/users.ts'
import type { Storage } from '../../storage/database.ts'
import { createAdmission, requireAllowed, type Vouched } from './admission.ts'
import { createIdentityFetches } from './fetches.ts'
import { createFlows, type Begin, type FlowSealer } from './flow.ts'
import { createGitHub } from './github.ts'
import { createIdentities, type LinkedIdentity } from './identities.ts'
import { createLogout } from './logout.ts'
import { createMetadata } from './metadata.ts'
import { createSpent } from '../spent.ts'
import { createOpenId } from './openid.ts'
import type { IdentityProvider, Protocol } from './provider.ts'
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
  readonly provider: string
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
  const findByIssuer = (issuer: string) => providers.find((provider) => isIssuer(provider, issuer))
  const protocols: Readonly<Record<IdentityProvider['protocol'], Protocol>> = {
    oidc: createOpenId({ fetchFor, metadataOf }),
    github: createGitHub({ fetchFor }),
  }

  function providersOf(tenant: TenantId): readonly IdentityProvider[] {
    return tenant === DEFAULT_TENANT ? providers : []
  }

  /** @throws {Problem} `federated.unknown` */
  function require(id: string, among = providers): IdentityProvider {
    const provider = among.find((each) => each.id === id)
    if (provider === undefined) throw problem('federated.unknown', { provider: id })
    return provider
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

  async function finish(tenant: TenantId, { provider: id, answer, cookieHeader }: Arrival): Promise<Arrived> {
    const provider = require(id)
    const flow = await flows.take(tenant, { provider: id, state: answer.get('state'), cookieHeader })
    const identity = await protocols[provider.protocol].finish(provider, flow.asked, answer)
    return { provider, identity, next: flow.next, linkTo: flow.linkTo, again: flow.asked.again }
  }

  async function endBy(tenant: TenantId, id: string, token: string): Promise<readonly UserId[]> {
    const provider = require(id)
    // Who has no ID tokens has no logout tokens, and nobody is asked for keys on behalf of a stranger.
    if (provider.protocol !== 'oidc') throw problem('federated.unknown', { provider: id })
    return logout.take(tenant, provider, token)
  }

  return {
    providers,

    /** Those that let the people of a tenant in. Who comes from elsewhere says nothing of tenants, and comes into the first. */
    providersOf,

    require,

    /**
     * Begins a sign-in, or the linking of an account: where to send the browser, and the cookie that waits for it.
     *
     * @throws {Problem} `federated.unknown`, `federated.unreachable`, `federated.bad_answer`
     */
    async begin(tenant: TenantId, asked: Begin): Promise<{ readonly url: URL; readonly cookie: string }> {
      const provider = require(asked.provider, providersOf(tenant))
      const flow = await flows.open(tenant, asked)
      return { url: await protocols[provider.protocol].begin(provider, flow.asked), cookie: flow.cookie }
    },

    /** Takes a provider's answer. @throws {Problem} `federated.*` */
    finish: (tenant: TenantId, arrival: Arrival) => counted('sign_in_with', finish(tenant, arrival)),

    /** Answers which user an identity may come in as. @throws {Problem} `federated.not_allowed`, `federated.no_account` */
    admit,

    /** Links an identity to a user who asked for it. @throws {Problem} `federated.not_allowed`, `federated.taken` */
    async link(tenant: TenantId, userId: UserId, vouched: Vouched): Promise<'linked' | 'known'> {
      requireAllowed(vouched)
      return identities.link(tenant, userId, vouched)
    },

    identities,

    /** Whether a linked identity lets its user in: its provider may have been taken out of the configuration. */
    opens: ({ provider, issuer }: Pick<LinkedIdentity, 'provider' | 'issuer'>): boolean =>
      providers.some((each) => each.id === provider && isIssuer(each, issuer)),

    /** Takes a logout token; answers whose sessions it ended. @throws {Problem} `federated.*` */
    endBy: (tenant: TenantId, id: string, token: string) => counted('logout_by_provider', endBy(tenant, id, token)),

    ...createSignOut({ ...needs, metadataOf, findByIssuer }),
    whereTo: flows.whereTo,
    clearCookie: flows.clear,
    close,
  }
}
export type Federated = ReturnType<typeof createFederated>

/** A slash at the end, where there is no path, is a matter of spelling. */
function isIssuer(provider: IdentityProvider, issuer: string): boolean {
  return URL.parse(provider.issuer)?.href === URL.parse(issuer)?.href
}

/** Whether the rules are why somebody was not let in, which the audit log is told. */
export function isRefusal({ code }: Problem): boolean {
  return code === 'federated.not_allowed' || code === 'federated.no_account' || code === 'federated.taken'
}
