import type { TenantId, UpstreamId } from '../base/ids.ts'
import type { AuditEvent } from '../audit/events.ts'
import type { Watch } from '../audit/watch.ts'
import type { CallRecord } from './call.ts'
import type { Context } from './context.ts'
import { createThrottle } from '../limits/throttle.ts'

export interface TrailNeeds {
  readonly audit: {
    requireRoom(tenant: TenantId): void
    record(tenant: TenantId, event: AuditEvent): Promise<void> | undefined
  }
  readonly watch: Pick<Watch, 'refused'>
  readonly clock: { now(): number }
  /** The service whose token goes to an upstream, where one does. */
  serviceOf(upstream: UpstreamId): string | undefined
}

/** How often a user's refusals for calling too much are kept, and of how many users that is known. */
const FLOOD_MS = 60_000
const FLOODERS = 10_000

/** Asked with every key a user presses, or again and again until something is done: kept by nobody's wish. */
const UNKEPT = new Set(['completion/complete', 'tasks/get', 'tasks/result', 'tasks/list'])

/** A URI may be long. */
const NAME_LENGTH = 500

/**
 * Keeps what became of each call: one that reached its server with how it ended and the service whose credential
 * went along, never its arguments or its answer; one that was refused as denied. A call that a fault or a server
 * that could not list its tools kept from its server was not refused, and is for the log alone.
 */
export function createTrail({ audit, watch, clock, serviceOf }: TrailNeeds) {
  const floods = createThrottle({ clock, everyMs: FLOOD_MS, atMost: FLOODERS })

  function denied({ method, name, upstream: server, failure }: CallRecord, ctx: Context) {
    const { principal, requestId, era } = ctx
    const { tenant, userId, keyId: key } = principal
    const error = failure?.code ?? ''
    const isFlood = error.startsWith('limit.')
    if (!isFlood && !DENIED.test(error)) return undefined
    if (!LACKS_TOKEN.test(error)) watch.refused({ tenant, userId, requestId }, { key })
    if (isFlood && !floods.pass(`${tenant} ${userId} ${error}`)) return undefined
    if (method === 'tools/call')
      return audit.record(tenant, { kind: 'tool.denied', userId, requestId, key, tool: name, server, error })
    const outcome = 'denied'
    const kept = { userId, requestId, key, server, method, name: name.slice(0, NAME_LENGTH), outcome, error }
    return audit.record(tenant, { kind: 'server.request', ...kept, era: era.name })
  }

  return {
    requireRoom: audit.requireRoom,
    followed(call: CallRecord, ctx: Context) {
      const { method, name, upstream: server, failure } = call
      if (UNKEPT.has(method)) return undefined
      if (!call.called || server === undefined) return denied(call, ctx)
      const { principal, requestId } = ctx
      const { tenant, userId, keyId: key } = principal
      const error = failure?.code
      const outcome = !failure ? 'ok' : error === 'request.cancelled' ? 'cancelled' : 'failed'
      const ms = clock.now() - call.startedAt
      const about = {
        userId,
        requestId,
        key,
        server,
        outcome,
        error,
        ms,
        era: ctx.era.name,
        service: serviceOf(server),
      }
      return method === 'tools/call'
        ? audit.record(tenant, { kind: 'tool.call', tool: name, ...about })
        : audit.record(tenant, { kind: 'server.request', method, name: name.slice(0, NAME_LENGTH), ...about })
    },
  }
}

/** Nothing was refused: the user has not given the gate something yet. */
const LACKS_TOKEN = /^token\./
const DENIED = /^(?:tool|prompt|resource|task|token)\./
