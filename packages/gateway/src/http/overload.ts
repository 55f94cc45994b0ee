import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { problem } from '../base/problem.ts'
import { createHeat } from './heat.ts'

export interface OverloadSettings {
  /** Requests that are being answered at most, those of streams included. */
  readonly requestsInFlight: number
  /** How many requests may wait on one connection behind one that is being answered. */
  readonly pipelined: number
  /** How late the process may be for its work. */
  readonly loopDelayMs: number
  /** How much of what Node allows itself as heap may be in use, in percent. */
  readonly heapPercent: number
}

export interface OverloadNeeds {
  readonly settings: OverloadSettings
  /** Whether a connection carries the requests of many, so that one of them must not make others wait. */
  isShared(socket: Socket): boolean
  /** Between 0 and 1. */
  readonly chance: () => number
}

/** How often it is looked whether the process keeps up. */
const LOOK_MS = 250
/** One late look may be a long task, or a machine that slept. */
const LATE_LOOKS = 2
const RESOLUTION_MS = 20
const SECONDS_TO_WAIT = 1

/**
 * Refuses work while the process has more than it can do: it is cheaper to say so at once than to be late for
 * everybody. Whoever is refused is heard again only after a moment, so that a flood waits on its own side.
 *
 * @see decision 0027
 */
export function createOverload({ settings, isShared, chance }: OverloadNeeds) {
  const { requestsInFlight, pipelined, loopDelayMs, heapPercent } = settings
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  const heat = createHeat({ now: () => performance.now(), chance })
  const queues = new WeakMap<Socket, number>()
  let inFlight = 0
  let lateLooks = 0
  let lookedAt = performance.now()
  let delaySeconds = 0
  let reached: string | undefined

  function look(): void {
    // While it does nothing but one thing, nothing is measured: then this look itself is late.
    const now = performance.now()
    const lateMs = Math.max(0, delay.percentile(50) / 1e6 - RESOLUTION_MS, now - lookedAt - LOOK_MS)
    lookedAt = now
    delay.reset()
    delaySeconds = lateMs / 1000
    lateLooks = lateMs > loopDelayMs ? lateLooks + 1 : 0
    const { used_heap_size: used, heap_size_limit: most } = getHeapStatistics()
    const isFull = used * 100 > most * heapPercent
    reached = isFull ? 'limits.heapPercent' : lateLooks >= LATE_LOOKS ? 'limits.loopDelayMs' : undefined
  }
  const timer = setInterval(look, LOOK_MS)
  timer.unref()

  function onClose(this: ServerResponse): void {
    inFlight--
    const { socket } = this.req
    if (REFUSALS.has(this.statusCode) && !isShared(socket)) heat.refused(socket)
  }

  function queue(response: ServerResponse): void {
    const { socket } = response.req
    const waiting = (queues.get(socket) ?? 0) + 1
    queues.set(socket, waiting)
    response.on('close', () => queues.set(socket, (queues.get(socket) ?? 1) - 1))
    if (waiting > pipelined) hangUp(socket)
  }

  /** Who sends so much ahead does not wait for answers, and hears no more of them: what was read with it is dropped. */
  function hangUp(socket: Socket): never {
    socket.destroy()
    if (!isShared(socket)) heat.refused(socket)
    throw overloaded('limits.pipelined')
  }

  return {
    /**
     * Takes a request that is about to be answered, and counts it until its answer has ended.
     *
     * @throws {Problem} `gate.overloaded`, with the limit that was reached
     */
    admit(response: ServerResponse): void {
      inFlight++
      response.on('close', onClose)
      if (heat.holds(response.req.socket)) hangUp(response.req.socket)
      // Node gives a response its connection when it is its turn.
      if (response.socket === null) queue(response)
      const setting = reached ?? (inFlight > requestsInFlight ? 'limits.requestsInFlight' : undefined)
      if (setting !== undefined) throw overloaded(setting)
    },
    /** Takes note of a new connection. */
    opened(socket: Socket): void {
      if (!isShared(socket)) heat.opened(socket)
    },
    inFlight: () => inFlight,
    /** How late the process was lately, in seconds. */
    delaySeconds: () => delaySeconds,
    close(): void {
      clearInterval(timer)
      delay.disable()
    },
  }
}
function overloaded(setting: string) {
  return problem('gate.overloaded', { setting, seconds: SECONDS_TO_WAIT })
}

const REFUSALS: ReadonlySet<number> = new Set([429, 503])
