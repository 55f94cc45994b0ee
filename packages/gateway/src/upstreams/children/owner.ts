import type { TenantId, UpstreamId, UserId } from '../../base/ids.ts'

/** Whose a child is. Without a user it is shared by its tenant, and its log is the operator's. */
export interface Owner {
  readonly tenant: TenantId
  readonly userId: UserId | undefined
  readonly upstream: UpstreamId
}

/** A key that no two owners have in common, whatever their names contain. */
export function keyOf({ tenant, userId, upstream }: Owner): string {
  return JSON.stringify([tenant, userId ?? null, upstream])
}
