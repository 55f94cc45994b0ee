import { systemRandom, type Random } from '../../base/ids.ts'
import { problem } from '../../base/problem.ts'
import type { Bus } from './bus.ts'
import { createInstance } from './instance.ts'
import { createTopics, type Topics } from './topics.ts'

/** What several buses of one process hear each other on. */
export interface Hub {
  /** The buses that are open, by their instance. */
  readonly open: Map<string, Topics>
}

export function createHub(): Hub {
  return { open: new Map() }
}

export interface MemoryBusNeeds {
  readonly random?: Random
  /** Where others are to be heard. */
  readonly hub?: Hub
  /** In place of a name made by chance. */
  readonly instance?: string
}

/**
 * Carries messages within this process: all there is to carry where it serves its database alone. Two buses on one
 * hub are as two processes.
 *
 * As with any bus, nothing has arrived yet when `publish` returns, and what one sender sends arrives in its order.
 */
export function createMemoryBus(needs: MemoryBusNeeds = {}): Bus {
  const { random = systemRandom, hub = createHub(), instance = createInstance(random) } = needs
  const topics = createTopics()
  hub.open.set(instance, topics)
  return {
    instance,
    async publish(topic, payload) {
      if (!hub.open.has(instance)) throw problem('shared.unreachable')
      for (const each of hub.open.values()) queueMicrotask(() => each.deliver(topic, payload))
    },
    subscribe: async (topic, take) => topics.add(topic, take),
    isAlive: async (asked) => hub.open.has(asked),
    async close() {
      hub.open.delete(instance)
      topics.clear()
    },
  }
}
