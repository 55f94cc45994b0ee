import type { IncomingHttpHeaders } from 'node:http'
import type { RpcMessage, RpcRequest } from '../../base/json-rpc.ts'
import type { Problem } from '../../base/problem.ts'
import type { ClientView } from '../../upstreams/client.ts'
import type { EraName, Handshake } from '../../upstreams/era.ts'
import type { Operation } from './operations.ts'

/** How one era is spoken with a client: read a message, write what comes back. */
export interface ClientEra {
  readonly name: EraName
  /**
   * Checks what the era asks of a message and its headers.
   *
   * @throws {Problem} `request.header_mismatch`, `request.version_unsupported`, `request.params`
   */
  check(message: RpcMessage, headers: IncomingHttpHeaders): void
  /** The methods of the era; `undefined` where it has none of that name, and never will. */
  operation(method: string): Operation | undefined
  /** What upstreams are told of the client, where the request says so itself. */
  clientOf(message: RpcRequest): ClientView
  /**
   * The result of the opening request, as JSON text; `instructions` are for the model behind the client. With a
   * server's own handshake it speaks for that server alone, as far as the gate can carry it.
   */
  opening(instructions: string | undefined, params: Params, server: Handshake | undefined): string
  /** Whether the client has its user open an address in a browser when it is asked to in place of an answer to that method. */
  opensAddresses(client: ClientView, method: string): boolean
  /** Asks for that. */
  askToOpen(address: Address): AskedToOpen
  /** What the client says to having been asked, in a request that comes again; `undefined` in any other. */
  readOpened(message: RpcRequest): Opened | undefined
  /** The result of a ping, or of anything else that has nothing to say. */
  readonly nothing: string
  /** A page of a list as a result; `items` is the inside of a JSON array, `rest` of an object: members beside it. */
  listPage(member: string, items: Buffer, hints: PageHints): Buffer
  /** A result of the gate's own, with what the era asks of every result; `members` is the inside of a JSON object. */
  result(members: string): string
  /** The HTTP status of an operation that failed; what fails before it has the status of its row. */
  failureStatus(failure: Problem): number
  /** The HTTP status of an upstream's own answer of this era, which came with `status`. */
  answerStatus(status: number): number
  /** The answer to a request that came in the other era, as this one wants it. */
  adopt(answer: Buffer, request: RpcRequest): Buffer
}

type Params = Readonly<Record<string, unknown>> | undefined

/** What a client may know of a page besides its items. */
export interface PageHints {
  readonly nextCursor: string | undefined
  /** How long it may be kept, in milliseconds. */
  readonly ttlMs: number
  readonly cacheScope: 'public' | 'private'
  /** Members that the server gave beside its list: the inside of a JSON object, empty where there are none. */
  readonly rest: string
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
