import { LRUCache } from 'lru-cache'
import type { TenantId, UpstreamId, UserId } from '../base/ids.ts'
import type { Problem } from '../base/problem.ts'
import type { EraName } from '../upstreams/era.ts'
import type { KindName } from './kinds.ts'
import type { Shelf } from './shelf.ts'

/** What is known of one list of an upstream's, for one user and kind of client where it could tell them apart. */
export interface Slot {
  shelf: Shelf | undefined
  /** The shelf was filled for another kind of client, and shows what there may be. */
  isBorrowed: boolean
  failure: Problem | undefined
  /** When the last attempt ended, well or not. */
  triedAt: number
  freshMs: number
  /** When the upstream was last asked; `undefined` while only what was kept over a restart is known. */
  askedAt: number | undefined
  /** When that which was asked had been started, as the transport has it. */
  startedAt: number | undefined
  /** When that was last seen to run; unlike `startedAt` it is kept while nothing runs. */
  ranSince: number | undefined
  /** When it was started again after it had run before. */
  restartedAt: number | undefined
  /** The list has changed since it was asked for. */
  outdated: boolean
  /** Of the list that is kept over restarts. */
  keptDigest: string | undefined
  /** When the list was last found to be another than it had been. */
  changedAt: number | undefined
  loading: Promise<void> | undefined
  /** Has that begin now where it waits for its turn; does nothing at any other time. */
  hurry(): void
}

/**
 * Whose lists they are. `userId` is empty where all users share them; `client` tells apart what clients can do, and is
 * empty where the upstream is not told.
 */
export interface ShelvesKey {
  readonly upstream: UpstreamId
  readonly era: EraName
  readonly tenant: TenantId
  readonly userId: UserId | ''
  readonly client: string
}

/** The slots of one upstream's lists; those that were ever asked for. */
type Slots = Partial<Record<KindName, Slot>>

/** Which slots are meant; all of an upstream's where nothing else is said. */
export interface Meant {
  readonly kind?: KindName | undefined
  readonly tenant?: TenantId | undefined
  readonly userId?: UserId | undefined
}

const ENTRIES_MOST = 20_000
const BYTES_MOST = 256 * 1024 * 1024
/** What a slot takes without its shelf. */
const SLOT_COST = 500

/** Holds the slots used last, bounded in number and in bytes; those of one upstream stay and go together. */
export function createSlots({ bytesMost = BYTES_MOST }: { readonly bytesMost?: number } = {}) {
  const entries = new LRUCache<string, Slots>({
    max: ENTRIES_MOST,
    maxSize: bytesMost,
    sizeCalculation: (slots) =>
      Object.values(slots).reduce((sum, { shelf }) => sum + SLOT_COST + (shelf?.bytes ?? 0), SLOT_COST),
  })
  return {
    /** The slot of that key, made where there is none. */
    get(key: ShelvesKey, kind: KindName): Slot {
      const text = textOf(key)
      let slots = entries.get(text)
      if (!slots) {
        slots = {}
        entries.set(text, slots)
      }
      return (slots[kind] ??= emptySlot())
    },
    /** The slot of that key, where there is one. */
    find(key: ShelvesKey, kind: KindName): Slot | undefined {
      return entries.peek(textOf(key))?.[kind]
    },
    /** Counts a slot anew that has another shelf now. */
    weigh(key: ShelvesKey, kind: KindName, slot: Slot): void {
      const text = textOf(key)
      const slots = entries.get(text) ?? {}
      slots[kind] = slot
      entries.delete(text)
      entries.set(text, slots)
    },
    /** The lists of an upstream are not what they were. */
    outdate(upstream: UpstreamId, { kind: only, tenant, userId }: Meant = {}): void {
      for (const [key, slots] of entries.entries()) {
        const [ofUpstream, , ofTenant, ofUser] = key.split(' ')
        if (ofUpstream !== upstream || (tenant !== undefined && tenant !== ofTenant)) continue
        if (userId !== undefined && ofUser !== '' && ofUser !== userId) continue
        for (const [kind, slot] of Object.entries(slots)) {
          if (only !== undefined && only !== kind) continue
          slot.freshMs = 0
          slot.outdated = true
        }
      }
    },
  }
}

/** With every call a key is written, and most clients have nothing of their own in it. */
function textOf({ upstream, era, tenant, userId, client }: ShelvesKey): string {
  const text = `${upstream} ${era} ${tenant} ${userId}`
  return client === '' ? text : `${text} ${client}`
}

function emptySlot(): Slot {
  return {
    shelf: undefined,
    isBorrowed: false,
    failure: undefined,
    triedAt: -Infinity,
    freshMs: 0,
    askedAt: undefined,
    startedAt: undefined,
    ranSince: undefined,
    restartedAt: undefined,
    outdated: false,
    keptDigest: undefined,
    changedAt: undefined,
    loading: undefined,
    hurry() {},
  }
}
