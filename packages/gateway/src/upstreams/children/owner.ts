import type { TenantId, UpstreamId, UserId } from '../../base/ids.ts'

/** Whose a child is. Without a user it is shared by its tenant, and its log is the operator's. */
export interface Owner {
  readonly tenant: TenantId
  readonly userId: UserId | undefined
  readonly upstream: UpstreamId
}

/** Where a child belongs: a server is told once what its client can do, so an owner has one for each kind of client. */
export interface Place extends Owner {
  /** What it was promised its client can do, as `ClientView` has it: `{}` for a shared one, nobody could tell whom it asks. */
  readonly capabilities: string
}

/** A key that no two owners have in common: neither ids nor the names of servers contain a space. */
export function keyOf({ tenant, userId, upstream }: Owner): string {
  return `${tenant} ${userId ?? ''} ${upstream}`
}

/** A key that no two places have in common. */
export function placeKeyOf(place: Place): string {
  return `${keyOf(place)} ${place.capabilities}`
}

/** The owner of a place, as it is told to those who know nothing of its clients. */
export function ownerOf({ tenant, userId, upstream }: Owner): Owner {
  return { tenant, userId, upstream }
}
