import type { RequestId, RpcRequest } from '../base/json-rpc.ts'

/** The two ways MCP is spoken: each request for itself, or after a handshake. */
export type EraName = 'modern' | 'legacy'

/** What an upstream said of itself when it was opened. */
export interface Handshake {
  readonly era: EraName
  readonly version: string
}

/**
 * How the gate speaks one era toward an upstream. What differs between revisions is known only behind this
 * interface, so that the transports know none.
 */
export interface UpstreamEra {
  readonly name: EraName
  /** The method and params that ask an upstream who it is. */
  readonly opening: { readonly method: string; readonly params: string }
  /** Reads the answer to the opening; `undefined` where the upstream does not speak this era. */
  accept(answer: unknown): Handshake | undefined
  /** The notification an upstream waits for after the opening, as JSON text. */
  readonly opened: string | undefined
  /** The notification that nobody waits for an answer any more, as JSON text; none where hanging up says so. */
  cancelled(id: RequestId, reason: string): string | undefined
  /** Names and values, in turn, that a request carries as HTTP headers. */
  headers(method: string, name: string | undefined, version: string): string[]
  /** The bytes of a client's request as this era wants them. */
  dress(request: RpcRequest): Buffer
}

export type UpstreamEras = Readonly<Record<EraName, UpstreamEra>>

/** The other one, for an upstream that does not speak the first. */
export function otherEra(name: EraName): EraName {
  return name === 'modern' ? 'legacy' : 'modern'
}
