import type { Problem } from '../base/problem.ts'
import type { UpstreamId } from '../base/ids.ts'
import type { StopSignal } from '../base/stop.ts'
import type { Principal } from '../identity/principal.ts'
import type { ClientView } from '../upstreams/client.ts'
import type { Question, Reply } from '../upstreams/transport.ts'
import type { ClientEra } from './eras/client-era.ts'
import type { Narrowing } from './narrowing.ts'
import type { Session } from './sessions/session.ts'

/** All that is known of a request besides its message. */
export interface Context {
  readonly principal: Principal
  readonly era: ClientEra
  readonly requestId: string
  /** The one upstream of `/mcp/<server>`; `undefined` on `/mcp`, where all are merged. */
  readonly server: UpstreamId | undefined
  /** What upstreams are told of the client. */
  readonly client: ClientView
  /** The session of a legacy client, where it is in one. */
  readonly session: Session | undefined
  /** Set where the request comes again after its user was asked to open an address: whether they were willing. */
  readonly opened?: boolean | undefined
  /** `Mcp-Param-*` headers, names and values in turn. */
  readonly paramHeaders: readonly string[]
  /** What the client asks to have left out. */
  readonly narrowing?: Narrowing | undefined
  readonly signal: StopSignal
  abort(reason: Problem): void
  /** Passes on a notification about this request. */
  notify(message: Buffer, method: string): void
  /** Has the client answer what that server asks in mid-call. Never rejects. */
  ask(question: Question, asker: UpstreamId): Promise<Reply>
}
