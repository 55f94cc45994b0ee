import type { Clock } from '../../base/clock.ts'
import type { RpcNotification } from '../../base/json-rpc.ts'
import type { Log } from '../../base/log.ts'
import { createRecent } from '../../base/recent.ts'
import type { Greet } from './child.ts'
import type { ChildEvent } from './events.ts'
import { fingerprintOf, type Launch } from './launch.ts'
import { keyOf, type Owner } from './owner.ts'
import { createProcessTable } from './processes.ts'
import { startProgram } from './program.ts'
import { createRecords } from './records.ts'
import { createRing, type Ring } from './ring.ts'
import { createSeats, type Seats } from './seats.ts'
import type { ChildrenSettings } from './settings.ts'

export type { ChildView } from './seats.ts'

/** The stdio children of a gate. */
export interface Children extends Seats<Launch> {
  /** What the owner's children wrote to stderr, also after their end. Only to be shown to the owner, or the operator for a shared one. */
  logs(owner: Owner): string
}

export interface ChildrenNeeds {
  readonly clock: Clock
  readonly log: Log
  readonly settings: ChildrenSettings
  /** Where it is written down which processes live. */
  readonly stateDir: string
  readonly greet: Greet
  onEvent?(event: ChildEvent): void
  /** A notification that belongs to no call. */
  onNotification?(message: RpcNotification, owner: Owner): void
}

/** Of how many owners without a child the log is kept. */
const KEPT_LOGS = 256

/** Servers that are processes: watched for what they take, and what they complain of is kept. */
export function createChildren(needs: ChildrenNeeds): Children {
  const { clock, log, settings, stateDir } = needs
  const processes = createProcessTable()
  const records = createRecords({ stateDir, processes, log })
  const rings = createRecent<string, Ring>(settings.maxChildren + KEPT_LOGS)
  const seats = createSeats<Launch>({
    clock,
    log,
    settings,
    greet: needs.greet,
    failures: { failed: 'upstream.start_failed', slow: 'upstream.start_timeout' },
    fingerprintOf,
    run: (launch, place, hearing) => startProgram({ ...hearing, launch, processes, records, ring: ringOf(place) }),
    onEvent: (event) => needs.onEvent?.(event),
    onNotification: (message, owner) => needs.onNotification?.(message, owner),
  })

  if (!processes.supported) log.debug({ platform: process.platform }, 'children.memory_not_sampled')
  const sampler = setInterval(() => void seats.look(), settings.sampleMs)
  sampler.unref()

  function ringOf(owner: Owner): Ring {
    const key = keyOf(owner)
    const ring = rings.get(key) ?? createRing(settings.logBytes)
    rings.set(key, ring)
    return ring
  }

  return {
    ...seats,
    logs: (owner) => rings.get(keyOf(owner))?.read() ?? '',
    async close() {
      clearInterval(sampler)
      await seats.close()
    },
  }
}
