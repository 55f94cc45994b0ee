import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import { Problem, problem } from '../../base/problem.ts'
import type { Secret } from '../../base/secret.ts'
import { inWords } from '../../base/system-words.ts'
import { openRedisBus } from './redis-bus.ts'
import { createRedisCounters } from './redis-counters.ts'
import { createRedisEventLog } from './redis-event-log.ts'
import { topicOf } from './relay-lanes.ts'
import { createRelay } from './relay.ts'

export interface RedisNeeds {
  readonly redisUrl: Secret
  readonly prefix: string
  readonly instance: string
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
}

/**
 * Opens what processes share in Redis.
 *
 * @throws {Problem} `shared.not_opened` where Redis does not answer
 */
export async function openRedis({ clock, ...needs }: RedisNeeds) {
  const { prefix, instance, log } = needs
  const bus = await openRedisBus(needs).catch((cause: unknown) => {
    log.error({ error: cause }, 'shared.not_opened')
    const reason = inWords(cause instanceof Problem ? cause.cause : cause)
    throw problem('shared.not_opened', { reason, cause })
  })
  const relay = createRelay(bus, { log })
  await relay.listen()
  const others = () => bus.othersAt(topicOf(''))
  // Where there should be some and are none, the processes do not name their database alike.
  log.info({ others: (await others()).length }, 'shared.opened')
  const events = createRedisEventLog({ bus, prefix, clock })
  const counters = createRedisCounters({ bus, prefix, clock })
  return {
    instance,
    bus,
    relay,
    events,
    counters,
    others,
    async close() {
      relay.close()
      counters.close()
      await events.close()
      await bus.close()
    },
  }
}
