import type { RequestId, RpcNotification, RpcRequest } from '../base/json-rpc.ts'
import type { ClientView, LogLevel } from './client.ts'
import type { Interests } from './interests.ts'

/** The two ways MCP is spoken: each request for itself, or after a handshake. */
export type EraName = 'modern' | 'legacy'

/** What an upstream said of itself when it was opened. */
export interface Handshake {
  readonly era: EraName
  readonly version: string
  readonly capabilities: Readonly<Record<string, unknown>>
  readonly instructions: string | undefined
  readonly serverInfo: Readonly<Record<string, unknown>> | undefined
  /** Whether the upstream lets it be told to others than whom it was said to. */
  readonly isPublic?: boolean
}

/** A request of the gate's own, on somebody's account. */
export interface OwnRequest {
  readonly method: string
  /** The JSON text of its params. */
  readonly params: string
}

/** How an upstream is made to tell of something outside of any request. */
export type FollowPlan =
  /** One long request whose stream tells of all of it; another interest is another request. */
  | { readonly kind: 'request'; readonly request: OwnRequest }
  /** The stream of the session tells; these requests are made once for each resource that is new or not wanted more. */
  | { readonly kind: 'session'; subscribe(uri: string): OwnRequest; unsubscribe(uri: string): OwnRequest }

/** What came on a stream that was asked for by a {@link FollowPlan}. */
export type Heard =
  /** Word of what of it the upstream tells from now on. */
  | { readonly kind: 'honoured'; readonly interests: Interests }
  /** What was asked for, without what ties it to the request. */
  | { readonly kind: 'told'; readonly message: Buffer }

/**
 * How the gate speaks one era toward an upstream. What differs between revisions is known only behind this
 * interface, so that the transports know none.
 */
export interface UpstreamEra {
  readonly name: EraName
  /** Asks an upstream who it is, on account of such a client. */
  opening(client: ClientView): OwnRequest
  /** Reads the result of the opening; `undefined` where the upstream does not speak this era. */
  accept(result: unknown): Handshake | undefined
  /** Whether the error that an opening was refused with says that the upstream speaks this era after all. */
  isSpoken(error: unknown): boolean
  /** The notification an upstream waits for after the opening, as JSON text. */
  readonly opened: string | undefined
  /** The notification that nobody waits for an answer any more, as JSON text; none where hanging up says so. */
  cancelled(id: RequestId, reason: string): string | undefined
  /** Has the upstream of a session send log messages from that level on; none where each request says so itself. */
  setLevel(level: LogLevel): OwnRequest | undefined
  /** How to hear of what is wanted; only of what the handshake says it can tell. */
  follow(interests: Interests, client: ClientView): FollowPlan
  /** Reads what comes on the stream that tells of it. */
  heard(message: RpcNotification): Heard
  /** What of it an upstream with that handshake can tell. */
  honoured(interests: Interests, handshake: Handshake): Interests
  /** Names and values, in turn, that a request carries as HTTP headers. */
  headers(method: string, name: string | undefined, version: string): string[]
  /**
   * The bytes of a client's request as this era wants them, on account of that client.
   *
   * @throws {Problem} `call.state` where it comes with a state that no server of this era can have given
   */
  dress(request: RpcRequest, client: ClientView): Buffer
}

export type UpstreamEras = Readonly<Record<EraName, UpstreamEra>>

/** The other one, for an upstream that does not speak the first. */
export function otherEra(name: EraName): EraName {
  return name === 'modern' ? 'legacy' : 'modern'
}
