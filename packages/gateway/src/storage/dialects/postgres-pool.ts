import type { PostgresPool, PostgresPoolClient } from 'kysely'
import type { Pool, PoolClient } from 'pg'
import type { Log } from '../../base/log.ts'
import type { Problem } from '../../base/problem.ts'
import { failing, unreachable } from './failures.ts'

export interface TellingNeeds {
  readonly log: Log
  /** After so many milliseconds without an answer a connection is given up: the server itself ends a statement sooner. */
  readonly silenceMs: number
}

const LOOK_MS = 5_000

/**
 * A pool as Kysely uses it that tells a database which is away, or whose disk fails, as what it is. A connection that
 * is lost is never used again, so that what was away is found again by whoever asks next.
 *
 * Each connection is listened to for as long as it lives: without a listener, one that dies would end the process,
 * within a transaction as well as while nobody uses it. A server whose machine or network is gone ends no connection; the
 * system would wait a quarter of an hour for it, with everybody else waiting for the connection.
 */
export function tellingFailures(pool: Pool, { log, silenceMs }: TellingNeeds) {
  const lost = new WeakSet<PoolClient>()
  const known = new WeakMap<PoolClient, PostgresPoolClient>()
  /** When what each connection waits for was asked. */
  const askedAt = new Map<PoolClient, number>()
  const timer = setInterval(giveUpSilent, Math.min(LOOK_MS, silenceMs)).unref()
  let mayTakeMs = silenceMs
  pool.on('error', () => {})
  pool.on('connect', (client) => {
    client.on('error', (error) => lose(client, error))
  })

  function lose(client: PoolClient, error: Error): void {
    if (!lost.has(client)) log.warn({ error }, 'storage.connection_lost')
    lost.add(client)
  }

  function giveUpSilent(): void {
    const latest = performance.now() - mayTakeMs
    for (const [client, at] of askedAt) {
      if (at > latest) continue
      lose(client, new Error(`PostgreSQL gave no answer for ${mayTakeMs} ms`))
      void client.end()
    }
  }

  function connectionOf(client: PoolClient): PostgresPoolClient {
    async function query(text: string, parameters: unknown[]) {
      askedAt.set(client, performance.now())
      try {
        return await client.query(text, parameters)
      } catch (error) {
        throw failureOf(error) ?? (lost.has(client) ? unreachable('its connection was lost', error) : error)
      } finally {
        askedAt.delete(client)
      }
    }
    return {
      // Kysely gives it a cursor in place of a text only for streams, of which there are none. Hence the cast.
      query: query as unknown as PostgresPoolClient['query'],
      release(destroy) {
        mayTakeMs = silenceMs
        client.release(destroy)
      },
    }
  }

  const telling: PostgresPool = {
    options: pool.options,
    async end() {
      await pool.end()
      clearInterval(timer)
    },
    async connect() {
      const client = await pool.connect().catch((error: unknown) => {
        throw failureOf(error) ?? unreachable('no connection to it can be had', error)
      })
      const connection = known.get(client) ?? connectionOf(client)
      known.set(client, connection)
      return connection
    },
  }
  return {
    pool: telling,
    /** Statements may take longer, until the next connection is given back. */
    bePatient(milliseconds: number): void {
      mayTakeMs = Math.max(silenceMs, milliseconds)
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
