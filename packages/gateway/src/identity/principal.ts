import type { TenantId, UpstreamId, UserId } from '../base/ids.ts'
import type { EndedAccess } from '../storage/shared/announcements.ts'
import { DEFAULT_TENANT } from './tenants.ts'

export const roles = ['owner', 'admin', 'member'] as const
export type Role = (typeof roles)[number]

/** Who calls, in which tenant, with what the key at hand allows. */
export interface Principal {
  readonly tenant: TenantId
  readonly userId: UserId
  readonly userName: string
  readonly role: Role
  /** The API key at hand or, where a client was let in by its user, the grant it has. */
  readonly keyId: string
  /** The client that was let in; absent where an API key was used. */
  readonly clientId?: string
  /** `mcp` (every server), `mcp:<server>` (that one), `admin`, `metrics`. */
  readonly scopes: readonly string[]
  /** The servers at which the user lets nothing be changed; absent for most users. */
  readonly readOnly?: readonly UpstreamId[] | undefined
}

/** Reads the servers as the row of a user keeps them. */
export function parseReadOnly(text: string | null): readonly UpstreamId[] | undefined {
  return text === null ? undefined : text.split(' ').map((id) => id as UpstreamId)
}

const SCOPE = /^(?:mcp|mcp:[^\s:]+|admin|metrics)$/

export function isScope(text: string): boolean {
  return SCOPE.test(text)
}

export function maySeeUpstream({ scopes }: Pick<Principal, 'scopes'>, upstream: UpstreamId): boolean {
  for (const scope of scopes) if (scope === 'mcp' || opens(scope, upstream)) return true
  return false
}

/** Whether it is `mcp:` and the name: asked several times in a call, so that no text is put together for it. */
function opens(scope: string, upstream: UpstreamId): boolean {
  return scope.length === PREFIX.length + upstream.length && scope.startsWith(PREFIX) && scope.endsWith(upstream)
}

const PREFIX = 'mcp:'

/** Whether somebody came in by what has ended. */
export function cameBy(ended: EndedAccess): (principal: Principal) => boolean {
  if ('keyId' in ended) return ({ keyId }) => keyId === ended.keyId
  const { tenant, userId, clientId } = ended
  return (principal) => principal.clientId === clientId && principal.userId === userId && principal.tenant === tenant
}

/** Both are needed: a key never allows more than its user may, nor a user more than the key at hand. */
export function mayAdminister({ role, scopes }: Pick<Principal, 'role' | 'scopes'>): boolean {
  return role !== 'member' && scopes.includes('admin')
}

/** They are about the whole gate, and the business of its own tenant. An administrator's key shows what a key for metrics does. */
export function mayReadMetrics({ tenant, scopes }: Pick<Principal, 'tenant' | 'scopes'>): boolean {
  return tenant === DEFAULT_TENANT && (scopes.includes('metrics') || scopes.includes('admin'))
}
