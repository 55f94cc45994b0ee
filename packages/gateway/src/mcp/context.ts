import type { Problem } from '../base/problem.ts'
import type { UpstreamId } from '../base/ids.ts'
import type { Principal } from '../identity/principal.ts'
import type { ClientEra } from './eras/client-era.ts'

/** All that is known of a request besides its message. */
export interface Context {
  readonly principal: Principal
  readonly era: ClientEra
  readonly requestId: string
  /** The one upstream of `/mcp/<server>`; `undefined` on `/mcp`, where all are merged. */
  readonly server: UpstreamId | undefined
  /** What a legacy client calls its session: a label, which proves nothing. */
  readonly sessionId: string | undefined
  /** Set where the request comes again after its user was asked to open an address: whether they were willing. */
  readonly opened?: boolean
  /** `Mcp-Param-*` headers, names and values in turn. */
  readonly paramHeaders: readonly string[]
  readonly signal: AbortSignal
  abort(reason: Problem): void
  /** Passes on a notification about this request. */
  notify(message: Buffer): void
}
