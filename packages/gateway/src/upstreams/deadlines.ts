import { problem, type Problem } from '../base/problem.ts'
import type { UpstreamDefinition } from './definition.ts'

/** What a call that takes too long is ended with. */
interface Ends {
  abort(reason: Problem): void
}

/** When one call is ended, unless something is heard of it. */
export interface Deadline {
  /** A sign of life. */
  moveOn(): void
  /** Stops until {@link Deadline.goOn} has been called as often. */
  rest(): void
  goOn(): void
  end(): void
}

interface State extends Deadline {
  readonly all: State[]
  readonly upstream: UpstreamDefinition
  readonly call: Ends
  /** Where it is in the list; -1 once it has ended. */
  place: number
  startedAt: number
  expiresAt: number
  resting: number
  restingSince: number
}

/** @see MCP 2025-11-25, basic/lifecycle#timeouts: a maximum is enforced whatever progress is told. */
const DEADLINES_MOST = 10

/** How much later than at its deadline a call may be ended. */
const LOOK_MS = 50

/**
 * Keeps the deadlines of all calls in one dense list that is looked through now and then: hardly any call ever meets
 * its own, and a timer for each costs more than that (`bench/run.ts`). Nothing is looked at while nothing is under way.
 */
export function createDeadlines() {
  const all: State[] = []
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    const now = performance.now()
    for (const deadline of all.toReversed())
      if (deadline.expiresAt <= now) expire(deadline, deadline.upstream.timeoutMs)
    if (all.length > 0) return
    clearInterval(timer)
    timer = undefined
  }

  return function start(upstream: UpstreamDefinition, call: Ends): Deadline {
    const startedAt = performance.now()
    const expiresAt = startedAt + upstream.timeoutMs
    const place = all.length
    const deadline: State = {
      all,
      upstream,
      call,
      place,
      startedAt,
      expiresAt,
      resting: 0,
      restingSince: 0,
      moveOn,
      rest,
      goOn,
      end,
    }
    all.push(deadline)
    timer ??= setInterval(look, LOOK_MS)
    return deadline
  }
}

function expire(deadline: State, milliseconds: number): void {
  deadline.end()
  deadline.call.abort(problem('upstream.timeout', { server: deadline.upstream.id, seconds: milliseconds / 1000 }))
}

function moveOn(this: State): void {
  if (this.place < 0 || this.resting > 0) return
  const { timeoutMs } = this.upstream
  const now = performance.now()
  if (now - this.startedAt > timeoutMs * DEADLINES_MOST) expire(this, timeoutMs * DEADLINES_MOST)
  else this.expiresAt = now + timeoutMs
}

function rest(this: State): void {
  if (this.resting++ > 0) return
  this.restingSince = performance.now()
  this.expiresAt = Infinity
}

function goOn(this: State): void {
  if (--this.resting > 0) return
  const now = performance.now()
  this.startedAt += now - this.restingSince
  this.expiresAt = now + this.upstream.timeoutMs
}

/** The last in the list takes its place. */
function end(this: State): void {
  if (this.place < 0) return
  const last = this.all.pop()
  if (last !== undefined && last !== this) {
    last.place = this.place
    this.all[this.place] = last
  }
  this.place = -1
}
