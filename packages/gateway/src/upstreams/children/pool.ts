import { LRUCache } from 'lru-cache'
import type { Clock } from '../../base/clock.ts'
import type { RpcNotification, RpcRequest } from '../../base/json-rpc.ts'
import type { Log } from '../../base/log.ts'
import { asProblem, problem, type Problem } from '../../base/problem.ts'
import { createBackoff, type Failed } from './backoff.ts'
import { startChild, type Channel, type Child, type ChildState, type Greet } from './child.ts'
import type { ChildEvent } from './events.ts'
import { fingerprintOf, type Launch } from './launch.ts'
import { keyOf, type Owner } from './owner.ts'
import { withSignal } from './pipes.ts'
import { createProcessTable } from './processes.ts'
import { createRecords } from './records.ts'
import { createRing, type Ring } from './ring.ts'
import type { ChildLimits, ChildrenSettings } from './settings.ts'

/** Which child is wanted, and how to start it where there is none. */
export interface Placement {
  readonly owner: Owner
  readonly launch: Launch
  /** Where the upstream has limits of its own. */
  readonly limits?: Partial<ChildLimits>
}

/** How a child stands, for status pages: nothing of what it was started with. */
export interface ChildView extends Owner {
  readonly pid: number | undefined
  readonly state: Exclude<ChildState, 'ended'> | 'failed'
  readonly since: number
  /** Calls that wait for their answer. */
  readonly pending: number
  /** Of the whole process tree, in MB of 2^20 bytes. */
  readonly rssMb?: number
  /** Why it did not start, in public words. */
  readonly failure?: string
}

/** The stdio children of a gate. */
export interface Children<Handshake> {
  /**
   * Works with the owner's child, which is started where there is none and kept until the work is done. One
   * start serves all who ask for it meanwhile; another launch than that of the running child (a replaced
   * token) starts a new one, and the old one ends after its last call.
   *
   * @throws {Problem} `upstream.start_failed`, `upstream.start_timeout`, `upstream.capacity`, `gate.stopping`, or
   * the reason of the signal.
   */
  use<T>(placement: Placement, signal: AbortSignal, work: (channel: Channel<Handshake>) => Promise<T>): Promise<T>
  /** The owner's child, or the start that failed and that none has made up for since. */
  find(owner: Owner): ChildView | undefined
  list(): readonly ChildView[]
  /** What the owner's child wrote to stderr, also after its end. Only to be shown to the owner, or the operator for a shared one. */
  logs(owner: Owner): string
  /** Ends the children of some owners, each after its last call, `drainMs` at the latest; others may start at once. */
  end(which: (owner: Owner) => boolean): Promise<void>
  /** Takes no more work, waits for what is in flight, `drainMs` at the latest, and leaves nothing behind. */
  close(): Promise<void>
}

export interface ChildrenNeeds<Handshake> {
  readonly clock: Clock
  readonly log: Log
  readonly settings: ChildrenSettings
  /** Where it is written down which processes live. */
  readonly stateDir: string
  readonly greet: Greet<Handshake>
  onEvent?(event: ChildEvent): void
  /** A notification that belongs to no call. */
  onNotification?(message: RpcNotification, owner: Owner): void
  /** A request of a server's: gives the JSON text of the whole response, or nothing to have it refused. */
  onRequest?(message: RpcRequest, owner: Owner): Promise<string> | undefined
}

/** Of how many owners without a child the log is kept. */
const KEPT_LOGS = 256

interface Seat<Handshake> {
  readonly fingerprint: string
  readonly child: Child<Handshake>
}

export function createChildren<Handshake>(needs: ChildrenNeeds<Handshake>): Children<Handshake> {
  const { clock, log, settings, stateDir } = needs
  const processes = createProcessTable()
  const records = createRecords({ stateDir, processes, log })
  const backoff = createBackoff(clock)
  const seats = new Map<string, Seat<Handshake>>()
  const living = new Set<Child<Handshake>>()
  const rings = new LRUCache<string, Ring>({ max: settings.maxChildren + KEPT_LOGS })
  let closed = false

  if (!processes.supported) log.debug({ platform: process.platform }, 'children.memory_not_sampled')
  const sampler = setInterval(() => void sample(), settings.sampleMs)
  sampler.unref()

  /** Finds or starts in one step, so that no two who ask at once can start two. */
  function require(placement: Placement): Child<Handshake> {
    if (closed) throw problem('gate.stopping')
    const key = keyOf(placement.owner)
    const fingerprint = fingerprintOf(placement.launch)
    const seat = seats.get(key)
    if (seat && takesWork(seat.child)) {
      if (seat.fingerprint === fingerprint) return seat.child
      seat.child.retire('replaced')
    }
    const failure = backoff.find(placement.owner, fingerprint)
    if (failure) throw failure
    makeRoom(placement.owner)
    return start(placement, key, fingerprint)
  }

  function start({ owner, launch, limits }: Placement, key: string, fingerprint: string): Child<Handshake> {
    const all = { ...settings, ...limits }
    const ring = rings.get(key) ?? createRing(all.logBytes)
    rings.set(key, ring)
    const child = startChild({
      owner,
      launch,
      limits: all,
      greet: needs.greet,
      clock,
      log,
      ring,
      records,
      processes,
      hooks: {
        onNotification: (message) => needs.onNotification?.(message, owner),
        onRequest: (message) => needs.onRequest?.(message, owner),
      },
      onEvent: (event) => needs.onEvent?.(event),
    })
    seats.set(key, { fingerprint, child })
    living.add(child)
    void child.ended.then(() => forget(key, child))
    child.ready.then(
      () => backoff.worked(owner),
      (error: unknown) => rememberFailure(owner, fingerprint, asProblem(error)),
    )
    return child
  }

  /** A start that the gate itself gave up says nothing of the server. */
  function rememberFailure(owner: Owner, fingerprint: string, failure: Problem): void {
    if (failure.code !== 'gate.stopping') backoff.failed(owner, fingerprint, failure)
  }

  function forget(key: string, child: Child<Handshake>): void {
    living.delete(child)
    if (seats.get(key)?.child === child) seats.delete(key)
  }

  /**
   * Within each cap, the child idle for longest makes room; one that works never does. While the old one ends,
   * the new one starts already, so for that moment there is one more.
   */
  function makeRoom({ tenant, userId }: Owner): void {
    const counted = [...living].filter(({ state }) => state !== 'ending')
    const own = counted.filter(
      ({ owner }) => userId !== undefined && owner.tenant === tenant && owner.userId === userId,
    )
    if (own.length >= settings.maxChildrenPerUser) evict(own)
    else if (counted.length >= settings.maxChildren) evict(counted)
  }

  function evict(from: readonly Child<Handshake>[]): void {
    const idle = from.filter(({ state, idleSince }) => state === 'ready' && idleSince !== undefined)
    const longest = idle.sort((a, b) => (a.idleSince ?? 0) - (b.idleSince ?? 0))[0]
    if (!longest) throw problem('upstream.capacity')
    longest.retire('evicted')
  }

  async function sample(): Promise<void> {
    await Promise.all([...living].map((child) => child.look()))
  }

  async function end(children: readonly Child<Handshake>[]): Promise<void> {
    for (const child of children) child.retire('closing', settings.drainMs)
    await Promise.all(children.map((child) => child.ended))
  }

  return {
    async use(placement, signal, work) {
      const child = require(placement)
      const release = child.hold()
      try {
        return await work(await withSignal(child.ready, signal))
      } finally {
        release()
      }
    },
    find(owner) {
      const seat = seats.get(keyOf(owner))
      const failed = backoff.last(owner)
      if (seat && (takesWork(seat.child) || !failed)) return viewOf(seat.child)
      return failed && viewOfFailed(failed)
    },
    list() {
      const failed = backoff.all().filter(({ owner }) => !seats.has(keyOf(owner)))
      return [...[...living].map(viewOf), ...failed.map(viewOfFailed)]
    },
    logs: (owner) => rings.get(keyOf(owner))?.read() ?? '',
    end: (which) => end([...living].filter(({ owner }) => which(owner))),
    async close() {
      closed = true
      clearInterval(sampler)
      await end([...living])
    },
  }
}

function takesWork({ state }: { state: ChildState }): boolean {
  return state === 'starting' || state === 'ready'
}

function viewOf({ owner, pid, state, since, pending, rssMb }: Child<unknown>): ChildView {
  const shown = state === 'ended' ? 'ending' : state
  return { ...owner, pid, state: shown, since, pending, ...(rssMb === undefined ? {} : { rssMb }) }
}

function viewOfFailed({ owner, failure, since }: Failed): ChildView {
  return { ...owner, pid: undefined, state: 'failed', since, pending: 0, failure: failure.message }
}
