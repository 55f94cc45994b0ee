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

export type Trail = ReturnType<typeof createTrail>

/**
 * Keeps what became of each call. A call that never reached its server is denied; one that did is kept with
 * how it ended, the service whose credential went along, and never its arguments or its answer.
 */
export function createTrail({ audit, clock, serviceOf }: TrailNeeds) {
  return {
    requireRoom: audit.requireRoom,
    followed({ tool, upstream, startedAt, failure, called }: CallRecord, { principal, requestId, era }: Context) {
      const common = { userId: principal.userId, requestId, key: principal.keyId, tool: tool.slice(0, 200) }
      const { tenant } = principal
      if (!called || upstream === undefined) {
        return audit.record(tenant, { kind: 'tool.denied', ...common, server: upstream, error: failure?.code })
      }
      return audit.record(tenant, {
        kind: 'tool.call',
        ...common,
        server: upstream,
        outcome: !failure ? 'ok' : failure.code === 'request.cancelled' ? 'cancelled' : 'failed',
        error: failure?.code,
        ms: clock.now() - startedAt,
        era: era.name,
        service: serviceOf(upstream),
      })
    },
  }
}
