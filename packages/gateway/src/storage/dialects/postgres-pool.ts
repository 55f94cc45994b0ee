import type { PostgresPool, PostgresPoolClient } from 'kysely'
import type { Pool, PoolClient } from 'pg'
import type { Log } from '../../base/log.ts'
import type { Problem } from '../../base/problem.ts'
import { failing, unreachable } from './failures.ts'

/**
 * A pool as Kysely uses it that tells a database which is away, or whose disk fails, as what it is. A connection that
 * is lost is never used again, so that what was away is found again by whoever asks next.
 *
 * Each connection is listened to for as long as it lives: without a listener, one that dies would end the process,
 * within a transaction as well as while nobody uses it.
 */
export function tellingFailures(pool: Pool, log: Log): PostgresPool {
  const lost = new WeakSet<PoolClient>()
  const known = new WeakMap<PoolClient, PostgresPoolClient>()
  pool.on('error', () => {})
  pool.on('connect', (client) => {
    client.on('error', (error) => {
      if (!lost.has(client)) log.warn({ error }, 'storage.connection_lost')
      lost.add(client)
    })
  })

  function connectionOf(client: PoolClient): PostgresPoolClient {
    const told = (error: unknown): never => {
      throw failureOf(error) ?? (lost.has(client) ? unreachable('its connection was lost', error) : error)
    }
    const query = (text: string, parameters: unknown[]) => client.query(text, parameters).catch(told)
    // Kysely gives it a cursor in place of a text only for streams, of which there are none. Hence the cast.
    return { query: query as unknown as PostgresPoolClient['query'], release: (destroy) => client.release(destroy) }
  }

  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect().catch((error: unknown) => {
        throw failureOf(error) ?? unreachable('no connection to it can be had', error)
      })
      const connection = known.get(client) ?? connectionOf(client)
      known.set(client, connection)
      return connection
    },
  }
}

function failureOf(error: unknown): Problem | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = AWAY[code] ?? (code.startsWith('08') && code.length === 5 ? 'its connection was lost' : undefined)
  if (reason !== undefined) return unreachable(reason, error)
  const failure = DISK[code]
  return failure === undefined ? undefined : failing(failure, error)
}

/** @see {@link https://www.postgresql.org/docs/current/errcodes-appendix.html PostgreSQL, appendix A} */
const AWAY: Readonly<Record<string, string>> = {
  '53300': 'it takes no more connections',
  '57014': 'it did not answer in time',
  '57P01': 'it is stopping',
  '57P02': 'it has crashed',
  '57P03': 'it is starting or stopping',
}

const DISK: Readonly<Record<string, string>> = {
  '25006': 'it can be read only',
  '53100': 'its disk is full',
  '58030': 'its disk cannot be read or written',
}
