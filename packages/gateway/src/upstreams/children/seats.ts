import type { Clock } from '../../base/clock.ts'
import type { RpcNotification } from '../../base/json-rpc.ts'
import type { Log } from '../../base/log.ts'
import { asProblem, problem, type Problem } from '../../base/problem.ts'
import type { Watcher, Watching } from '../transport.ts'
import { createAudience, type Audience } from './audience.ts'
import { createBackoff, type Failed } from './backoff.ts'
import { startChild, type Channel, type Child, type ChildState, type Greet, type StartFailures } from './child.ts'
import type { ChildEvent } from './events.ts'
import { keyOf, ownerOf, placeKeyOf, type Owner, type Place } from './owner.ts'
import { withSignal } from './pipes.ts'
import type { Hearing, Running } from './running.ts'
import type { ChildLimits, SeatSettings } from './settings.ts'
import type { StopSignal } from '../../base/stop.ts'

/** Which child is wanted, and how to start it where there is none. */
export interface Placement<Launch> {
  readonly place: Place
  readonly launch: Launch
  /** Where the upstream has limits of its own. */
  readonly limits?: Partial<ChildLimits>
}

/** How somebody who listens can start a child. */
export interface Starting<Launch> {
  /** `undefined` where they lack something for it. */
  readonly placement: Placement<Launch> | undefined
  /** @throws {Error} where there is no other credential. */
  renew(): Promise<Placement<Launch>>
}

/** How a child stands, for status pages: nothing of what it was started with. */
export interface ChildView extends Owner {
  readonly pid: number | undefined
  readonly state: Exclude<ChildState, 'ended'> | 'failed'
  readonly since: number
  /** What it may ask of its client, by the names of capabilities. */
  readonly capabilities: readonly string[]
  /** Calls that wait for their answer. */
  readonly pending: number
  /** Of the whole process tree, in MB of 2^20 bytes. */
  readonly rssMb?: number
  /** Why it did not start, in public words. */
  readonly failure?: string
}

/** The children of a gate, each in its place. */
export interface Seats<Launch> {
  /**
   * Works with the child of a place, which is started where there is none and kept until the work is done. One
   * start serves all who ask for it meanwhile; another launch than that of the running child (a replaced
   * token) starts a new one, and the old one ends after its last call.
   *
   * @throws {Problem} one of `failures`, `upstream.capacity`, `gate.stopping`, or the reason of the signal.
   */
  use<T>(placement: Placement<Launch>, signal: StopSignal, work: (channel: Channel) => Promise<T>): Promise<T>
  /** Listens at a place, where a child may have to be started before anybody calls. */
  watch(place: Place, watcher: Watcher, starting: Starting<Launch>): Watching
  /** The child of a place that is ready, where one runs. */
  findReady(place: Place): Channel | undefined
  /** The child of a place, or the newest of an owner; or the start that failed and that none has made up for since. */
  find(whose: Owner | Place): ChildView | undefined
  list(): readonly ChildView[]
  /** Looks at all of them: who there is, and how much memory they have. */
  look(): Promise<void>
  /** Ends the children of some owners, each after its last call, `drainMs` at the latest; the next call starts others. */
  end(which: (owner: Owner) => boolean): Promise<void>
  /** The same, because a credential is gone: whoever listens goes on with another one, where they can get it. */
  forget(which: (owner: Owner) => boolean): Promise<void>
  /** Takes no more work, waits for what is in flight, `drainMs` at the latest, and leaves nothing behind. */
  close(): Promise<void>
}

export interface SeatNeeds<Launch> {
  readonly clock: Clock
  readonly log: Log
  readonly settings: SeatSettings
  readonly greet: Greet
  readonly failures: StartFailures
  /** Tells two launches apart without keeping what they hold. */
  fingerprintOf(launch: Launch): string
  /** @throws {Error} where it cannot be run. */
  run(launch: Launch, place: Place, hearing: Hearing): Promise<Running>
  onEvent(event: ChildEvent): void
  /** A notification that belongs to no call. */
  onNotification(message: RpcNotification, owner: Owner): void
}

interface Seat<Launch> {
  readonly placement: Placement<Launch>
  readonly fingerprint: string
  readonly child: Child
}

/** Those who listen at a place, and how its child was last started. */
interface Stand<Launch> {
  readonly place: Place
  readonly audience: Audience
  /** Gone with the credential in it. */
  placement: Placement<Launch> | undefined
  /** How often a credential has gone, or its child was to end for another reason. */
  endings: number
  readonly renewals: WeakMap<Watcher, Starting<Launch>['renew']>
}

export function createSeats<Launch extends object>(needs: SeatNeeds<Launch>): Seats<Launch> {
  const { clock, log, settings } = needs
  const backoff = createBackoff(clock)
  const seats = new Map<string, Seat<Launch>>()
  const stands = new Map<string, Stand<Launch>>()
  const living = new Set<Child>()
  const fingerprints = new WeakMap<Launch, string>()
  let closed = false

  /** Most callers come with the very launch that they came with before. */
  function fingerprintOf(launch: Launch): string {
    let known = fingerprints.get(launch)
    if (known === undefined) fingerprints.set(launch, (known = needs.fingerprintOf(launch)))
    return known
  }

  /** Finds or starts in one step, so that no two who ask at once can start two. */
  function require(placement: Placement<Launch>): Child {
    if (closed) throw problem('gate.stopping')
    const { place, launch } = placement
    const key = placeKeyOf(place)
    const fingerprint = fingerprintOf(launch)
    const seat = seats.get(key)
    const isTaken = seat !== undefined && takesWork(seat.child)
    if (isTaken && seat.fingerprint === fingerprint) return seat.child
    if (isTaken) retire(key, seat)
    const failure = backoff.find(place, fingerprint)
    if (failure) throw failure
    makeRoom(place)
    return start(placement, key, fingerprint)
  }

  /** It makes room for one that was started otherwise. */
  function retire(key: string, { child }: Seat<Launch>): void {
    stands.get(key)?.audience.letGo()
    child.retire('replaced')
  }

  function start(placement: Placement<Launch>, key: string, fingerprint: string): Child {
    const { place, launch } = placement
    const stand = standOf(place, key)
    const { audience } = stand
    const owner = ownerOf(place)
    const child = startChild({
      place,
      limits: { ...settings, ...placement.limits },
      greet: needs.greet,
      listeners: audience.listeners,
      clock,
      log,
      failures: needs.failures,
      run: (hearing) => needs.run(launch, place, hearing),
      onNotification: (message) => needs.onNotification(message, owner),
      onEvent: needs.onEvent,
    })
    seats.set(key, { placement, fingerprint, child })
    living.add(child)
    stand.placement = placement
    audience.started(child)
    child.ready.then(
      (channel) => {
        backoff.worked(place)
        audience.ready(channel)
      },
      (error: unknown) => {
        const failure = asProblem(error)
        // Whoever listens shall come with another one.
        if (failure.code === 'upstream.refused') stand.placement = undefined
        rememberFailure(owner, fingerprint, failure)
      },
    )
    void child.ended.then(() => forget(key, child))
    return child
  }

  /** A start that the gate itself gave up says nothing of the server. */
  function rememberFailure(owner: Owner, fingerprint: string, failure: Problem): void {
    if (failure.code !== 'gate.stopping') backoff.failed(owner, fingerprint, failure)
  }

  function forget(key: string, child: Child): void {
    living.delete(child)
    if (seats.get(key)?.child === child) seats.delete(key)
    stands.get(key)?.audience.ended(child)
    leave(key)
  }

  // 2. Who listens.
  function standOf(place: Place, key: string): Stand<Launch> {
    const known = stands.get(key)
    if (known) return known
    const audience = createAudience({
      place,
      clock,
      log,
      find: () => findChild(key),
      require: () => findChild(key) ?? startAgain(key),
      renew: (watcher) => startNew(key, watcher),
      onEmpty: () => leave(key),
    })
    const stand: Stand<Launch> = { place, audience, placement: undefined, endings: 0, renewals: new WeakMap() }
    stands.set(key, stand)
    return stand
  }

  function findChild(key: string): Child | undefined {
    const child = seats.get(key)?.child
    return child && takesWork(child) ? child : undefined
  }

  function startAgain(key: string): Child | undefined {
    const placement = stands.get(key)?.placement
    return placement && !closed ? require(placement) : undefined
  }

  async function startNew(key: string, watcher: Watcher): Promise<Child | undefined> {
    const stand = closed ? undefined : stands.get(key)
    const renew = stand?.renewals.get(watcher)
    if (!stand || !renew) return undefined
    const { endings } = stand
    const placement = await renew()
    // While it was fetched, that credential may have gone as well.
    return stand.endings === endings ? require(placement) : startNew(key, watcher)
  }

  /** A place where nobody listens and nothing runs is forgotten. */
  function leave(key: string): void {
    if (stands.get(key)?.audience.listeners.size === 0 && !seats.has(key)) stands.delete(key)
  }

  // 3. How many there are.
  /**
   * Within each cap, the child idle for longest makes room; one that works never does. While the old one ends,
   * the new one starts already, so for that moment there is one more.
   */
  function makeRoom({ tenant, userId }: Owner): void {
    const counted = [...living].filter(({ state }) => state !== 'ending')
    const own = counted.filter(
      ({ place }) => userId !== undefined && place.tenant === tenant && place.userId === userId,
    )
    if (own.length >= settings.maxChildrenPerUser) evict(own, 'stdio.maxChildrenPerUser')
    else if (counted.length >= settings.maxChildren) evict(counted, 'stdio.maxChildren')
  }

  function evict(from: readonly Child[], setting: string): void {
    const idle = from.filter(({ state, idleSince }) => state === 'ready' && idleSince !== undefined)
    const longest = idle.sort((a, b) => (a.idleSince ?? 0) - (b.idleSince ?? 0))[0]
    if (!longest) throw problem('upstream.capacity', { setting })
    longest.retire('evicted')
  }

  async function end(which: (owner: Owner) => boolean): Promise<void> {
    for (const stand of stands.values()) {
      if (!which(stand.place)) continue
      stand.placement = undefined
      stand.endings++
      stand.audience.letGo()
    }
    const ending = [...living].filter(({ place }) => which(place))
    for (const child of ending) child.retire('closing', settings.drainMs)
    await Promise.all(ending.map((child) => child.ended))
  }

  function childOf(whose: Owner | Place): Child | undefined {
    if ('capabilities' in whose) return seats.get(placeKeyOf(whose))?.child
    const key = keyOf(whose)
    const own = [...seats.values()].filter(({ child }) => keyOf(child.place) === key).map(({ child }) => child)
    return own.reduce<Child | undefined>(
      (newest, child) => (newest && newest.since > child.since ? newest : child),
      undefined,
    )
  }

  return {
    async use(placement, signal, work) {
      const child = require(placement)
      child.hold()
      try {
        return await work(child.channel ?? (await withSignal(child.ready, signal)))
      } finally {
        child.release()
      }
    },
    watch(place, watcher, starting) {
      const stand = standOf(place, placeKeyOf(place))
      stand.placement = starting.placement ?? stand.placement
      stand.renewals.set(watcher, starting.renew)
      return stand.audience.watch(watcher)
    },
    findReady: (place) => findChild(placeKeyOf(place))?.channel,
    find(whose) {
      const child = childOf(whose)
      const failed = backoff.last(whose)
      if (child && (takesWork(child) || !failed)) return viewOf(child)
      return failed && viewOfFailed(failed)
    },
    list() {
      const seated = new Set([...seats.values()].map(({ child }) => keyOf(child.place)))
      const failed = backoff.all().filter(({ owner }) => !seated.has(keyOf(owner)))
      return [...[...living].map(viewOf), ...failed.map(viewOfFailed)]
    },
    async look() {
      await Promise.all([...living].map((child) => child.look()))
    },
    end,
    async forget(which) {
      await end(which)
      for (const { place, audience } of stands.values()) if (which(place)) audience.resume()
    },
    async close() {
      closed = true
      await end(() => true)
    },
  }
}

function takesWork({ state }: { state: ChildState }): boolean {
  return state === 'starting' || state === 'ready'
}

function viewOf({ place, pid, state, since, pending, rssMb }: Child): ChildView {
  const shown = state === 'ended' ? 'ending' : state
  const capabilities = Object.keys(JSON.parse(place.capabilities))
  const view = { ...ownerOf(place), pid, state: shown, since, capabilities, pending }
  return rssMb === undefined ? view : { ...view, rssMb }
}

function viewOfFailed({ owner, failure, since }: Failed): ChildView {
  return { ...owner, pid: undefined, state: 'failed', since, capabilities: [], pending: 0, failure: failure.message }
}
