import type { TenantId, UpstreamId } from '../base/ids.ts'
import type { AuditEvent } from '../audit/events.ts'
import type { CallRecord } from './call.ts'
import type { Context } from './context.ts'

export interface TrailNeeds {
  readonly audit: { requireRoom(): void; record(tenant: TenantId, event: AuditEvent): Promise<void> | undefined }
  readonly clock: { now(): number }
  /** The service whose token goes to an upstream, where one does. */
  serviceOf(upstream: UpstreamId): string | undefined
}

/**
 * Keeps what became of each call. A call that never reached its server is denied; one that did is kept with
 * how it ended, the service whose credential went along, and never its arguments or its answer.
 */
export function createTrail({ audit, clock, serviceOf }: TrailNeeds) {
  return {
    requireRoom: audit.requireRoom,
    followed(call: CallRecord, { principal, requestId, era }: Context) {
      const { tool, upstream: server, failure } = call
      const { tenant, userId, keyId: key } = principal
      const error = failure?.code
      if (!call.called || server === undefined) {
        return audit.record(tenant, { kind: 'tool.denied', userId, requestId, key, tool, server, error })
      }
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
