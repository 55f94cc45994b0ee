import type { KyselyPlugin } from 'kysely'
import type { Storage } from '../../src/storage/database.ts'

/** The same storage, on which what `system` reads is read now and told only after `release`. */
export function answeringLate(storage: Storage): { storage: Storage; read: Promise<void>; release(): void } {
  const read = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const late: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      read.resolve()
      await released.promise
      return result
    },
  }
  return {
    storage: { ...storage, system: storage.system.withPlugin(late) },
    read: read.promise,
    release: released.resolve,
  }
}
