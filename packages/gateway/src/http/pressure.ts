import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'

export interface PressureSettings {
  /** How late the process may be for its work. */
  readonly loopDelayMs: number
  /** How much of what Node allows itself as heap may be in use, in percent. */
  readonly heapPercent: number
}

/** How often it is looked whether the process keeps up. */
const LOOK_MS = 250
/** One late look may be a long task, or a machine that slept. */
const LATE_LOOKS = 2
const RESOLUTION_MS = 20

/** Looks now and then whether the process keeps up with its work. */
export function createPressure({ loopDelayMs, heapPercent }: PressureSettings) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
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

  return {
    /** The setting that was reached, if any. */
    reached: () => reached,
    /** How late the process was lately, in seconds. */
    delaySeconds: () => delaySeconds,
    close(): void {
      clearInterval(timer)
      delay.disable()
    },
  }
}
