import type { IncomingHttpHeaders } from 'node:http'
import type { RpcMessage, RpcRequest } from '../../base/json-rpc.ts'
import type { Problem } from '../../base/problem.ts'
import type { EraName } from '../../upstreams/era.ts'

/** What a method asks of the gate, whatever the era calls it. */
export type Operation = 'open' | 'ping' | 'tools.list' | 'tools.call'

/** How one era is spoken with a client: read a message, write what comes back. */
export interface ClientEra {
  readonly name: EraName
  /**
   * Checks what the era asks of a message and its headers.
   *
   * @throws {Problem} `request.header_mismatch`, `request.version_unsupported`, `request.params`
   */
  check(message: RpcMessage, headers: IncomingHttpHeaders): void
  /** Methods that are gone from an era are absent here, and so unknown by themselves. */
  readonly operations: Readonly<Record<string, Operation>>
  /** The result of the opening request, as JSON text; `instructions` are for the model behind the client. */
  opening(instructions: string | undefined, params: Readonly<Record<string, unknown>> | undefined): string
  /** Headers that come with it, names and values in turn. */
  openingHeaders(params: Readonly<Record<string, unknown>> | undefined): readonly string[]
  /** Whether the client has its user open an address in a browser when it is asked to in place of an answer. */
  opensAddresses(message: RpcRequest, sessionId: string | undefined): boolean
  /** Asks for that. */
  askToOpen(address: Address): AskedToOpen
  /** What the client says to having been asked, in a request that comes again; `undefined` in any other. */
  readOpened(message: RpcRequest): Opened | undefined
  /** The result of a ping. */
  readonly pong: string
  /** A page of tools as a result; `tools` is the inside of a JSON array. */
  toolsPage(tools: Buffer, nextCursor: string | undefined, ttlMs: number): Buffer
  /** A result of the gate's own, with what the era asks of every result; `members` is the inside of a JSON object. */
  result(members: string): string
  /** The HTTP status of an operation that failed; what fails before it has the status of its row. */
  failureStatus(failure: Problem): number
  /** The HTTP status of an upstream's own answer of this era, which came with `status`. */
  answerStatus(status: number): number
  /** An answer that came in the other era, as this one wants it. */
  adopt(answer: Buffer): Buffer
}

/** An address that a user should open in a browser, and why. */
export interface Address {
  readonly url: string
  readonly message: string
}

/** In place of the answer: a result, or an error of the protocol with what belongs into its `data`. */
export type AskedToOpen =
  | { readonly kind: 'result'; readonly result: string }
  | { readonly kind: 'error'; readonly code: number; readonly data: Readonly<Record<string, unknown>> }

export interface Opened {
  /** Whether the user was willing; that they have done what the page is for is not said by it. */
  readonly accepted: boolean
  /** The request without what was said to the gate alone. */
  readonly request: RpcRequest
}

/** A failure the model should read: the result of a tool that did not work. */
export function toolFailure(era: ClientEra, failure: Problem, publicError: object): string {
  const text = JSON.stringify(`${failure.message} ${failure.fix}`)
  return era.result(
    `"content":[{"type":"text","text":${text}}],"isError":true,"_meta":{"dev.sekisho/error":${JSON.stringify(publicError)}}`,
  )
}
