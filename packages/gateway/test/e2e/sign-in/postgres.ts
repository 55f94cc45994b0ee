import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { POSTGRES } from '../../stores/databases.ts'

/** A schema of a test's own, and the address by which a gate uses it. */
export interface Schema extends AsyncDisposable {
  readonly databaseUrl: string
  /** How many rows a table has. */
  count(table: string): Promise<number>
}

export async function openSchema(): Promise<Schema> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await run(`create schema ${name}`)
  const url = new URL(POSTGRES)
  url.searchParams.set('options', `-c search_path=${name}`)
  return {
    databaseUrl: url.href,
    count: async (table) => (await run(`select 1 from ${name}.${table}`)).length,
    async [Symbol.asyncDispose]() {
      await run(`drop schema ${name} cascade`)
    },
  }
}

async function run(statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: POSTGRES, connectionTimeoutMillis: 3_000 })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}
