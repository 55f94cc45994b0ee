import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { TenantId } from '../../src/base/ids.ts'

import { secret } from '../../src/base/secret.ts'
import { openStorage, type Storage, type StorageNeeds } from '../../src/storage/database.ts'
import { quiet } from './quiet.ts'

const POSTGRES = process.env['SEKISHO_TEST_POSTGRES'] ?? 'postgres://root@127.0.0.1/test'

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

/** A database of a test's own, gone when the test ends. */
export interface FreshDatabase extends AsyncDisposable {
  readonly storage: Storage
  readonly place: Place
  /** Opens it as another process does; embedded there can be only one, which is answered. */
  again(): Promise<Storage>
}

type OpenFresh = () => Promise<FreshDatabase>

const reachable = await canReach()
if (!reachable) console.warn(`PostgreSQL is not at ${POSTGRES}: its tests are left out. Set SEKISHO_TEST_POSTGRES.`)

/** A test that needs PostgreSQL: left out where there is none, but for CI, where there has to be one. */
export const whereReachable = test.skipIf(!reachable && process.env['CI'] !== 'true')

/** Runs the tests on every database the product runs on. */
export function eachDatabase(tests: (name: 'sqlite' | 'postgres', openFresh: OpenFresh) => void): void {
  describe('on sqlite', () => tests('sqlite', () => openFresh(freshDirectory())))
  if (reachable) describe('on postgres', () => tests('postgres', openFreshSchema))
  else whereReachable('postgres is there', () => expect.fail(`PostgreSQL is not at ${POSTGRES}`))
}

async function canReach(): Promise<boolean> {
  const client = new Client({ connectionString: POSTGRES, connectionTimeoutMillis: 3_000 })
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return false
  }
}

/** Two tenants, for the tests of the walls between them. */
export const ten = 'ten_a' as TenantId
export const other = 'ten_b' as TenantId

async function openFresh(place: Place, forget = async (): Promise<void> => {}): Promise<FreshDatabase> {
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
      await forget()
    },
  }
}

/** A directory that is gone when the test has ended. */
export function freshDirectory(): { dataDir: string } {
  const dataDir = mkdtempSync(join(tmpdir(), 'sekisho-test-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  return { dataDir }
}

function openFreshSchema(): Promise<FreshDatabase> {
  const place = freshSchema()
  return openFresh(place, () => dropSchema(place.schema))
}

export function freshSchema() {
  return { ...freshDirectory(), databaseUrl: secret(POSTGRES), schema: `test ${randomBytes(6).toString('hex')}` }
}

export async function dropSchema(schema: string): Promise<void> {
  const client = new Client({ connectionString: POSTGRES })
  await client.connect()
  await client.query(`drop schema if exists "${schema}" cascade`)
  await client.end()
}
