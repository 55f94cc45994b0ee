import type { Audit } from '../audit/append.ts'
import type { Recent } from '../audit/recent.ts'
import type { Consent } from '../authserver/consents.ts'
import type { Clock } from '../base/clock.ts'
import type { TenantId, UpstreamId, UserId } from '../base/ids.ts'
import type { Problem } from '../base/problem.ts'
import type { ApiKeys } from '../identity/keys.ts'
import type { Users } from '../identity/users.ts'
import type { EndpointLimits } from '../limits/endpoints.ts'
import type { Attempts } from '../login/attempts.ts'
import type { Authenticators } from '../login/factors/authenticators.ts'
import type { Factors } from '../login/factors/factors.ts'
import type { Passkeys } from '../login/factors/passkeys.ts'
import type { Federated } from '../login/federated/federated.ts'
import type { Passwords } from '../login/passwords.ts'
import type { PolicyOf } from '../login/policy.ts'
import type { SessionRecord, Sessions, SignedIn } from '../login/sessions.ts'
import type { Connections } from '../providers/connections.ts'
import type { Credentials, Holder } from '../providers/credential.ts'
import type { ProviderLink } from '../providers/link.ts'
import type { ServiceToken } from '../providers/service.ts'
import type { Storage } from '../storage/database.ts'

/** What the pages of an account are made of. */
export interface AccountNeeds {
  readonly sessions: Pick<Sessions, 'find' | 'list' | 'end' | 'endAll' | 'endAllIn' | 'clearCookie'>
  readonly passwords: Pick<Passwords, 'verify' | 'holdIn' | 'prepare' | 'setIn' | 'hasAny'>
  readonly federated: Pick<Federated, 'providersOf' | 'require' | 'begin' | 'identities' | 'opens'>
  readonly attempts: Attempts
  readonly factors: Factors
  readonly passkeys: Pick<Passkeys, 'offer' | 'add'>
  readonly authenticators: Pick<Authenticators, 'offer' | 'reopen' | 'confirm'>
  readonly policyOf: PolicyOf
  readonly recent: Recent
  readonly storage: Pick<Storage, 'for'>
  servers(): readonly AccountServer[]
  aboutProvider(provider: string): ProviderStanding
  /** How many tools a server is known to have, as this user was last shown them. */
  countTools(whose: Holder, server: UpstreamId): Promise<number | undefined>
  readonly credentials: Pick<Credentials, 'set' | 'remove' | 'list'>
  readonly connections: Pick<Connections, 'list' | 'begin' | 'finish' | 'disconnect' | 'test' | 'checkLink'>
  readonly consents: AccountConsents
  readonly users: Pick<Users, 'listReadOnly' | 'setReadOnly'>
  readonly keys: Pick<ApiKeys, 'add' | 'list' | 'revoke'>
  readonly limits: EndpointLimits<'callback' | 'signIn'>
  readonly audit: Pick<Audit, 'record' | 'requireRoom' | 'flush'>
  readonly clock: Clock
  /** The origin of the gate, without a slash at the end. */
  readonly publicUrl: string
  /** Told before the change is answered, so that nothing goes on with the token of before. */
  onTokenChanged(tenant: TenantId, userId: UserId, server: UpstreamId): void
  /** Told of every request that failed, with its private details. */
  onFailure(failure: Problem, requestId: string): void
}

/** What a user may know of a server: nothing of what it is started or called with. */
export interface AccountServer {
  readonly id: UpstreamId
  readonly description?: string | undefined
  /** Present where each user pastes a token of their own. */
  readonly service?: ServiceToken | undefined
  /** Present where each user connects an account of their own. */
  readonly link?: ProviderLink | undefined
  /** Whether nothing is changed at it, by nobody. */
  readonly readOnly?: boolean | undefined
}

/** What is known of a provider beforehand. */
export interface ProviderStanding {
  /** What is asked for, in the provider's own words; absent where that is found out at the time. */
  readonly scopes?: readonly string[] | undefined
  /** Whether the operator has done what it takes. */
  readonly isSetUp: boolean
  /** Whether access that ends is renewed without the user. */
  readonly renews: boolean
}

/** The user of a browser that is signed in. */
export type Person = Pick<
  SignedIn,
  'tenant' | 'userId' | 'userName' | 'role' | 'sessionId' | 'csrf' | 'authenticatedAt'
>

/** A browser that is signed in. */
export type Browser = Pick<SessionRecord, 'id' | 'browser' | 'address' | 'createdAt' | 'seenAt'>

export interface AccountConsents {
  list(tenant: TenantId, userId: UserId): Promise<readonly Consent[]>
  /** Ends every token at once. Answers whether there was such a client. */
  revoke(
    tenant: TenantId,
    userId: UserId,
    clientId: string,
    by: { readonly requestId: string; readonly address: string },
  ): Promise<boolean>
}

/** What the vault tells of a credential. */
export type TokenRecord = Awaited<ReturnType<Credentials['list']>>[number]
