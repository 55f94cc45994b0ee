import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { describe, onTestFinished } from 'vitest'
import type { TenantId } from '../../src/base/ids.ts'

import { secret } from '../../src/base/secret.ts'
import { openStorage, type Storage, type StorageNeeds } from '../../src/storage/database.ts'
import { quiet } from './quiet.ts'

export const POSTGRES = process.env['SEKISHO_TEST_POSTGRES'] ?? 'postgres://root@127.0.0.1/test'

export { quiet }

/** A clock that stands still until it is turned. */
export function createTestClock(start = Date.UTC(2026, 0, 1)) {
  let now = start
  return {
    now: () => now,
    turn(milliseconds: number): void {
      now += milliseconds
    },
  }
}

/** Where a database is, as {@link openStorage} takes it. */
export type Place = Pick<StorageNeeds, 'dataDir' | 'databaseUrl' | 'schema'>

/** A database of a test's own, closed when the test is done with it and gone when the test has ended. */
export interface FreshDatabase extends AsyncDisposable {
  readonly storage: Storage
  readonly place: Place
  /** Opens it as another process does; embedded there can be only one, which is answered. */
  again(): Promise<Storage>
}

type DatabaseName = 'sqlite' | 'postgres'
type DatabaseTests = (name: DatabaseName, openFresh: () => Promise<FreshDatabase>, newPlace: () => Place) => void

/** Runs the tests on every database the product runs on; PostgreSQL may be missing, but not in CI. */
export function eachDatabase(tests: DatabaseTests): void {
  describe.each(names)('on %s', (name) => {
    tests(name, () => openFresh(newPlaces[name]()), newPlaces[name])
  })
}

const newPlaces: Readonly<Record<DatabaseName, () => Place>> = { sqlite: newDirectory, postgres: newSchema }
const names = await findNames()
/** In CI its tests fail instead of being left out. */
export const withoutPostgres = !names.includes('postgres')

async function findNames(): Promise<DatabaseName[]> {
  const client = new Client({ connectionString: POSTGRES, connectionTimeoutMillis: 3_000 })
  try {
    await client.connect()
    await client.end()
    return ['sqlite', 'postgres']
  } catch {
    console.warn(`PostgreSQL is not at ${POSTGRES}: set SEKISHO_TEST_POSTGRES. Its tests are left out, or fail in CI.`)
    return process.env['CI'] === 'true' ? ['sqlite', 'postgres'] : ['sqlite']
  }
}

/** Two tenants, for the tests of the walls between them. */
export const ten = 'ten_a' as TenantId
export const other = 'ten_b' as TenantId

async function openFresh(place: Place): Promise<FreshDatabase> {
  const opened: Storage[] = []
  const open = async (): Promise<Storage> => {
    const storage = await openStorage({ ...place, clock: createTestClock(), log: quiet })
    opened.push(storage)
    return storage
  }
  const storage = await open()
  const tenants = [ten, other].map((id) => ({ id, name: id, created_at: 0 }))
  await storage.system.insertInto('tenants').values(tenants).execute()
  return {
    storage,
    place,
    again: async () => (storage.dialect === 'sqlite' ? storage : open()),
    async [Symbol.asyncDispose]() {
      for (const each of opened) await each.close()
    },
  }
}

/** A directory that is gone when the test has ended. */
export function newDirectory(): { dataDir: string } {
  const dataDir = mkdtempSync(join(tmpdir(), 'sekisho-test-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  return { dataDir }
}

/** A schema, with a space in its name, that is gone when the test has ended. */
function newSchema(): Place {
  const schema = `test ${randomBytes(6).toString('hex')}`
  onTestFinished(() => dropSchema(schema))
  return { ...newDirectory(), databaseUrl: secret(POSTGRES), schema }
}

async function dropSchema(schema: string): Promise<void> {
  const client = new Client({ connectionString: POSTGRES })
  await client.connect()
  await client.query(`drop schema if exists "${schema}" cascade`)
  await client.end()
}
