import { randomBytes } from 'node:crypto'
import { Client } from 'pg'

const POSTGRES = process.env['SEKISHO_TEST_POSTGRES'] ?? 'postgres://root@127.0.0.1/test'

/** Whether there is no PostgreSQL here; in CI its tests then fail instead of being left out. */
export const withoutPostgres = process.env['CI'] !== 'true' && !(await isThere())
if (withoutPostgres) console.warn(`PostgreSQL is not at ${POSTGRES}: set SEKISHO_TEST_POSTGRES. Its tests are left out.`)

/** A schema of a test's own, and the address by which a gate uses it. */
export interface Schema extends AsyncDisposable {
  readonly databaseUrl: string
}

export async function openSchema(): Promise<Schema> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await run(`create schema ${name}`)
  const url = new URL(POSTGRES)
  url.searchParams.set('options', `-c search_path=${name}`)
  return { databaseUrl: url.href, [Symbol.asyncDispose]: () => run(`drop schema ${name} cascade`) }
}

async function run(statement: string): Promise<void> {
  const client = new Client({ connectionString: POSTGRES, connectionTimeoutMillis: 3_000 })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

async function isThere(): Promise<boolean> {
  try {
    await run('select 1')
    return true
  } catch {
    return false
  }
}
