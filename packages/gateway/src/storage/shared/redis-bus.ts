import type { Random } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import { problem } from '../../base/problem.ts'
import { createRecent } from '../../base/recent.ts'
import type { Secret } from '../../base/secret.ts'
import type { Bus } from './bus.ts'
import { openRedisLink, type RedisLink } from './redis-link.ts'
import { createTopics } from './topics.ts'

export interface RedisBusNeeds {
  readonly redisUrl: Secret
  /** What all keys and channels begin with: it names the database whose processes these are. */
  readonly prefix: string
  readonly instance: string
  readonly log: Log
  readonly random: Random
}

export interface RedisBus extends Bus {
  readonly link: RedisLink
  /** What a script has to publish for a topic, for every process that hears it to take it. */
  message(topic: string): { readonly channel: string; readonly sender: string }
  onBack(told: () => void): void
  /** The other processes that hear a topic beginning with this; what follows is their instance. */
  othersAt(start: string): Promise<string[]>
}

const ALIVE_MS = 5_000
const KNOWN_MS = 500
const KNOWN_PROCESSES = 1_000

/**
 * Carries messages over Redis' publish and subscribe. What this process tells itself goes no detour, and so works
 * while Redis is away.
 *
 * @throws {Problem} `shared.unreachable` where Redis does not answer at the start
 */
export async function openRedisBus({ prefix, instance, log, ...needs }: RedisBusNeeds): Promise<RedisBus> {
  const known = createRecent<string, { readonly lives: Promise<boolean>; readonly at: number }>(KNOWN_PROCESSES)
  const told: (() => void)[] = []
  const topics = createTopics({
    emptied: (topic) => link.unhear(channelOf(topic)),
    failed: (error, topic) => log.error({ error, topic: topic.split('.')[0] }, 'shared.listener_failed'),
  })
  let backAt = -Infinity
  const link = await openRedisLink({
    ...needs,
    name: `sekisho-${instance}`,
    log,
    beat: (send) => send('SET', aliveKey(instance), '1', 'PX', String(ALIVE_MS)),
    channels: () => topics.names().map(channelOf),
    take(channel, message) {
      const sender = message.toString('latin1', 0, instance.length)
      if (sender !== instance) topics.deliver(channel.slice(prefix.length), message.subarray(instance.length))
    },
    onBack() {
      backAt = performance.now()
      known.clear()
      for (const tell of told) tell()
    },
  })

  function channelOf(topic: string): string {
    return `${prefix}${topic}`
  }

  function aliveKey(asked: string): string {
    return `${prefix}alive.${asked}`
  }

  async function ask(asked: string): Promise<boolean> {
    const lives = (await link.send<number>('EXISTS', aliveKey(asked))) === 1
    // Redis may have come back without what it held: who lives has said so again by then.
    if (!lives && performance.now() - backAt < ALIVE_MS) throw problem('shared.unreachable')
    return lives
  }

  return {
    instance,
    link,
    message: (topic) => ({ channel: channelOf(topic), sender: '-'.repeat(instance.length) }),
    onBack: (tell) => void told.push(tell),
    async othersAt(start) {
      const channels = await link.send<Buffer[]>('PUBSUB', 'CHANNELS', `${channelOf(start)}*`)
      return channels
        .map((channel) => channel.toString().slice(channelOf(start).length))
        .filter((id) => id !== instance)
    },
    async publish(topic, payload) {
      if (topics.has(topic)) queueMicrotask(() => topics.deliver(topic, payload))
      await link.send('PUBLISH', channelOf(topic), Buffer.concat([Buffer.from(instance, 'latin1'), payload]))
    },
    async subscribe(topic, take) {
      const stop = topics.add(topic, take)
      await link.hear(channelOf(topic))
      return stop
    },
    async isAlive(asked) {
      if (asked === instance) return true
      const now = performance.now()
      const held = known.get(asked)
      if (held !== undefined && now - held.at < KNOWN_MS) return held.lives
      const lives = ask(asked)
      known.set(asked, { lives, at: now })
      lives.catch(() => known.delete(asked))
      return lives
    },
    async close() {
      topics.clear()
      await link.close('DEL', aliveKey(instance))
    },
  }
}
