import type { UpstreamId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import type { UpstreamDefinition } from './definition.ts'
import { onceOver, type Answer, type Caller, type Exchange, type Sink, type Transport, type Who } from './transport.ts'

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
  /** As {@link Transport.startedAt} has it. */
  startedAt(id: UpstreamId, who: Who): number | undefined
  /** Ends what is held open for one user alone, at one upstream or at all of them. */
  forget(who: Who, id?: UpstreamId): Promise<void>
  close(): Promise<void>
}

/** Puts every upstream of the configuration behind one door. */
export function createUpstreams(
  definitions: readonly UpstreamDefinition[],
  open: (definition: UpstreamDefinition) => Transport,
): Upstreams {
  const entries = new Map(definitions.map((definition) => [definition.id, { definition, transport: open(definition) }]))

  function entry(id: UpstreamId) {
    const found = entries.get(id)
    if (!found) throw problem('upstream.unknown', { server: id })
    return found
  }

  return {
    definitions,
    find: (id) => entries.get(id)?.definition,
    async call(id, exchange, caller) {
      const { definition, transport } = entry(id)
      const deadline = startDeadline(definition, exchange)
      const notify = (message: Buffer) => {
        deadline.moveOn()
        exchange.notify(message)
      }
      try {
        const { request, era, requestId, paramHeaders, signal, abort } = exchange
        const watchedExchange = { request, era, requestId, paramHeaders, signal, abort, notify }
        const answer = await transport.send(watchedExchange, caller)
        if (answer.kind === 'stream') return onceOver(watched(answer, deadline), deadline.end)
        deadline.end()
        return answer
      } catch (error) {
        deadline.end()
        throw error
      }
    },
    startedAt: (id, who) => entry(id).transport.startedAt(who),
    async forget(who, only) {
      const meant = [...entries].filter(([id]) => only === undefined || only === id)
      await Promise.all(meant.map(([, { transport }]) => transport.forget(who)))
    },
    async close() {
      await Promise.all([...entries.values()].map(({ transport }) => transport.close()))
    },
  }
}

interface Deadline {
  moveOn(): void
  end(): void
}

/** @see MCP 2025-11-25, basic/lifecycle#timeouts: a maximum is enforced whatever progress is told. */
const DEADLINES_MOST = 10

function startDeadline({ id, timeoutMs }: UpstreamDefinition, { abort }: Exchange): Deadline {
  const longestMs = timeoutMs * DEADLINES_MOST
  const startedAt = performance.now()
  const timer = setTimeout(() => expire(timeoutMs), timeoutMs)
  let ended = false

  function expire(milliseconds: number): void {
    abort(problem('upstream.timeout', { server: id, seconds: milliseconds / 1000 }))
  }

  return {
    moveOn() {
      if (ended) return
      if (performance.now() - startedAt > longestMs) expire(longestMs)
      else timer.refresh()
    },
    end() {
      ended = true
      clearTimeout(timer)
    },
  }
}

/** A client that takes nothing stops the pieces, and so the deadline from moving on. */
function watched(answer: Answer & { readonly kind: 'stream' }, { moveOn }: Deadline) {
  const pipe = (sink: Sink) =>
    answer.pipe({
      ...sink,
      write(chunk, resume) {
        moveOn()
        return sink.write(chunk, resume)
      },
    })
  return { ...answer, pipe }
}
