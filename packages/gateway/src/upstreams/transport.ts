import type { RpcRequest } from '../base/json-rpc.ts'
import type { Secret } from '../base/secret.ts'
import type { TenantId, UserId } from '../base/ids.ts'
import type { Problem } from '../base/problem.ts'
import type { EraName } from './era.ts'

/** For whom something is done at an upstream, and with what. The credential goes to this one upstream only. */
export interface Caller {
  readonly tenant: TenantId
  readonly userId: UserId
  readonly token: Secret | undefined
}

/** Whose something is at an upstream. */
export type Who = Pick<Caller, 'tenant' | 'userId'>

/** One request on its way to an upstream. */
export interface Exchange {
  /** The request as the upstream shall see it (its own tool name), with the client's id and progress token. */
  readonly request: RpcRequest
  /** The era the client speaks, and so the one an upstream that speaks both is best asked in. */
  readonly era: EraName
  /** Named in logs on both sides. */
  readonly requestId: string
  /** `Mcp-Param-*` headers of the client, names and values in turn. */
  readonly paramHeaders: readonly string[]
  /** Aborted when the client goes away, cancels, or the deadline passes; the reason is a {@link Problem}. */
  readonly signal: AbortSignal
  abort(reason: Problem): void
  /** Takes each notification about this request, as the bytes of one JSON-RPC message, in order, before the answer. */
  notify(message: Buffer): void
}

/** What came back: the bytes of one JSON-RPC response, with the request's own id, as its era has it. */
export type Answer =
  | {
      readonly kind: 'whole'
      readonly bytes: Buffer
      readonly era: EraName
      /** The HTTP status it came with: some errors have one of their own. */
      readonly status: number
    }
  /** Too big to hold: the first bytes, and the rest as it comes. Only ever in the era that was asked for. */
  | { readonly kind: 'stream'; readonly head: Buffer; pipe(sink: Sink): void }

/** Takes the rest of a streamed answer. `write` answers false to be given a rest until `resume` is called. */
export interface Sink {
  write(chunk: Buffer, resume: () => void): boolean
  end(): void
  fail(error: unknown): void
}

/** The same answer, with a function to be called once when its last byte has been handed on, or none will come. */
export function onceOver(answer: Answer & { readonly kind: 'stream' }, over: () => void): Answer {
  const pipe = (sink: Sink) =>
    answer.pipe({
      write: sink.write,
      end() {
        over()
        sink.end()
      },
      fail(error) {
        over()
        sink.fail(error)
      },
    })
  return { ...answer, pipe }
}

/** A way to reach one upstream: Streamable HTTP, stdio, or built in. */
export interface Transport {
  /**
   * Sends a request and answers with the upstream's response.
   *
   * @throws {Problem} `upstream.*` where no response came; a response that is a JSON-RPC error is an answer.
   */
  send(exchange: Exchange, caller: Caller): Promise<Answer>
  /**
   * When that which answers this user was started or last failed to start, in milliseconds since the epoch; 0 where
   * nothing has to be started, `undefined` where the next request starts it.
   */
  startedAt(who: Who): number | undefined
  /** Ends what is held open for one user alone, since it may hold a credential that is gone. */
  forget(who: Who): Promise<void>
  /** Ends everything held open, waiting for what is in flight. */
  close(): Promise<void>
}
