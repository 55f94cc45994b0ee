import { problem } from '../../base/problem.ts'
import type { User, Users } from '../../identity/users.ts'
import type { Identities } from './identities.ts'
import type { Identity, IdentityProvider } from './provider.ts'
import { decide, roleFor } from './rules.ts'

export interface AdmissionNeeds {
  readonly identities: Pick<Identities, 'find' | 'create' | 'touch'>
  readonly users: Pick<Users, 'setRole'>
}

/** Somebody whom the rules let in. */
export interface Admitted {
  readonly user: User
  /** Whether the account was made just now. */
  readonly isNew: boolean
}

/**
 * Answers which user an identity may come in as: the one it is linked to, or a new one where the operator wants that. An
 * address or a name that is also a user's lets nobody in as that user: whoever can choose those at a provider would be
 * whom they like here.
 */
export function createAdmission({ identities, users }: AdmissionNeeds) {
  /** Where groups give roles, they do so each time, to accounts that were made here; an owner is none of the rules'. */
  async function withRole(user: User, { provider, identity }: Vouched): Promise<User> {
    const role = roleFor(provider.rules, identity)
    if (provider.rules.roles === undefined || user.role === 'owner' || user.role === role) return user
    await users.setRole(provider.tenant, user.id, role)
    return { ...user, role }
  }

  return {
    /** @throws {Problem} `federated.not_allowed` by a rule, `federated.no_account` */
    async admit(vouched: Vouched): Promise<Admitted> {
      requireAllowed(vouched)
      const { provider, identity } = vouched
      const { tenant } = provider
      const known = await identities.find(tenant, identity)
      if (known === undefined && !provider.rules.createUsers)
        throw problem('federated.no_account', { provider: provider.label })
      const admitted =
        known === undefined
          ? await identities.create(tenant, vouched, roleFor(provider.rules, identity))
          : { user: known.madeUser ? await withRole(known.user, vouched) : known.user, isNew: false }
      await identities.touch(tenant, identity)
      return admitted
    },
  }
}

export interface Vouched {
  readonly provider: IdentityProvider
  readonly identity: Identity
}

/** @throws {Problem} `federated.not_allowed` */
export function requireAllowed({ provider, identity }: Vouched): void {
  const verdict = decide(provider.rules, identity)
  if (verdict.allow) return
  throw problem('federated.not_allowed', { provider: provider.label, reason: verdict.reason })
}
