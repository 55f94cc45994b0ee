import type { TenantId } from '../../base/ids.ts'
import type { Secret } from '../../base/secret.ts'

/** An identity provider people may sign in with, as the operator set it up. */
export interface IdentityProvider {
  /** Its name in addresses and records. */
  readonly id: string
  /** Its name on pages. */
  readonly label: string
  /** Whose people it lets in. */
  readonly tenant: TenantId
  readonly protocol: 'oidc' | 'github'
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: Secret
  readonly scopes: readonly string[]
  readonly groupsClaim: string
  readonly emailVerifiedClaim: string
  /** How it is had to ask anew who somebody is; with `max_age` it also says when they signed in. */
  readonly anew: 'max_age' | 'login' | 'select_account'
  readonly rules: Rules
}

/** Who may come in from there, and as what. */
export interface Rules {
  readonly emailDomains: readonly string[] | undefined
  readonly groups: readonly string[] | undefined
  readonly createUsers: boolean
  readonly role: GivenRole
  readonly roles: Readonly<Record<string, GivenRole>> | undefined
}
export type GivenRole = 'admin' | 'member'

/** What a provider says of somebody. Issuer and subject are who they are; the rest may change, and proves nothing. */
export interface Identity {
  readonly issuer: string
  readonly subject: string
  /** Only where the provider says that it is theirs. */
  readonly verifiedEmail: string | undefined
  readonly email: string | undefined
  readonly username: string | undefined
  readonly name: string | undefined
  readonly groups: readonly string[]
  /** @see RFC 8176 §2 */
  readonly amr: readonly string[]
  /** When they proved there who they are, in milliseconds since 1970, where the provider says so. */
  readonly authenticatedAt: number | undefined
  /** The provider's own session, where it names it. */
  readonly sid: string | undefined
}

/** What is asked of a provider, and held against its answer. */
export interface Asked {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
  readonly redirectUri: string
  /** Whether the user is to prove anew who they are. */
  readonly again: boolean
}

/** A way in which providers tell who somebody is. */
export interface Protocol {
  /** Answers where to send the browser. @throws {Problem} `federated.unreachable`, `federated.bad_answer` */
  begin(provider: IdentityProvider, asked: Asked): Promise<URL>
  /** Takes the answer and believes what of it is proven. @throws {Problem} `federated.*` */
  finish(provider: IdentityProvider, asked: Asked, answer: URLSearchParams): Promise<Identity>
}

/** The path that a provider sends browsers back to: each has its own, so that no answer is taken for another's. */
export function callbackPath(id: string): string {
  return `/sign-in/from/${id}`
}
