import type { TenantId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import { secret } from '../base/secret.ts'
import type { User, Users } from '../identity/users.ts'
import type { Html } from '../pages/html.ts'
import type { Attempts } from './attempts.ts'
import type { Passwords } from './passwords.ts'
import { passwordForm, type SignInForm } from './views/sign-in.ts'

/** Who came, and what that was proven with. */
export interface Proof {
  readonly tenant: TenantId
  readonly user: User
  /** @see RFC 8176 §2 */
  readonly amr: readonly string[]
}

/** A way to sign in: what it shows, and how it takes what is entered. */
export interface Way {
  /** What its form says of itself in the field `way`. */
  readonly id: string
  show(form: SignInForm): Html
  /** @throws {Problem} `login.failed`, `login.throttled` */
  prove(tenant: TenantId, form: URLSearchParams): Promise<Proof>
}

export interface PasswordWayNeeds {
  readonly users: Pick<Users, 'find'>
  readonly passwords: Pick<Passwords, 'verify'>
  readonly attempts: Attempts
}

/** Signs in by name and password. Whether there is such a user shows neither in the answer nor in its time. */
export function createPasswordWay({ users, passwords, attempts }: PasswordWayNeeds): Way {
  async function findByName(tenant: TenantId, name: string): Promise<User | undefined> {
    if (!MAY_BE_NAME.test(name)) return undefined
    const user = await users.find(tenant, name)
    return user?.name === name ? user : undefined
  }

  return {
    id: 'password',
    show: passwordForm,
    async prove(tenant, form) {
      const name = nameIn(form)
      const wasRight = attempts.begin(tenant, name)
      const user = await findByName(tenant, name)
      const isRight = await passwords.verify(tenant, user?.id, secret(form.get('password') ?? ''))
      if (!isRight || user === undefined) throw problem('login.failed', { target: user?.id })
      wasRight()
      return { tenant, user, amr: ['pwd'] }
    },
  }
}

/** The name as it was entered, in the form names are kept in. */
export function nameIn(form: URLSearchParams): string {
  return (form.get('name') ?? '').trim().normalize('NFC')
}

/** What a database would not take is not looked up. */
const MAY_BE_NAME = /^[^\p{Cc}\p{Cs}]{1,64}$/u
