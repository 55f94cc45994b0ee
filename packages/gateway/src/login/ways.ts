import type { TenantId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import { secret } from '../base/secret.ts'
import { DEFAULT_TENANT, type NamedTenants } from '../identity/tenants.ts'
import type { User, Users } from '../identity/users.ts'
import type { Html } from '../pages/html.ts'
import { say } from '../pages/words.ts'
import type { Attempts } from './attempts.ts'
import type { Factors } from './factors/factors.ts'
import type { Passkeys } from './factors/passkeys.ts'
import type { Passwords } from './passwords.ts'
import type { PolicyOf } from './policy.ts'
import { passkeySignIn } from './views/passkey.ts'
import type { VouchedFor } from './sessions.ts'
import { passwordForm, type SignInForm } from './views/sign-in.ts'

/** Who came, and what that was proven with. */
export interface Proof {
  readonly tenant: TenantId
  readonly user: Pick<User, 'id' | 'name'>
  /** With `mfa` no second step follows. @see RFC 8176 §2 */
  readonly amr: readonly string[]
  /** When it was proven, in milliseconds since 1970; absent: now. */
  readonly provenAt?: number | undefined
  /** Where an identity provider vouched for them. */
  readonly federated?: VouchedFor | undefined
  /** Where it was a password: when that was set, since it proves nothing once there is another. */
  readonly passwordSetAt?: number | undefined
}

/** A way to sign in: what it shows, and how it takes what is entered. */
export interface Way {
  /** What its form says of itself in the field `way`. */
  readonly id: 'password' | 'passkey'
  /** Whether the policy of a tenant, and the gate's address, let its people come in like this. */
  isOpenTo(tenant: TenantId): boolean
  show(form: SignInForm): Promise<Html>
  /** Says what is missing where the form was not filled in. */
  findMissing(form: URLSearchParams): string | undefined
  /** Which tenant somebody signs in to, as far as they say; none is asked whether there is such a user. */
  tenantOf(form: URLSearchParams): Promise<TenantId>
  /**
   * `csrf` is the token of the form, which no other browser has. Where the way is not open to the tenant nobody comes in.
   *
   * @throws {Problem} `login.failed`, `login.throttled`, `passkey.*`
   */
  prove(tenant: TenantId, form: URLSearchParams, csrf: string): Promise<Proof>
}

export interface PasswordWayNeeds {
  readonly users: Pick<Users, 'find'>
  readonly passwords: Pick<Passwords, 'verify'>
  readonly attempts: Attempts
  readonly tenants: Pick<NamedTenants, 'parse'>
  readonly policyOf: PolicyOf
}

/**
 * Signs in by name and password. Whether there is such a user, or such a tenant, or whether it knows passwords, shows
 * neither in the answer nor in its time.
 */
export function createPasswordWay({ users, passwords, attempts, tenants, policyOf }: PasswordWayNeeds): Way {
  const isOpenTo = (tenant: TenantId) => policyOf(tenant).methods.includes('password')

  async function findByName(tenant: TenantId, name: string): Promise<User | undefined> {
    if (!MAY_BE_NAME.test(name)) return undefined
    const user = await users.find(tenant, name)
    return user?.name === name ? user : undefined
  }

  return {
    id: 'password',
    isOpenTo,
    show: async (form) => passwordForm(form),
    findMissing: (form) => (nameIn(form) === '' || !form.get('password') ? say('signIn.required') : undefined),
    tenantOf: async (form) => tenants.parse(nameIn(form)).tenant,
    async prove(tenant, form) {
      const { name } = tenants.parse(nameIn(form))
      const wasRight = attempts.begin(tenant, name)
      const user = await findByName(tenant, name)
      const known = isOpenTo(tenant) ? user : undefined
      const passwordSetAt = await passwords.verify(tenant, known?.id, secret(form.get('password') ?? ''))
      if (passwordSetAt === undefined || known === undefined) throw problem('login.failed', { target: user?.id })
      wasRight()
      return { tenant, user: known, amr: ['pwd'], passwordSetAt }
    },
  }
}

export interface PasskeyWayNeeds {
  readonly users: Pick<Users, 'find'>
  readonly passkeys: Pick<Passkeys, 'ask' | 'prove' | 'findTenant'>
  readonly factors: Pick<Factors, 'allows'>
}

/** Signs in with a passkey, which says by itself whose it is: any name that is entered counts for nothing. */
export function createPasskeyWay({ users, passkeys, factors }: PasskeyWayNeeds): Way {
  const useIn = (csrf: string) => `sign in ${csrf}`
  const isOpenTo = (tenant: TenantId) => factors.allows(tenant).passkeys

  return {
    id: 'passkey',
    isOpenTo,
    show: async (form) => passkeySignIn({ ...form, options: await passkeys.ask(useIn(form.csrf)) }),
    findMissing: (form) => (form.get('answer') ? undefined : say('passkey.required')),
    tenantOf: async (form) => (await passkeys.findTenant(form.get('answer') ?? '')) ?? DEFAULT_TENANT,
    async prove(tenant, form, csrf) {
      const { userId, amr } = await passkeys.prove(tenant, form.get('answer') ?? '', useIn(csrf))
      if (!isOpenTo(tenant))
        throw problem('passkey.refused', { reason: 'its tenant knows no passkeys', target: userId })
      const user = await users.find(tenant, userId)
      if (user === undefined) throw problem('passkey.refused', { reason: 'its user is gone' })
      return { tenant, user, amr }
    },
  }
}

/** The name as it was entered, in the form names are kept in. */
export function nameIn(form: URLSearchParams): string {
  return (form.get('name') ?? '').trim().normalize('NFC')
}

/** What a database would not take is not looked up. */
const MAY_BE_NAME = /^[^\p{Cc}\p{Cs}]{1,64}$/u
