import type { Clock } from '../base/clock.ts'
import { createRecent } from '../base/recent.ts'
import { keyOf, type ConnectionStore, type Kept } from './connection-store.ts'
import type { Holder } from './credential.ts'
import type { Refresh } from './refresh.ts'

export interface OpenedNeeds {
  readonly store: Pick<ConnectionStore, 'find'>
  readonly refresh: Pick<Refresh, 'findLeft'>
  readonly clock: Clock
}

const OPENED = 10_000
const OPENED_MS = 60_000

/** Connections that were opened lately. They stay in memory for a minute at most, and not past a change. */
export function createOpened({ store, refresh, clock }: OpenedNeeds) {
  const opened = createRecent<string, { readonly kept: Kept; readonly until: number }>(OPENED)
  const opening = new Map<string, Promise<Kept | undefined>>()

  function drop(key: string): void {
    opening.delete(key)
    opened.delete(key)
  }

  function remember(kept: Kept): void {
    opened.set(keyOf(kept.holder, kept.provider), { kept, until: clock.now() + OPENED_MS })
  }

  const open = async (holder: Holder, provider: string) =>
    (await refresh.findLeft(holder, provider)) ?? (await store.find(holder, provider))

  return {
    remember,

    /** Answers at once. */
    findOpened(holder: Holder, provider: string): Kept | undefined {
      const known = opened.get(keyOf(holder, provider))
      return known !== undefined && clock.now() < known.until ? known.kept : undefined
    },

    /** A read that was under way when the connection changed answers those who wait, and is not kept. */
    read(holder: Holder, provider: string): Promise<Kept | undefined> {
      const key = keyOf(holder, provider)
      const joined = opening.get(key)
      if (joined !== undefined) return joined
      const begun = open(holder, provider)
        .then((kept) => {
          if (kept?.status === 'connected' && opening.get(key) === begun) remember(kept)
          return kept
        })
        .finally(() => {
          if (opening.get(key) === begun) opening.delete(key)
        })
      opening.set(key, begun)
      return begun
    },

    drop: (holder: Holder, provider: string): void => drop(keyOf(holder, provider)),

    dropUser(holder: Holder): void {
      const start = keyOf(holder, '')
      for (const key of [...opened.keys(), ...opening.keys()]) if (key.startsWith(start)) drop(key)
    },
  }
}
export type Opened = ReturnType<typeof createOpened>
