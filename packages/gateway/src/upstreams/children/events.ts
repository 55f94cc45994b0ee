import type { ErrorCode } from '../../base/errors.ts'
import type { Owner } from './owner.ts'

/** Why a child was ended; `died` where it ended by itself. */
export type EndReason = 'start' | 'idle' | 'replaced' | 'evicted' | 'closing' | 'died' | 'memory' | 'flood'

/** What happens to children, for the audit log and the metrics: each that `started` has one `ended`, no other has. */
export type ChildEvent =
  | { readonly kind: 'started'; readonly owner: Owner; readonly pid: number; readonly tookMs: number }
  | { readonly kind: 'start_failed'; readonly owner: Owner; readonly code: ErrorCode }
  | { readonly kind: 'ended'; readonly owner: Owner; readonly pid: number; readonly reason: EndReason }
