import { Pool } from 'undici'

export interface OutboundSettings {
  /** Connections to one upstream at most; further requests wait. */
  readonly connections: number
  readonly connectMs: number
}

/**
 * Opens the pool of connections to one origin. Redirects are never followed, so that a credential cannot
 * be led elsewhere; deadlines are the caller's, by its signal.
 */
function openPool(origin: string, { connections, connectMs }: OutboundSettings): Pool {
  return new Pool(origin, {
    connections,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: IDLE_MS,
    connect: { timeout: connectMs },
  })
}

/**
 * How long a connection is kept that nothing is sent on, where the server does not say. Node's own servers end it after
 * 5 seconds, and do not say so where they set `Connection` themselves, as those of the MCP SDK do for event streams. A
 * request sent in that very moment is lost, and nobody knows whether it ran.
 */
const IDLE_MS = 3_000

/** The pools of a gate, one for each origin, opened when it is first called. */
export interface Pools {
  get(origin: string): Pool
  /** Ends every connection; what is in flight is given up. */
  close(): Promise<void>
}

export function createPools(settings: OutboundSettings): Pools {
  const pools = new Map<string, Pool>()
  return {
    get(origin) {
      let pool = pools.get(origin)
      if (!pool) pools.set(origin, (pool = openPool(origin, settings)))
      return pool
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()))
    },
  }
}
