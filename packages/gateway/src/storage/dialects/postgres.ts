import { Kysely, PostgresDialect, sql } from 'kysely'
import type { Pool } from 'pg'
import { problem } from '../../base/problem.ts'
import type { Log } from '../../base/log.ts'
import type { Secret } from '../../base/secret.ts'
import { inWords } from '../../base/system-words.ts'
import type { Database } from '../schema.ts'
import type { Engine } from './engine.ts'
import { tellingFailures } from './postgres-pool.ts'

const STATEMENT_TIMEOUT_MS = 30_000
const MIGRATION_TIMEOUT_MS = 10 * 60_000
const CONNECT_TIMEOUT_MS = 5_000
/** What an answer takes on its way. */
const SLACK_MS = 5_000
const SILENCE_MS = STATEMENT_TIMEOUT_MS + SLACK_MS

/** @see {@link https://www.postgresql.org/docs/current/errcodes-appendix.html PostgreSQL, appendix A} */
const UNIQUE_VIOLATION = '23505'

interface Place {
  readonly databaseUrl: Secret
  /** Where the tables are; without it, wherever the connection's own search path leads. */
  readonly schema: string | undefined
  readonly log: Log
  /** In place of the usual time after which a server without an answer is given up. */
  readonly silenceMs?: number
}

/**
 * Connects to a PostgreSQL database.
 *
 * @throws {Problem} `storage.unreachable`
 */
export async function openPostgres({ databaseUrl, schema, log, silenceMs = SILENCE_MS }: Place): Promise<Engine> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({
    connectionString: databaseUrl.reveal(),
    application_name: 'sekisho',
    max: 10,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    types: {
      getTypeParser: (id, format) => (id === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(id, format)),
    },
    ...(schema === undefined ? {} : { options: `-c search_path=${quote(schema)}` }),
  })
  const telling = tellingFailures(pool, { log, silenceMs })
  await greet(pool, () => telling.pool.end())
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool: telling.pool }) })
  return {
    dialect: 'postgres',
    db,
    words: { bytes: 'bytea', keptByKey: '' },
    async hasTable(name) {
      const { rows } = await sql<{ found: boolean }>`select to_regclass(${name}) is not null as found`.execute(db)
      return rows[0]?.found === true
    },
    async copyBefore() {},
    lock(transaction) {
      telling.bePatient(MIGRATION_TIMEOUT_MS + SLACK_MS)
      return lock(transaction, schema)
    },
    isConflict: (error) => error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION,
  }
}

async function greet(pool: Pool, end: () => Promise<void>): Promise<void> {
  try {
    await pool.query('select 1')
  } catch (cause) {
    await end()
    throw problem('storage.unreachable', { reason: inWords(cause), cause })
  }
}

/** Only after the lock is held: `create schema if not exists` fails where two do it at once. */
async function lock(db: Kysely<Database>, schema: string | undefined): Promise<void> {
  await sql`set local statement_timeout = ${sql.lit(MIGRATION_TIMEOUT_MS)}`.execute(db)
  await sql`select pg_advisory_xact_lock(hashtext(${`sekisho migrations ${schema ?? ''}`}))`.execute(db)
  if (schema !== undefined) await sql`create schema if not exists ${sql.id(schema)}`.execute(db)
}

/** An identifier within the connection's `options`, where a backslash keeps a space from ending the value. */
function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`.replaceAll(/[\\ ]/g, String.raw`\$&`)
}
