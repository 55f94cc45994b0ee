import type { Clock } from '../../base/clock.ts'
import type { ErrorCode } from '../../base/errors.ts'
import type { RpcNotification } from '../../base/json-rpc.ts'
import type { Log } from '../../base/log.ts'
import { Problem, problem } from '../../base/problem.ts'
import type { Handshake, UpstreamEra } from '../era.ts'
import type { Exchange } from '../transport.ts'
import { createCalls, type Calls } from './calls.ts'
import type { ChildEvent, EndReason } from './events.ts'
import { createFollowing, type Following } from './following.ts'
import type { Listeners } from './listeners.ts'
import { ownerOf, type Place } from './owner.ts'
import type { Hearing, Running, Taken } from './running.ts'
import type { ChildLimits } from './settings.ts'

/** What the handshake is made with. */
export type GreetChannel = Pick<Calls, 'request' | 'notify'>
/** Opens the protocol with a new child, and tells what it said of itself, and in which era. */
export type Greet = (channel: GreetChannel, place: Place) => Promise<Greeted>
export interface Greeted {
  readonly handshake: Handshake
  readonly era: UpstreamEra
}

/** A child that is ready to be called. */
export interface Channel extends Greeted {
  /** Sends a client's request, once the server logs what that client wants to see. */
  send(exchange: Exchange): Promise<Buffer>
  notify(message: Buffer): void
  readonly following: Following
}

/** `draining`: what is in flight may end, nothing new begins. */
export type ChildState = 'starting' | 'ready' | 'draining' | 'ending' | 'ended'

/** A server behind a pipe for as long as it is wanted: a process, or a connection. */
export interface Child {
  readonly place: Place
  readonly pid: number | undefined
  /** When it was started, in milliseconds since the epoch. */
  readonly since: number
  /** Settles once: with the channel after the handshake, or with why there is none. */
  readonly ready: Promise<Channel>
  /** The channel, as soon as there is one. */
  readonly channel: Channel | undefined
  /** Resolves when nothing is left of it. */
  readonly ended: Promise<void>
  readonly state: ChildState
  readonly pending: number
  /** Of the whole family, when it was last looked at, in MB of 2^20 bytes. */
  readonly rssMb: number | undefined
  /** When it was last let go of; `undefined` while somebody holds it. */
  readonly idleSince: number | undefined
  /** Keeps it from being ended for want of work, until it is let go of as often. */
  hold(): void
  release(): void
  /** Looks at the family: who there is, and how much memory they have. */
  look(): Promise<void>
  /** Ends it once nobody holds it; after `withinMs` at the latest, where that is given. */
  retire(reason: EndReason, withinMs?: number): void
}

export interface ChildNeeds {
  readonly place: Place
  readonly limits: ChildLimits
  readonly greet: Greet
  readonly listeners: Listeners
  readonly clock: Clock
  readonly log: Log
  /** What it is called that it does not start, or takes too long. */
  readonly failures: StartFailures
  /** @throws {Error} where it cannot be run. */
  run(hearing: Hearing): Promise<Running>
  onNotification(message: RpcNotification): void
  onEvent(event: ChildEvent): void
}

export interface StartFailures {
  readonly failed: ErrorCode
  readonly slow: ErrorCode
}

/** What must stop now; everything else is asked first. */
const ABRUPT: ReadonlySet<EndReason> = new Set(['memory', 'flood'])

/** Starts a child and follows it to its end. */
export function startChild(needs: ChildNeeds): Child {
  const { place, limits, clock, log } = needs
  const owner = ownerOf(place)
  const server = owner.upstream
  const about = { upstream: server, tenant: owner.tenant, user: owner.userId }
  const since = clock.now()
  const stopped = Promise.withResolvers<never>()
  const ended = Promise.withResolvers<void>()
  const startGivenUp = new AbortController()
  let state: ChildState = 'starting'
  let running: Running | undefined
  let calls: Calls | undefined
  let channel: Channel | undefined
  let holders = 0
  let idleSince: number | undefined
  let rssMb: number | undefined
  let idleTimer: NodeJS.Timeout | undefined
  let drainTimer: NodeJS.Timeout | undefined
  let ending = false
  /** Whether anybody was told that it started: then they are told that it ended. */
  let begun = false
  let endsFor: EndReason = 'idle'

  // 1. Start: the process and the handshake, within their time.
  async function start(): Promise<Channel> {
    const timer = setTimeout(() => void end('start', tooSlow()), limits.startTimeoutMs)
    try {
      running = await Promise.race([run(), stopped.promise])
      calls = createCalls({
        server,
        output: running.output,
        capabilities: place.capabilities,
        shared: place.userId === undefined,
        listeners: needs.listeners,
        onNotification: told,
      })
      const greeted = await Promise.race([needs.greet(calls, place), stopped.promise])
      channel = channelOf(calls, greeted)
      begin(running)
      return channel
    } catch (error) {
      throw giveUp(error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** What comes to run after it was given up is ended at once. */
  async function run(): Promise<Running> {
    const { lineBytes } = limits
    const { signal } = startGivenUp
    const hearing = { lineBytes, onLine: take, onTooLong: flooded, onFading: fade, onOver: died, signal }
    const started = await needs.run(hearing)
    if (ending) void started.end({ graceMs: limits.graceMs, abruptly: true })
    return started
  }

  function channelOf(opened: Calls, greeted: Greeted): Channel {
    const { capabilities, userId } = place
    const following = createFollowing({
      ...greeted,
      calls: opened,
      capabilities,
      shared: userId === undefined,
      listeners: needs.listeners,
      onNotification: needs.onNotification,
      log,
      waitMs: limits.startTimeoutMs,
    })
    return {
      ...greeted,
      following,
      notify: opened.notify,
      send(exchange) {
        following.want(exchange.client.logLevel)
        return opened.send(exchange)
      },
    }
  }

  function begin({ pid }: Running): void {
    if (state === 'starting') state = 'ready'
    begun = true
    log[pid === undefined ? 'debug' : 'info']({ ...about, pid }, 'child.started')
    if (pid !== undefined) needs.onEvent({ kind: 'started', owner, pid, tookMs: clock.now() - since })
    rest()
    void look()
  }

  function giveUp(error: unknown): Problem {
    const failure = startFailure(server, error, needs.failures.failed)
    needs.onEvent({ kind: 'start_failed', owner, code: failure.code })
    void end('start', failure)
    return failure
  }

  function tooSlow(): Problem {
    return problem(needs.failures.slow, { server, seconds: limits.startTimeoutMs / 1000 })
  }

  // 2. Work: what the child writes, how long it is held, how much memory it takes.
  function take(line: Buffer): Taken {
    try {
      return calls?.take(line) ?? { unwanted: 1, isJunk: true }
    } catch (error) {
      log.error({ ...about, err: error }, 'child.message_failed')
      return { unwanted: 1, isJunk: false }
    }
  }

  /** Before it is ready, nobody has asked to be told anything. */
  function told(message: RpcNotification): void {
    channel?.following.take(message)
  }

  function flooded(): void {
    void end('flood', problem('upstream.too_large', { server, limit: limits.lineBytes }))
  }

  function fade(): void {
    if (state !== 'ready') return
    state = 'draining'
    endsFor = 'died'
  }

  function died(how: string): void {
    void end('died', problem('upstream.died', { server, cause: new Error(how) }))
  }

  function hold(): void {
    holders++
    idleSince = undefined
  }

  function release(): void {
    holders--
    rest()
  }

  function rest(): void {
    if (holders > 0) return
    idleSince = clock.now()
    if (state === 'draining') void end(endsFor, problem('gate.stopping'))
    if (state !== 'ready') return
    if (idleTimer) idleTimer.refresh()
    else idleTimer = setTimeout(tire, limits.idleMs)
  }

  /** It runs on while somebody holds the child, who starts it again when they let go. */
  function tire(): void {
    if (holders === 0) retire('idle')
  }

  async function look(): Promise<void> {
    if (ending) return
    const measured = await running?.measure()
    if (ending || measured === undefined) return
    rssMb = measured
    if (measured > limits.memoryMb)
      void end('memory', problem('upstream.memory', { server, megabytes: limits.memoryMb }))
  }

  // 3. End, once: whoever waits is told, and nothing is left behind.
  function retire(reason: EndReason, withinMs?: number): void {
    if (ending) return
    state = 'draining'
    endsFor = reason
    if (holders === 0) void end(reason, problem('gate.stopping'))
    else if (withinMs !== undefined)
      drainTimer ??= setTimeout(() => void end(reason, problem('gate.stopping')), withinMs)
  }

  async function end(reason: EndReason, failure: Problem): Promise<void> {
    if (ending) return
    ending = true
    state = 'ending'
    clearTimeout(idleTimer)
    clearTimeout(drainTimer)
    channel?.following.end()
    stopped.reject(failure)
    startGivenUp.abort(failure)
    try {
      calls?.fail(failure)
      await clear(reason)
    } catch (error) {
      log.error({ ...about, reason, error }, 'child.end_failed')
    } finally {
      state = 'ended'
      ended.resolve()
    }
  }

  async function clear(reason: EndReason): Promise<void> {
    const gone = (await running?.end({ graceMs: limits.graceMs, abruptly: ABRUPT.has(reason) })) ?? true
    state = 'ended'
    const pid = running?.pid
    const level = pid === undefined ? 'debug' : 'info'
    log[gone ? level : 'error']({ ...about, pid, reason, rssMb, gone }, 'child.ended')
    if (begun && pid !== undefined) needs.onEvent({ kind: 'ended', owner, pid, reason })
  }

  stopped.promise.catch(() => {})
  const ready = start()
  ready.catch(() => {})
  return {
    place,
    since,
    ready,
    ended: ended.promise,
    hold,
    release,
    look,
    retire,
    get pid() {
      return running?.pid
    },
    get channel() {
      return channel
    },
    get state() {
      return state
    },
    get pending() {
      return calls?.pending ?? 0
    },
    get rssMb() {
      return rssMb
    },
    get idleSince() {
      return idleSince
    },
  }
}

/** A failure that says more than that it did not start (too slow, too much memory, too old) is kept. */
function startFailure(server: string, error: unknown, code: ErrorCode): Problem {
  if (error instanceof Problem && error.code !== 'upstream.died') return error
  const cause = error instanceof Problem ? error.cause : error
  return problem(code, { server, cause })
}
