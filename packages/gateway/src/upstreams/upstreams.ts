import type { UpstreamId } from '../base/ids.ts'
import { problem, type Problem } from '../base/problem.ts'
import { createBreaker } from './breaker.ts'
import type { UpstreamDefinition } from './definition.ts'
import type { ClientView } from './client.ts'
import { createDeadlines, type Deadline } from './deadlines.ts'
import type { Handshake } from './era.ts'
import {
  onceOver,
  type Answer,
  type Asking,
  type Caller,
  type Exchange,
  type Question,
  type Reply,
  type Sink,
  type Transport,
  type Watcher,
  type Watching,
  type Who,
} from './transport.ts'

export interface Upstreams {
  readonly definitions: readonly UpstreamDefinition[]
  find(id: UpstreamId): UpstreamDefinition | undefined
  /**
   * Calls an upstream, whatever its transport, with a deadline that every sign of life moves on: a notification,
   * a piece of a long answer. A call that goes on and on is ended after ten deadlines.
   *
   * @throws {Problem} `upstream.*`, or the reason the exchange was aborted for.
   */
  call(id: UpstreamId, exchange: Exchange, caller: Caller): Promise<Answer>
  /** As {@link Transport.describe} has it. */
  describe(id: UpstreamId, asking: Asking, caller: Caller): Promise<Handshake>
  /** As {@link Transport.watch} has it. */
  watch(id: UpstreamId, watcher: Watcher, caller: Caller): Watching
  /** As {@link Transport.tell} has it. */
  tell(id: UpstreamId, message: Buffer, client: ClientView, caller: Caller): void
  /** As {@link Transport.startedAt} has it. */
  startedAt(id: UpstreamId, who: Who, client?: ClientView): number | undefined
  /** Ends what is held open for one user alone, at one upstream or at all of them. */
  forget(who: Who, id?: UpstreamId): Promise<void>
  /** Ends what is held open for one session of a client's, at all of them. */
  forgetSession(session: string, who: Who): Promise<void>
  close(): Promise<void>
}

/** Puts every upstream of the configuration behind one door. */
export function createUpstreams(
  definitions: readonly UpstreamDefinition[],
  open: (definition: UpstreamDefinition) => Transport,
  clock: { now(): number },
): Upstreams {
  const entries = new Map(
    definitions.map((definition) => {
      const breaker = createBreaker(definition.id, clock)
      return [definition.id, { definition, breaker, transport: open(definition) }]
    }),
  )

  const start = createDeadlines()

  function entry(id: UpstreamId) {
    const found = entries.get(id)
    if (!found) throw problem('upstream.unknown', { server: id })
    return found
  }

  return {
    definitions,
    find: (id) => entries.get(id)?.definition,
    async call(id, exchange, caller) {
      const { definition, breaker, transport } = entry(id)
      breaker.check()
      const deadline = start(definition, exchange)
      try {
        const answer = await transport.send(timed(exchange, deadline), caller)
        breaker.worked()
        if (answer.kind === 'stream') return onceOver(watched(answer, deadline), () => deadline.end())
        deadline.end()
        return answer
      } catch (error) {
        deadline.end()
        breaker.failed(error)
        throw error
      }
    },
    async describe(id, asking, caller) {
      const { definition, breaker, transport } = entry(id)
      breaker.check()
      const controller = new AbortController()
      const abort = (reason: Problem) => controller.abort(reason)
      const deadline = start(definition, { abort })
      const signal = AbortSignal.any([asking.signal, controller.signal])
      try {
        const handshake = await transport.describe({ ...asking, signal }, caller)
        breaker.passed()
        return handshake
      } catch (error) {
        breaker.failed(error)
        throw error
      } finally {
        deadline.end()
      }
    },
    watch: (id, watcher, caller) => entry(id).transport.watch(watcher, caller),
    tell: (id, message, client, caller) => entry(id).transport.tell(message, client, caller),
    startedAt: (id, who, client) => entry(id).transport.startedAt(who, client),
    async forget(who, only) {
      const meant = [...entries].filter(([id]) => only === undefined || only === id)
      await Promise.all(meant.map(([, { transport }]) => transport.forget(who)))
    },
    async forgetSession(session, who) {
      await Promise.all([...entries.values()].map(({ transport }) => transport.forgetSession(session, who)))
    },
    async close() {
      await Promise.all([...entries.values()].map(({ transport }) => transport.close()))
    },
  }
}

interface Timed extends Exchange {
  readonly asked: Exchange
  readonly deadline: Deadline
}

/** Every sign of life moves the deadline on; while the client is asked something, nobody waits for the upstream. */
function timed(asked: Exchange, deadline: Deadline): Timed {
  return {
    asked,
    deadline,
    request: asked.request,
    era: asked.era,
    client: asked.client,
    requestId: asked.requestId,
    paramHeaders: asked.paramHeaders,
    signal: asked.signal,
    whole: asked.whole,
    abort: abortAsked,
    notify: notifyAsked,
    ask: askAsked,
  }
}

function abortAsked(this: Timed, reason: Problem): void {
  this.asked.abort(reason)
}

function notifyAsked(this: Timed, message: Buffer, method: string): void {
  this.deadline.moveOn()
  this.asked.notify(message, method)
}

async function askAsked(this: Timed, question: Question): Promise<Reply> {
  this.deadline.rest()
  try {
    return await this.asked.ask(question)
  } finally {
    this.deadline.goOn()
  }
}

/** A client that takes nothing stops the pieces, and so the deadline from moving on. */
function watched(answer: Answer & { readonly kind: 'stream' }, deadline: Deadline) {
  const pipe = (sink: Sink) =>
    answer.pipe({
      ...sink,
      write(chunk, resume) {
        deadline.moveOn()
        return sink.write(chunk, resume)
      },
    })
  return { ...answer, pipe }
}
