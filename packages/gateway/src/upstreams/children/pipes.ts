import type { Readable, Writable } from 'node:stream'
import { oneLine } from './lines.ts'

/** The way to a child's stdin, a message per line. */
export interface Output {
  /** Writes at once, whatever waits already. Answers `false`, and writes nothing, where too much waits or nobody reads. */
  write(message: Buffer | string): boolean
  /** Whether the child must read first, before more is given to it. */
  readonly full: boolean
  /** Resolves when that may have changed. */
  drained(): Promise<void>
}

/** What the gate itself may leave waiting in front of a child that does not read (cancellations, answers to pings). */
const UNREAD_BYTES = 1_048_576

/** A write to a child that has just died fails later and is told by `onBroken`; it never throws. */
export function createOutput(stdin: Writable, onBroken: () => void): Output {
  let drained: Promise<void> | undefined
  stdin.on('error', onBroken)

  function nextDrain(): Promise<void> {
    drained ??= new Promise<void>((resolve) => {
      const done = () => {
        stdin.off('drain', done).off('close', done)
        drained = undefined
        resolve()
      }
      stdin.on('drain', done).on('close', done)
    })
    return drained
  }

  return {
    write(message) {
      if (!stdin.writable || stdin.writableLength > UNREAD_BYTES) return false
      const bytes = typeof message === 'string' ? Buffer.from(message) : message
      stdin.cork()
      stdin.write(oneLine(bytes))
      stdin.write('\n')
      stdin.uncork()
      return true
    },
    get full() {
      return stdin.writableNeedDrain && !stdin.destroyed
    },
    drained: nextDrain,
  }
}

/** Waits for something that goes on by itself, but no longer than the signal allows. */
export function withSignal<T>(waiting: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(reasonOf(signal))
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop, { once: true })
    void waiting.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

/** The reason of an abort is a Problem wherever the gate aborts. */
export function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason })
}

const REST_MS = 50

/**
 * Makes a stream rest after every `budget` units of what nobody asked for, so that a flood costs the child
 * its own time and not the gate's.
 *
 * @returns a function that takes what was spent and answers whether to go on; `onRested` is called after each rest.
 */
export function createBrake(stream: Readable, budget: number, onRested: () => void): (units: number) => boolean {
  let spent = 0
  function rested(): void {
    spent = 0
    onRested()
    if (spent < budget) stream.resume()
  }
  return (units) => {
    spent += units
    if (spent < budget) return true
    stream.pause()
    setTimeout(rested, REST_MS)
    return false
  }
}
