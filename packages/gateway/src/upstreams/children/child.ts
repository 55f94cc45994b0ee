import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { Problem, problem } from '../../base/problem.ts'
import { createCalls, type Calls, type ServerHooks } from './calls.ts'
import type { ChildEvent, EndReason } from './events.ts'
import type { Launch } from './launch.ts'
import type { Owner } from './owner.ts'
import type { ProcessTable } from './processes.ts'
import { startProgram, type Program } from './program.ts'
import type { Records } from './records.ts'
import type { Ring } from './ring.ts'
import type { ChildLimits } from './settings.ts'

/** What the handshake is made with. */
export type GreetChannel = Pick<Calls, 'request' | 'notify'>
/** Opens the protocol with a new child, and tells what it said of itself. */
export type Greet<Handshake> = (channel: GreetChannel, owner: Owner) => Promise<Handshake>

/** A child that is ready to be called. */
export interface Channel<Handshake> extends Pick<Calls, 'send' | 'request' | 'notify'> {
  readonly handshake: Handshake
}

/** `draining`: what is in flight may end, nothing new begins. */
export type ChildState = 'starting' | 'ready' | 'draining' | 'ending' | 'ended'

export interface Child<Handshake> {
  readonly owner: Owner
  readonly pid: number | undefined
  /** When it was started, in milliseconds since the epoch. */
  readonly since: number
  /** Settles once: with the channel after the handshake, or with why there is none. */
  readonly ready: Promise<Channel<Handshake>>
  /** Resolves when nothing is left of it. */
  readonly ended: Promise<void>
  readonly state: ChildState
  readonly pending: number
  /** Of the whole family, when it was last looked at, in MB of 2^20 bytes. */
  readonly rssMb: number | undefined
  /** When it was last let go of; `undefined` while somebody holds it. */
  readonly idleSince: number | undefined
  /** Keeps it from being ended for want of work, until the returned function is called. */
  hold(): () => void
  /** Looks at the family: who there is, and how much memory they have. */
  look(): Promise<void>
  /** Ends it once nobody holds it; after `withinMs` at the latest, where that is given. */
  retire(reason: EndReason, withinMs?: number): void
}

export interface ChildNeeds<Handshake> {
  readonly owner: Owner
  readonly launch: Launch
  readonly limits: ChildLimits
  readonly greet: Greet<Handshake>
  readonly hooks: ServerHooks
  readonly clock: Clock
  readonly log: Log
  readonly ring: Ring
  readonly records: Records
  readonly processes: ProcessTable
  onEvent(event: ChildEvent): void
}

/** What must stop now; everything else is asked first. */
const ABRUPT: ReadonlySet<EndReason> = new Set(['memory', 'flood'])

/** Starts a child and follows it to its end. */
export function startChild<Handshake>(needs: ChildNeeds<Handshake>): Child<Handshake> {
  const { owner, limits, clock, log, records } = needs
  const server = owner.upstream
  const about = { upstream: server, tenant: owner.tenant, user: owner.userId }
  const since = clock.now()
  const stopped = Promise.withResolvers<never>()
  const ended = Promise.withResolvers<void>()
  let state: ChildState = 'starting'
  let program: Program | undefined
  let calls: Calls | undefined
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
  async function start(): Promise<Channel<Handshake>> {
    const timer = setTimeout(() => void end('start', tooSlow()), limits.startTimeoutMs)
    try {
      const { launch, ring, processes } = needs
      const lineBytes = limits.lineBytes
      const hearing = { onLine: take, onTooLong: flooded, onFading: fade, onOver: died }
      program = await startProgram({ launch, ring, processes, lineBytes, ...hearing })
      records.keep([program.leader])
      calls = createCalls({ server, output: program.output, hooks: needs.hooks })
      const handshake = await Promise.race([needs.greet(calls, owner), stopped.promise])
      begin(program)
      return { handshake, send: calls.send, request: calls.request, notify: calls.notify }
    } catch (error) {
      throw giveUp(error)
    } finally {
      clearTimeout(timer)
    }
  }

  function begin({ leader: { pid } }: Program): void {
    if (state === 'starting') state = 'ready'
    begun = true
    log.info({ ...about, pid }, 'child.started')
    needs.onEvent({ kind: 'started', owner, pid, tookMs: clock.now() - since })
    rest()
    void look()
  }

  function giveUp(error: unknown): Problem {
    const failure = startFailure(server, error)
    needs.onEvent({ kind: 'start_failed', owner, code: failure.code })
    void end('start', failure)
    return failure
  }

  function tooSlow(): Problem {
    return problem('upstream.start_timeout', { server, seconds: limits.startTimeoutMs / 1000 })
  }

  // 2. Work: what the child writes, how long it is held, how much memory it takes.
  function take(line: Buffer): boolean | 'junk' {
    try {
      return calls?.take(line) ?? 'junk'
    } catch (error) {
      log.error({ ...about, err: error }, 'child.message_failed')
      return false
    }
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

  function hold(): () => void {
    holders++
    idleSince = undefined
    clearTimeout(idleTimer)
    return () => {
      holders--
      rest()
    }
  }

  function rest(): void {
    if (holders > 0) return
    idleSince = clock.now()
    if (state === 'draining') void end(endsFor, problem('gate.stopping'))
    if (state === 'ready') idleTimer = setTimeout(() => retire('idle'), limits.idleMs)
  }

  async function look(): Promise<void> {
    if (!program || ending) return
    const { family } = program
    const known = family.members()
    const living = await family.living()
    if (ending) return
    if (family.members().some(({ pid }) => known.every((each) => each.pid !== pid))) records.keep(family.members())
    rssMb = Math.round(living.reduce((sum, { pid }) => sum + needs.processes.residentMb(pid), 0))
    if (rssMb > limits.memoryMb) void end('memory', problem('upstream.memory', { server, megabytes: limits.memoryMb }))
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
    stopped.reject(failure)
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
    const gone = (await program?.end({ graceMs: limits.graceMs, abruptly: ABRUPT.has(reason) })) ?? true
    if (program && gone) records.drop(program.leader)
    state = 'ended'
    const pid = program?.leader.pid
    log[gone ? 'info' : 'error']({ ...about, pid, reason, rssMb, gone }, 'child.ended')
    if (begun && pid !== undefined) needs.onEvent({ kind: 'ended', owner, pid, reason })
  }

  stopped.promise.catch(() => {})
  const ready = start()
  ready.catch(() => {})
  return {
    owner,
    since,
    ready,
    ended: ended.promise,
    hold,
    look,
    retire,
    get pid() {
      return program?.leader.pid
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
function startFailure(server: string, error: unknown): Problem {
  if (error instanceof Problem && error.code !== 'upstream.died') return error
  const cause = error instanceof Problem ? error.cause : error
  return problem('upstream.start_failed', { server, cause })
}
