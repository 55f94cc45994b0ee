import type { Clock } from '../../base/clock.ts'
import { eventBounds, type EventBounds } from './event-bounds.ts'
import type { EventLog, Followed } from './event-log.ts'
import type { RedisBus } from './redis-bus.ts'
import { createFollowing } from './redis-following.ts'
import { script } from './redis-link.ts'

export interface RedisEventLogNeeds {
  readonly bus: RedisBus
  readonly prefix: string
  readonly clock: Clock
  /** In place of the usual bounds. */
  readonly bounds?: Partial<EventBounds>
}

/** What the writer of a stream knows of it, so that it can say what goes. */
interface Written {
  readonly sizes: number[]
  bytes: number
  last: number
  writtenAt: number
}

const SWEEP_MS = 60_000

/**
 * A stream of Redis for each stream: event 5 is entry `5-0`, and the end after it entry `5-1`. Every entry names its
 * writer (`w`), so that whoever follows knows whose life to watch.
 */
const append = script(`
redis.call('XADD', KEYS[1], ARGV[1], 'w', ARGV[2], 'e', ARGV[3])
redis.call('XTRIM', KEYS[1], 'MINID', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('PUBLISH', ARGV[6], ARGV[7])
`)

const finish = script(`
redis.call('XADD', KEYS[1], ARGV[1], 'w', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PUBLISH', ARGV[4], ARGV[5])
`)

/** Keeps the events of streams in Redis, where every process of the gate can read them. */
export function createRedisEventLog({ bus, prefix, clock, bounds }: RedisEventLogNeeds): EventLog {
  const most = { ...eventBounds, ...bounds }
  const streams = new Map<string, Written>()
  const following = createFollowing({ bus, keyOf, topicOf })
  const timer = setInterval(sweep, SWEEP_MS).unref()

  function keyOf(stream: string): string {
    return `${prefix}events.${stream}`
  }

  /** By then Redis has forgotten them too. */
  function sweep(): void {
    const old = clock.now() - most.keptMs
    for (const [name, { writtenAt }] of streams) if (writtenAt < old) streams.delete(name)
  }

  function note(stream: string, at: number, size: number): Written {
    const written = streams.get(stream) ?? { sizes: [], bytes: 0, last: 0, writtenAt: 0 }
    streams.set(stream, written)
    written.sizes.push(size)
    written.bytes += size
    while (written.sizes.length > most.events || written.bytes > most.bytes) written.bytes -= written.sizes.shift() ?? 0
    written.last = at
    written.writtenAt = clock.now()
    return written
  }

  return {
    async append(stream, at, event) {
      const { sizes } = note(stream, at, event.length)
      const oldest = at - sizes.length + 1
      const { channel, sender } = bus.message(topicOf(stream))
      const entry = [`${at}-0`, bus.instance, event, `${oldest}-0`]
      await bus.link.run(append, [keyOf(stream)], [...entry, String(most.keptMs), channel, sender])
    },
    async finish(stream) {
      const written = streams.get(stream)
      if (!streams.delete(stream) || written === undefined) return
      const { channel, sender } = bus.message(topicOf(stream))
      const entry = [`${written.last}-1`, bus.instance]
      await bus.link.run(finish, [keyOf(stream)], [...entry, String(most.keptMs), channel, sender])
    },
    follow: (...what): Promise<Followed> => following.follow(...what),
    async close() {
      clearInterval(timer)
      following.close()
    },
  }
}

const topicOf = (stream: string) => `events.${stream}`
