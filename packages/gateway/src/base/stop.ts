/** @see DOM, EventListener: an object in place of a function is told by its method. */
export type StopListener = (() => void) | { handleEvent(): void }

/** The part of an `AbortSignal` that a call needs; every `AbortSignal` is one. */
export interface StopSignal {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: StopListener, options?: { readonly once: true }): void
  removeEventListener(type: 'abort', listener: StopListener): void
}

/** What ends one call, once. */
export interface Stop extends StopSignal {
  abort(reason: Error): void
}

interface Stopping extends Stop {
  aborted: boolean
  reason: unknown
  listeners: StopListener[] | undefined
}

/**
 * Makes what an `AbortController` is for, for the calls of clients: each needs one and hardly any is ever aborted, and
 * to make an event target of the engine's, to listen and to stop listening costs more than all the gate reads of the
 * call (`bench/run.ts`). A listener is called once.
 */
export function createStop(): Stop {
  const stop: Stopping = {
    aborted: false,
    reason: undefined,
    listeners: undefined,
    abort,
    addEventListener: listen,
    removeEventListener: unlisten,
  }
  return stop
}

function abort(this: Stopping, reason: Error): void {
  if (this.aborted) return
  this.aborted = true
  this.reason = reason
  const { listeners = [] } = this
  this.listeners = undefined
  for (const listener of listeners) {
    if (typeof listener === 'function') listener()
    else listener.handleEvent()
  }
}

function listen(this: Stopping, _type: 'abort', listener: StopListener): void {
  if (this.aborted) return
  if (this.listeners === undefined) this.listeners = [listener]
  else this.listeners.push(listener)
}

function unlisten(this: Stopping, _type: 'abort', listener: StopListener): void {
  const at = this.listeners?.indexOf(listener) ?? -1
  if (at >= 0) this.listeners?.splice(at, 1)
}

/** The same for what takes nothing but the engine's own. */
export function toAbortSignal(signal: StopSignal): AbortSignal {
  if (signal instanceof AbortSignal) return signal
  const controller = new AbortController()
  const stop = () => controller.abort(signal.reason)
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
  return controller.signal
}
