import type { TenantId, UpstreamId, UserId } from '../../base/ids.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { ChildEvent, EndReason } from './events.ts'

/** What is kept of a child for ever. */
type Kept =
  | { readonly kind: 'upstream.started'; readonly server: UpstreamId; readonly owner?: UserId; readonly pid: number }
  | {
      readonly kind: 'upstream.ended'
      readonly server: UpstreamId
      readonly owner?: UserId
      readonly pid: number
      readonly reason: EndReason
    }

export interface ChildTrailNeeds {
  readonly metrics: Pick<Metrics, 'sekisho_children' | 'sekisho_child_starts_total' | 'sekisho_refused_total'>
  /** Must not throw: a child goes its way whether that could be kept or not. */
  keep(tenant: TenantId, event: Kept): void
}

/** What happens to children is kept, and counted. */
export function createChildTrail({ metrics, keep }: ChildTrailNeeds): (event: ChildEvent) => void {
  return (event) => {
    const { tenant, userId, upstream: server } = event.owner
    const whose = { server, ...(userId === undefined ? {} : { owner: userId }) }
    switch (event.kind) {
      case 'started':
        metrics.sekisho_children.labels(server).inc()
        metrics.sekisho_child_starts_total.labels(server, 'ok').inc()
        return keep(tenant, { kind: 'upstream.started', ...whose, pid: event.pid })
      case 'start_failed':
        return metrics.sekisho_child_starts_total.labels(server, event.code).inc()
      case 'ended':
        metrics.sekisho_children.labels(server).dec()
        if (event.reason === 'idle') metrics.sekisho_refused_total.labels('stdio.idleMs').inc()
        return keep(tenant, { kind: 'upstream.ended', ...whose, pid: event.pid, reason: event.reason })
    }
  }
}
