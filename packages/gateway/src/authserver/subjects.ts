import type { TenantId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { NamedTenants } from '../identity/tenants.ts'
import type { User, Users } from '../identity/users.ts'
import type { TrustedIssuer } from './settings.ts'
import type { Account } from './visitor.ts'

/** Somebody as an issuer knows them. */
interface Subject {
  readonly issuer: string
  readonly subject: string
}

export interface SubjectsNeeds {
  readonly trustedIssuers: readonly TrustedIssuer[]
  readonly tenants: Pick<NamedTenants, 'all' | 'parse'>
  readonly users: Pick<Users, 'find'>
  /** Finds the user of a tenant who comes in by an account. */
  findLinked(tenant: TenantId, subject: Subject): Promise<User | undefined>
  readonly log: Log
}

/**
 * Whom an issuer speaks for: the people the configuration names to it for the client at hand, or who come in by that
 * account, and no agent. An account that opens several tenants says nothing of which is meant, and speaks for nobody unless
 * it is named.
 */
export function createSubjects({ trustedIssuers, tenants, users, findLinked, log }: SubjectsNeeds) {
  async function findNamed(text: string): Promise<readonly Found[]> {
    const { tenant, name } = tenants.parse(text.normalize('NFC'))
    const user = await users.find(tenant, name)
    return user?.name === name ? [{ tenant, user }] : []
  }

  async function findAllLinked(subject: Subject): Promise<readonly Found[]> {
    const found = tenants.all.map(async (tenant) => {
      const user = await findLinked(tenant, subject)
      return user === undefined ? [] : [{ tenant, user }]
    })
    return (await Promise.all(found)).flat()
  }

  return async (issuer: string, subject: string, clientId: string): Promise<Account | undefined> => {
    const subjects = trustedIssuers
      .filter((each) => each.issuer === issuer && each.clients.includes(clientId))
      .flatMap((each) => Object.entries(each.subjects))
    const name = new Map(subjects).get(subject)
    const [meant, another] = name === undefined ? await findAllLinked({ issuer, subject }) : await findNamed(name)
    if (another !== undefined) log.warn({ issuer }, 'oauth.subject_ambiguous')
    return meant?.user.kind === 'person' && another === undefined
      ? { tenant: meant.tenant, userId: meant.user.id }
      : undefined
  }
}

interface Found {
  readonly tenant: TenantId
  readonly user: User
}
