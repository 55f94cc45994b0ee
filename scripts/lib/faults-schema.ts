import { randomBytes } from 'node:crypto'
import { Client } from 'pg'

/** A schema that is gone afterwards, and the address by which a gate uses it. */
export async function openSchema(postgresUrl: string): Promise<AsyncDisposable & { readonly databaseUrl: string }> {
  const name = `faults_${randomBytes(6).toString('hex')}`
  await run(postgresUrl, `create schema ${name}`)
  const url = new URL(postgresUrl)
  url.searchParams.set('options', `-c search_path=${name}`)
  return {
    databaseUrl: url.href,
    [Symbol.asyncDispose]: () => run(postgresUrl, `drop schema ${name} cascade`),
  }
}

async function run(connectionString: string, statement: string): Promise<void> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 3_000 })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
