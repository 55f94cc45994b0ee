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
export function openPool(origin: string, { connections, connectMs }: OutboundSettings): Pool {
  return new Pool(origin, {
    connections,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 30_000,
    connect: { timeout: connectMs },
  })
}
