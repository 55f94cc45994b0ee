import type { TenantId, UpstreamId, UserId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import type { UpstreamDefinition } from './definition.ts'
import type { Answer, Caller, Exchange, Transport, TransportState } from './transport.ts'

export interface Upstreams {
  readonly definitions: readonly UpstreamDefinition[]
  find(id: UpstreamId): UpstreamDefinition | undefined
  /**
   * Calls an upstream, whatever its transport, with a deadline that every sign of life moves on.
   *
   * @throws {Problem} `upstream.*`, or the reason the exchange was aborted for.
   */
  call(id: UpstreamId, exchange: Exchange, caller: Caller): Promise<Answer>
  state(id: UpstreamId, who: { readonly tenant: TenantId; readonly userId: UserId }): TransportState
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
      const timer = setTimeout(() => exchange.abort(timedOut(definition)), definition.timeoutMs)
      const notify = (message: Buffer) => {
        timer.refresh()
        exchange.notify(message)
      }
      try {
        return await transport.send({ ...exchange, notify }, caller)
      } finally {
        clearTimeout(timer)
      }
    },
    state: (id, who) => entry(id).transport.state(who),
    async close() {
      await Promise.all([...entries.values()].map(({ transport }) => transport.close()))
    },
  }
}

function timedOut({ id, timeoutMs }: UpstreamDefinition) {
  return problem('upstream.timeout', { server: id, seconds: timeoutMs / 1000 })
}
