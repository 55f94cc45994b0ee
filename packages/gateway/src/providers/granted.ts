import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '../base/log.ts'
import { keyOf, type ConnectionStore, type Kept } from './connection-store.ts'
import type { Credential } from './tokens.ts'

export interface GrantedNeeds {
  readonly store: Pick<ConnectionStore, 'renew'>
  readonly log: Log
}

/** What became of tokens that were granted. */
export type Written =
  | { readonly kind: 'written'; readonly kept: Kept }
  /** Somebody else changed the connection meanwhile. */
  | { readonly kind: 'replaced' }
  /** The database could not take them: they are in memory only. */
  | { readonly kind: 'left'; readonly kept: Kept; readonly cause: unknown }

interface Left {
  readonly from: Kept
  readonly kept: Kept
}

/** How often tokens that were just granted are tried to be written, and what is waited before each. */
const WRITES_MS = [0, 50, 250]
/** How often that is begun again, though nobody asks: sooner than the lease is over by which no other process renews. */
const AGAIN_MS = 2_000

/**
 * Writes renewed tokens in place of those they were granted for. The old ones may be dead already, so what cannot be
 * written is held in memory, tried again, and written before anything else is done with the connection.
 */
export function createGranted({ store, log }: GrantedNeeds) {
  const left = new Map<string, Left>()
  const writing = new Map<string, Promise<Written>>()
  let again: NodeJS.Timeout | undefined
  let isClosed = false

  async function tryToWrite({ from, kept }: Left): Promise<Written> {
    let cause: unknown
    for (const wait of WRITES_MS) {
      try {
        if (wait > 0) await pause(wait)
        const renewed = await store.renew(from, kept.credential)
        return renewed ? { kind: 'written', kept: renewed } : { kind: 'replaced' }
      } catch (error) {
        cause = error
        log.error({ provider: from.provider, tenant: from.holder.tenant, error }, 'connection.write_failed')
      }
    }
    return { kind: 'left', kept, cause }
  }

  /** Two who find the same tokens write them once: the second would be told that they were replaced. */
  function writeLeft(key: string): Promise<Written | undefined> {
    const one = left.get(key)
    const joined = writing.get(key)
    if (one === undefined || joined !== undefined) return Promise.resolve(joined)
    const begun = tryToWrite(one)
      .then((written) => {
        if (written.kind !== 'left') left.delete(key)
        return written
      })
      .finally(() => writing.delete(key))
    writing.set(key, begun)
    return begun
  }

  async function writeAllLeft(): Promise<void> {
    for (const key of left.keys()) await writeLeft(key)
  }

  function writeLater(): void {
    again ??= setTimeout(() => {
      void writeAllLeft().then(() => {
        again = undefined
        if (left.size > 0 && !isClosed) writeLater()
      })
    }, AGAIN_MS).unref()
  }

  return {
    async write(from: Kept, credential: Omit<Credential, 'version'>): Promise<Written> {
      const one = { from, kept: { ...from, credential: { ...credential, version: from.credential.version + 1 } } }
      const written = await tryToWrite(one)
      if (written.kind === 'left') {
        left.set(keyOf(from.holder, from.provider), one)
        writeLater()
      }
      return written
    },

    /** Writes what is left of a connection; `undefined` where nothing is. */
    writeLeft,

    findLeft: (key: string): Kept | undefined => left.get(key)?.kept,
    forget: (key: string): void => void left.delete(key),

    /** Writes all that is left, before the memory is gone. */
    async close(): Promise<void> {
      isClosed = true
      clearTimeout(again)
      await writeAllLeft()
    },
  }
}
