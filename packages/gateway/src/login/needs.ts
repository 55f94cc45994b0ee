import type { Context, Hono } from 'hono'
import type { Audit } from '../audit/append.ts'
import type { Watch } from '../audit/watch.ts'
import type { Devices } from '../authserver/devices.ts'
import type { Interactions } from '../authserver/interactions.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/ids.ts'
import type { Problem } from '../base/problem.ts'
import type { NamedTenants } from '../identity/tenants.ts'
import type { Users } from '../identity/users.ts'
import type { EndpointLimits } from '../limits/endpoints.ts'
import type { Arrival } from '../pages/app.ts'
import type { Attempts } from './attempts.ts'
import type { Authenticators, Sealing } from './factors/authenticators.ts'
import type { CodeKind, Factors } from './factors/factors.ts'
import type { Passkeys } from './factors/passkeys.ts'
import type { Spent } from './spent.ts'
import type { Federated } from './federated/federated.ts'
import type { Invitations } from './invitations.ts'
import type { Passwords } from './passwords.ts'
import type { PolicyOf } from './policy.ts'
import type { Sessions } from './sessions.ts'
import type { ShownServer } from './views/consent.ts'

/** What the pages are made of by which people come in. */
export interface LoginNeeds {
  readonly users: Pick<Users, 'find'>
  readonly sessions: Pick<Sessions, 'find' | 'start' | 'end' | 'clearCookie'>
  readonly passwords: Pick<Passwords, 'verify' | 'holdIn' | 'length' | 'changedAt'>
  readonly invitations: Pick<Invitations, 'find' | 'use'>
  readonly attempts: Attempts
  /** Those with the second step's codes, which only whoever took the first is let try. */
  readonly codeAttempts: Attempts
  /** Those with the codes that terminals show. */
  readonly deviceAttempts: Attempts
  readonly factors: Factors
  readonly passkeys: Passkeys
  readonly authenticators: Authenticators
  readonly policyOf: PolicyOf
  readonly tenants: NamedTenants
  readonly sealer: Sealing
  readonly spent: Spent
  /** The identity providers people may sign in with. */
  readonly federated: Federated
  readonly interactions: Interactions
  readonly devices: Devices
  /** Whether the operator has set a client up. */
  isKnownClient(clientId: string): boolean
  /** Every server there is, for the page that asks whether a client may use them. */
  servers(): readonly ShownServer[]
  readonly limits: EndpointLimits<'signIn' | 'callback' | 'logout' | 'device'>
  readonly audit: Pick<Audit, 'record' | 'note' | 'requireRoom'>
  readonly watch: Pick<Watch, 'signingIn'>
  readonly clock: Clock
  readonly random: Random
  /** The origin of the gate, without a slash at the end. */
  readonly publicUrl: string
  /** Told of every proof somebody gave: which kind, and `ok` or the code of what was wrong. */
  onProof(kind: ProofKind, outcome: string): void
  /** Told of every request that failed, with its private details. */
  onFailure(failure: Problem, requestId: string): void
}

export type ProofKind = 'password' | 'passkey' | CodeKind

/** What stands beside every request of these pages. */
export interface LoginEnv {
  readonly Bindings: Arrival
}
export type LoginHono = Hono<LoginEnv>
export type LoginContext = Context<LoginEnv>
