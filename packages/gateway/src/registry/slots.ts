import { LRUCache } from 'lru-cache'
import type { TenantId, UpstreamId, UserId } from '../base/ids.ts'
import type { Problem } from '../base/problem.ts'
import type { EraName } from '../upstreams/era.ts'
import type { Shelf } from './shelf.ts'

/** What is known of the tools of one upstream, for one user where it could tell users apart. */
export interface Slot {
  shelf: Shelf | undefined
  failure: Problem | undefined
  /** When the last attempt ended, well or not. */
  triedAt: number
  freshMs: number
  /** When the upstream was last asked; `undefined` while only what was kept over a restart is known. */
  askedAt: number | undefined
  /** When that which was asked had been started, as the transport has it. */
  startedAt: number | undefined
  /** The list has changed since it was asked for. */
  outdated: boolean
  /** Of the list that is kept over restarts. */
  keptDigest: string | undefined
  loading: Promise<void> | undefined
}

/** Whose tools a slot holds; `userId` is empty where all users share it. */
export interface SlotKey {
  readonly upstream: UpstreamId
  readonly era: EraName
  readonly tenant: TenantId
  readonly userId: UserId | ''
}

const SLOTS_MOST = 20_000
const BYTES_MOST = 256 * 1024 * 1024
/** What a slot takes without its shelf. */
const SLOT_COST = 500

/** Holds the slots used last, bounded in number and in bytes. */
export function createSlots({ bytesMost = BYTES_MOST }: { readonly bytesMost?: number } = {}) {
  const slots = new LRUCache<string, Slot>({
    max: SLOTS_MOST,
    maxSize: bytesMost,
    sizeCalculation: ({ shelf }) => SLOT_COST + (shelf?.bytes ?? 0),
  })
  return {
    /** The slot of that key, made where there is none. */
    get(key: SlotKey): Slot {
      const text = textOf(key)
      const known = slots.get(text)
      if (known) return known
      const slot = emptySlot()
      slots.set(text, slot)
      return slot
    },
    /** Counts a slot anew that has another shelf now. */
    weigh(key: SlotKey, slot: Slot): void {
      const text = textOf(key)
      slots.delete(text)
      slots.set(text, slot)
    },
    /** Every slot of an upstream, for one tenant or user where they are named. */
    outdate(upstream: UpstreamId, tenant?: TenantId, userId?: UserId): void {
      for (const [key, slot] of slots.entries()) {
        const [id, , ofTenant, ofUser] = key.split(' ')
        const meant = id === upstream && (tenant === undefined || tenant === ofTenant)
        if (!meant || (userId !== undefined && ofUser !== '' && ofUser !== userId)) continue
        slot.freshMs = 0
        slot.outdated = true
      }
    },
  }
}

function textOf({ upstream, era, tenant, userId }: SlotKey): string {
  return `${upstream} ${era} ${tenant} ${userId}`
}

function emptySlot(): Slot {
  return {
    shelf: undefined,
    failure: undefined,
    triedAt: -Infinity,
    freshMs: 0,
    askedAt: undefined,
    startedAt: undefined,
    outdated: false,
    keptDigest: undefined,
    loading: undefined,
  }
}
