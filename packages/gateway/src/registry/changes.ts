import type { TenantId, UpstreamId, UserId } from '../base/ids.ts'
import type { KindName } from './kinds.ts'
import type { Shelf } from './shelf.ts'

/** What became of a list between two looks at it. */
export interface Change extends Difference {
  readonly server: UpstreamId
  readonly kind: KindName
  readonly tenant: TenantId
  /** Whose list it is; `undefined` where all users are shown the same. */
  readonly userId: UserId | undefined
  /** The digests of all descriptions, before and after. */
  readonly before: string
  readonly after: string
}

/** In numbers of items. */
export interface Difference {
  readonly added: number
  readonly removed: number
  readonly altered: number
}

/**
 * Compares two lists by the bytes of their descriptions. A server may describe a tool harmlessly until somebody has
 * allowed it, and otherwise afterwards.
 */
export function differenceOf(before: Pick<Shelf, 'byName'>, after: Pick<Shelf, 'byName'>): Difference {
  let added = 0
  let altered = 0
  for (const [name, { json }] of after.byName) {
    const known = before.byName.get(name)
    if (!known) added++
    else if (!known.json.equals(json)) altered++
  }
  return { added, altered, removed: before.byName.size + added - after.byName.size }
}
