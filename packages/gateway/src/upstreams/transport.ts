import type { RpcRequest } from '../base/json-rpc.ts'
import type { Secret } from '../base/secret.ts'
import type { TenantId, UserId } from '../base/ids.ts'
import type { Problem } from '../base/problem.ts'
import type { ClientView } from './client.ts'
import type { EraName, Handshake } from './era.ts'
import type { Interests } from './interests.ts'
import type { StopSignal } from '../base/stop.ts'

export type { Interests, ListName } from './interests.ts'

/** For whom something is done at an upstream, and with what. The credential goes to this one upstream only. */
export interface Caller {
  readonly tenant: TenantId
  readonly userId: UserId
  readonly token: Secret | undefined
}

/** Whose something is at an upstream. */
export type Who = Pick<Caller, 'tenant' | 'userId'>

/** One request on its way to an upstream. Its functions are called on it, and not by themselves. */
export interface Exchange {
  /** The request as the upstream shall see it (its own tool name), with the client's id and progress token. */
  readonly request: RpcRequest
  /** The era the client speaks, and so the one an upstream that speaks both is best asked in. */
  readonly era: EraName
  /** Who asks, as far as an upstream may know. */
  readonly client: ClientView
  /** Named in logs on both sides. */
  readonly requestId: string
  /** `Mcp-Param-*` headers of the client, names and values in turn. */
  readonly paramHeaders: readonly string[]
  /** Aborted when the client goes away, cancels, or the deadline passes; the reason is a {@link Problem}. */
  readonly signal: StopSignal
  /** Set where the answer must be seen whole before any of it is passed on. */
  readonly whole?: boolean | undefined
  abort(reason: Problem): void
  /** Takes each notification about this request, as the bytes of one JSON-RPC message, in order, before the answer. */
  notify(message: Buffer, method: string): void
  /** Has the client answer what the upstream asks in mid-call. Never rejects: who cannot be asked gives an error. */
  ask(question: Question): Promise<Reply>
}

/** A request of the upstream's own: `elicitation/create`, `sampling/createMessage`, `roots/list`. */
export interface Question {
  readonly method: string
  /** The JSON text of its params; empty where it has none. */
  readonly params: string
}

/** What a client says to a question: the JSON text of one member, `"result":…` or `"error":…`. */
export type Reply = string & { readonly brand: 'Reply' }

/** Somebody who listens to an upstream on one user's account. */
export interface Watcher {
  readonly client: ClientView
  readonly interests: Interests
  /** Takes what the upstream tells: the bytes of one JSON-RPC notification, with its own names and URIs. */
  notify(message: Buffer, method: string): void
  /** Has the client answer what the upstream asks outside of any call. */
  ask(question: Question): Promise<Reply>
  /** Gets another credential where the one it began with is refused or gone: without, it hears nothing more then. */
  renew?(): Promise<Caller>
}

/** Somebody listening, until it is closed. */
export interface Watching {
  /**
   * Wants to hear of something else from now on; ends when the upstream has taken note.
   *
   * @returns what of it the upstream can tell.
   * @throws {Problem} `upstream.*`; what was heard before goes on.
   */
  update(interests: Interests): Promise<Interests>
  close(): void
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
  | {
      readonly kind: 'stream'
      readonly head: Buffer
      /** How many bytes there are in all, where the upstream has said so. */
      readonly length?: number | undefined
      pipe(sink: Sink): void
    }

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
   * What the upstream says of itself to such a client; it is opened for that where it is not open yet.
   *
   * @throws {Problem} `upstream.*`
   */
  describe(asking: Asking, caller: Caller): Promise<Handshake>
  /**
   * Listens for one user. Ends at once: what cannot be had now is tried again for as long as it is wanted. For lists
   * alone nothing is started that does not run; resources are subscribed to, whatever has to be started for it.
   */
  watch(watcher: Watcher, caller: Caller): Watching
  /** Tells the upstream something on the client's account, where it is open for that client: no answer is waited for. */
  tell(message: Buffer, client: ClientView, caller: Caller): void
  /**
   * When that which answers this user was started or last failed to start, in milliseconds since the epoch; 0 where
   * nothing has to be started, `undefined` where the next request starts it. Without a client, of any of the user's:
   * the newest.
   */
  startedAt(who: Who, client?: ClientView): number | undefined
  /** Ends what is held open for one user alone, since it may hold a credential that is gone. */
  forget(who: Who): Promise<void>
  /** Ends what is held open for one session of a client's. */
  forgetSession(session: string, who: Who): Promise<void>
  /** Ends everything held open, waiting for what is in flight. */
  close(): Promise<void>
}

/** What is known where something is asked on no request's behalf. */
export interface Asking {
  readonly era: EraName
  readonly client: ClientView
  readonly signal: AbortSignal
}
