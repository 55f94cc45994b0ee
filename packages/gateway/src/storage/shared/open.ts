import { hash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import type { Secret } from '../../base/secret.ts'
import type { Bus } from './bus.ts'
import type { Counters } from './counters.ts'
import type { EventLog } from './event-log.ts'
import { createInstance } from './instance.ts'
import { createMemoryBus } from './memory-bus.ts'
import { createMemoryEventLog } from './memory-event-log.ts'
import { createMemoryCounters } from './memory.ts'
import { createRelay, type Relay } from './relay.ts'

/** What the processes of one gate share. */
export interface Shared {
  /** Names this process among them; another after every start. */
  readonly instance: string
  readonly bus: Bus
  readonly relay: Relay
  readonly events: EventLog
  readonly counters: Counters
  /** The other processes that can be asked now. @throws {Problem} `shared.unreachable` */
  others(): Promise<readonly string[]>
  /** Says goodbye to the others, so that none waits for this process. Never rejects. */
  close(): Promise<void>
}

export interface SharedNeeds {
  /** Without it this process is the only one. */
  readonly redisUrl: Secret | undefined
  /** Which database the processes serve: others that use the same Redis for another one hear nothing of these. */
  readonly databaseUrl: Secret | undefined
  readonly schema?: string | undefined
  /** In place of a name made by chance. */
  readonly instance?: string | undefined
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
}

/**
 * Opens what processes share: in Redis where there is one, else in memory.
 *
 * @throws {Problem} `shared.unreachable` where Redis does not answer
 */
export async function openShared(needs: SharedNeeds): Promise<Shared> {
  const { redisUrl, databaseUrl, schema, instance = createInstance(needs.random), ...world } = needs
  if (redisUrl === undefined) return openMemory({ ...world, instance })
  // The driver is not small: loaded only where it is used.
  const { openRedis } = await import('./redis.ts')
  return openRedis({ ...world, instance, redisUrl, prefix: prefixOf(databaseUrl, schema) })
}

function openMemory({ clock, log, random, instance }: Omit<SharedNeeds, 'redisUrl' | 'databaseUrl'>): Shared {
  const bus = createMemoryBus({ random, ...(instance === undefined ? {} : { instance }) })
  const relay = createRelay(bus, { log })
  const events = createMemoryEventLog({ clock })
  return {
    instance: bus.instance,
    bus,
    relay,
    events,
    counters: createMemoryCounters(clock),
    others: () => Promise.resolve([]),
    async close() {
      relay.close()
      await events.close()
      await bus.close()
    },
  }
}

/**
 * Begins every key and channel of one database: made of where it is and of its schema, not of who signs in there or
 * how, which may differ between processes. Nothing of it can be read back.
 */
function prefixOf(databaseUrl: Secret | undefined, schema = ''): string {
  const url = URL.parse(databaseUrl?.reveal() ?? '')
  const { hostname, port, pathname } = url ?? { hostname: '', port: '', pathname: '' }
  const given = ['host', 'port', 'options'].map((name) => url?.searchParams.get(name) ?? '')
  const place = JSON.stringify([hostname.toLowerCase(), port || '5432', pathname, ...given, schema])
  return `sekisho.${hash('sha256', place, 'hex').slice(0, 16)}.`
}
