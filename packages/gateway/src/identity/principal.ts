import type { TenantId, UpstreamId, UserId } from '../base/ids.ts'

export const roles = ['owner', 'admin', 'member'] as const
export type Role = (typeof roles)[number]

/** Who calls, in which tenant, with what the key at hand allows. */
export interface Principal {
  readonly tenant: TenantId
  readonly userId: UserId
  readonly userName: string
  readonly role: Role
  readonly keyId: string
  /** `mcp` (every server), `mcp:<server>` (that one), `admin`, `metrics`. */
  readonly scopes: readonly string[]
}

const SCOPE = /^(?:mcp|mcp:[^\s:]+|admin|metrics)$/

export function isScope(text: string): boolean {
  return SCOPE.test(text)
}

export function maySeeUpstream({ scopes }: Pick<Principal, 'scopes'>, upstream: UpstreamId): boolean {
  return scopes.includes('mcp') || scopes.includes(`mcp:${upstream}`)
}

/** Both are needed: a key never allows more than its user may, nor a user more than the key at hand. */
export function mayAdminister({ role, scopes }: Pick<Principal, 'role' | 'scopes'>): boolean {
  return role !== 'member' && scopes.includes('admin')
}

/** An administrator's key shows what a key for metrics does. */
export function mayReadMetrics({ scopes }: Pick<Principal, 'scopes'>): boolean {
  return scopes.includes('metrics') || scopes.includes('admin')
}
