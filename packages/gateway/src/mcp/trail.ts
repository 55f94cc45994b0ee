import type { TenantId, UpstreamId } from '../base/ids.ts'
import type { AuditEvent } from '../audit/events.ts'
import type { CallRecord } from './call.ts'
import type { Context } from './context.ts'
import { createThrottle } from '../limits/throttle.ts'

export interface TrailNeeds {
  readonly audit: {
    requireRoom(tenant: TenantId): void
    record(tenant: TenantId, event: AuditEvent): Promise<void> | undefined
  }
  readonly clock: { now(): number }
  /** The service whose token goes to an upstream, where one does. */
  serviceOf(upstream: UpstreamId): string | undefined
}

/** How often a user's refusals for calling too much are kept, and of how many users that is known. */
const FLOOD_MS = 60_000
const FLOODERS = 10_000

/**
 * Keeps what became of each call: one that reached its server with how it ended and the service whose credential
 * went along, never its arguments or its answer; one that was refused as denied. A call that a fault or a server
 * that could not list its tools kept from its server was not refused, and is for the log alone.
 */
export function createTrail({ audit, clock, serviceOf }: TrailNeeds) {
  const floods = createThrottle({ clock, everyMs: FLOOD_MS, atMost: FLOODERS })

  function denied({ tool, upstream: server, failure }: CallRecord, { principal, requestId }: Context) {
    const { tenant, userId, keyId: key } = principal
    const error = failure?.code ?? ''
    const isFlood = error.startsWith('limit.')
    if (!isFlood && !/^(?:tool|token)\./.test(error)) return undefined
    if (isFlood && !floods.pass(`${tenant} ${userId} ${error}`)) return undefined
    return audit.record(tenant, { kind: 'tool.denied', userId, requestId, key, tool, server, error })
  }

  return {
    requireRoom: audit.requireRoom,
    followed(call: CallRecord, ctx: Context) {
      const { tool, upstream: server, failure } = call
      if (!call.called || server === undefined) return denied(call, ctx)
      const { principal, requestId, era } = ctx
      const { tenant, userId, keyId: key } = principal
      const error = failure?.code
      const outcome = !failure ? 'ok' : error === 'request.cancelled' ? 'cancelled' : 'failed'
      const ms = clock.now() - call.startedAt
      const service = serviceOf(server)
      const kind = 'tool.call'
      return audit.record(tenant, {
        kind,
        userId,
        requestId,
        key,
        tool,
        server,
        outcome,
        error,
        ms,
        era: era.name,
        service,
      })
    },
  }
}
