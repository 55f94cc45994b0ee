import type { Principal } from '../../identity/principal.ts'
import type { ClientView } from '../../upstreams/client.ts'

/** A session of the older revisions, as a request finds it. */
export interface Session {
  /** Names it in logs, topics and tables; not what the client sends. */
  readonly id: string
  readonly principal: Pick<Principal, 'tenant' | 'userId'>
  /** The revision agreed on. */
  readonly version: string
  /** What it declared, its own id as `session`, and the log level it has set. */
  readonly client: ClientView
  /** What the client calls itself, shortened: for logs. */
  readonly clientName?: string
  /** Whether it has its user open an address in a browser when it is asked to. */
  readonly opensAddresses: boolean
}
