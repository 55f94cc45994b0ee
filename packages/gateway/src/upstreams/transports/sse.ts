import { createHash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import type { UpstreamId } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import type { Owner } from '../children/owner.ts'
import { createSeats } from '../children/seats.ts'
import type { UpstreamEras } from '../era.ts'
import type { Transport } from '../transport.ts'
import type { Route } from './http-link.ts'
import { createRoutes, type RoutesNeeds } from './http-routes.ts'
import { createPiped } from './piped.ts'
import { openSseStream } from './sse-stream.ts'
import { createGreetIn } from './stdio-greet.ts'

export interface SseTransportNeeds extends RoutesNeeds {
  readonly upstream: UpstreamId
  readonly eras: UpstreamEras
  readonly log: Log
  readonly clock: Clock
  readonly settings: { readonly answerBytes: number; readonly startMs: number }
  /** Told of each notification that belongs to no call. */
  onNotification(message: { readonly method: string }, owner: Owner): void
}

/** How many connections there may be, in all and for one user. */
const CONNECTIONS = 10_000
const CONNECTIONS_PER_USER = 64
/** How long one is kept without a call. */
const IDLE_MS = 30 * 60_000
/** How long what is in flight may take to end at the end of the gate, which has waited for its calls before. */
const DRAIN_MS = 1_000

/**
 * Reaches an MCP server over HTTP with SSE, the transport before Streamable HTTP: what is sent goes out as one POST
 * each, what comes back comes on one stream, which makes it a pipe like that of a child.
 *
 * @see MCP 2024-11-05, basic/transports#http-with-sse
 */
export function createSseTransport(needs: SseTransportNeeds): Transport {
  const { upstream, eras, log, clock, settings } = needs
  const { answerBytes: lineBytes, startMs: startTimeoutMs } = settings
  const seats = createSeats<Route>({
    clock,
    log,
    settings: {
      maxChildren: CONNECTIONS,
      maxChildrenPerUser: CONNECTIONS_PER_USER,
      drainMs: DRAIN_MS,
      startTimeoutMs,
      idleMs: IDLE_MS,
      memoryMb: Infinity,
      logBytes: 0,
      lineBytes,
      graceMs: 0,
    },
    greet: createGreetIn(eras.legacy),
    failures: { failed: 'upstream.unreachable', slow: 'upstream.timeout' },
    fingerprintOf,
    run: (route, _place, hearing) => openSseStream({ ...hearing, upstream, route }),
    onEvent: () => {},
    onNotification: needs.onNotification,
  })
  const { placeOf: _placeOf, ...piped } = createPiped({
    seats,
    upstream,
    shared: false,
    launchFor: createRoutes(needs).for,
  })
  return { ...piped, startedAt: () => 0 }
}

function fingerprintOf({ origin, path, headers }: Route): string {
  return createHash('sha256')
    .update(JSON.stringify([origin, path, headers]))
    .digest('base64')
}
