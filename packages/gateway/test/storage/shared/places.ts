import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, onTestFinished, vi } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { systemRandom } from '../../../src/base/ids.ts'
import type { Log } from '../../../src/base/log.ts'
import { secret } from '../../../src/base/secret.ts'
import type { Bus } from '../../../src/storage/shared/bus.ts'
import { createHub, createMemoryBus } from '../../../src/storage/shared/memory-bus.ts'
import { openShared, type Shared } from '../../../src/storage/shared/open.ts'
import { createRelay, type Relay } from '../../../src/storage/shared/relay.ts'
import { openBreakable } from '../../stores/breakable.ts'
import { quiet } from '../../stores/quiet.ts'

export const REDIS = process.env['SEKISHO_TEST_REDIS'] ?? 'redis://127.0.0.1:6379'

/** What a process has of the others. */
export interface Process {
  readonly bus: Bus
  readonly relay: Relay
  close(): Promise<void>
}

const isThere = await answers()
/** In CI its tests fail instead of being left out. */
export const withoutRedis = !isThere && process.env['CI'] !== 'true'

async function answers(): Promise<boolean> {
  const { hostname, port } = new URL(REDIS)
  const socket = connect({ host: hostname, port: Number(port || 6379) })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    console.warn(`Redis is not at ${REDIS}: set SEKISHO_TEST_REDIS. Its tests are left out, or fail in CI.`)
    return false
  } finally {
    socket.destroy()
  }
}

/** Runs the tests on both: in memory, where two buses on one hub are as two processes, and on Redis. */
export function eachBus(tests: (openProcesses: (count: number) => Promise<Process[]>) => void): void {
  describe('in memory', () => {
    tests(openInMemory)
  })
  describe.skipIf(withoutRedis)('on Redis', () => {
    tests((count) => openOnRedis(count))
  })
}

async function openInMemory(count: number): Promise<Process[]> {
  const hub = createHub()
  return Array.from({ length: count }, () => {
    const bus = createMemoryBus({ hub })
    const relay = createRelay(bus, { log: quiet })
    const close = async () => {
      relay.close()
      await bus.close()
    }
    onTestFinished(close)
    return { bus, relay, close }
  })
}

export interface OnRedis {
  readonly redisUrl?: string
  readonly database?: string
  readonly log?: Log
}

/** Opens processes that serve one database, which is no other test's. */
export async function openOnRedis(count: number, given: OnRedis = {}): Promise<Shared[]> {
  const { redisUrl = REDIS, database = newDatabase(), log = quiet } = given
  return Promise.all(Array.from({ length: count }, () => openOne({ redisUrl, database, log })))
}

async function openOne({ redisUrl, database, log }: Required<OnRedis>): Promise<Shared> {
  const shared = await openShared({
    redisUrl: secret(redisUrl),
    databaseUrl: secret(database),
    clock: systemClock,
    random: systemRandom,
    log,
  })
  onTestFinished(() => shared.close())
  return shared
}

/** Waits until that holds; the machine that runs the tests may have much to do. */
export function eventually(holds: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(holds, 20_000)
}

export function newDatabase(): string {
  return `postgres://127.0.0.1/test_${randomBytes(8).toString('hex')}`
}

/** A way to Redis that can be cut, as when Redis is restarted, or fall silent, as when a network does. */
export async function openBreakableRedis() {
  const { port, ...way } = await openBreakable(new URL(REDIS), 6379)
  return { redisUrl: `redis://127.0.0.1:${port}`, ...way }
}

/** A log that remembers what happened, and can be waited for. */
export function createListeningLog() {
  const events: string[] = []
  const waiting = new Map<string, () => void>()
  const note = (_facts: object, event: string) => {
    events.push(event)
    waiting.get(event)?.()
  }
  return {
    log: { debug: note, info: note, warn: note, error: note } satisfies Log,
    events,
    async heard(event: string): Promise<void> {
      if (events.includes(event)) return
      await new Promise<void>((resolve) => waiting.set(event, resolve))
    },
  }
}
