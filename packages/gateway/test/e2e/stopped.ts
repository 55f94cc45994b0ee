import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'
import { openStorage, type Storage } from '../../src/storage/database.ts'
import { quiet } from '../stores/quiet.ts'

/** A data directory that outlives the gates of a test, and goes with the test. */
export function freshDataDir(): { readonly dataDir: string } & Disposable {
  const directory = mkdtempSync(join(tmpdir(), 'sekisho-kept-'))
  return {
    dataDir: join(directory, 'data'),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** Works on the database of a gate that does not run. */
export async function changeDatabase<T>(dataDir: string, work: (storage: Storage) => Promise<T>): Promise<T> {
  const storage = await openStorage({ dataDir, clock: systemClock, log: quiet })
  try {
    return await work(storage)
  } finally {
    await storage.close()
  }
}
