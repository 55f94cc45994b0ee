import type { Writable } from 'node:stream'
import { oneLine } from './lines.ts'
import type { StopSignal } from '../../base/stop.ts'

/** The way to a server, a message at a time. */
export interface Output {
  /** Writes, whatever waits already. Answers `false`, and writes nothing, where too much waits or nobody reads. */
  write(message: Buffer | string, sender?: Sender): boolean
  /** Nobody waits any more for what comes of that sender's message. */
  leave?(sender: Sender): void
  /** Whether the server must read first, before more is given to it. */
  readonly full: boolean
  /** Resolves when that may have changed. */
  drained(): Promise<void>
}

/** Who is told where one message alone did not arrive; a pipe that breaks is told otherwise, and breaks for all. */
export interface Sender {
  undelivered(reason: Error): void
}

/** The way to a child's stdin, a message per line. */
export interface LineOutput extends Output {
  /** Writes what waits for the end of the turn. */
  flush(): void
}

/** How much clients' requests may leave waiting in front of a child that does not read. */
const FULL_BYTES = 262_144
/** The same for what the gate itself writes: cancellations, answers to pings, replies to questions. */
const UNREAD_BYTES = 1_048_576
/** Up to this size messages are copied into one piece, which costs less than to write them piece by piece. */
const PIECE_BYTES = 65_536

/**
 * What is written in one turn of the event loop goes out with one write. A write to a child that
 * has just died fails later and is told by `onBroken`; it never throws.
 */
export function createOutput(stdin: Writable, onBroken: () => void): LineOutput {
  let lines: Buffer[] = []
  let waiting = 0
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

  function flush(): void {
    const [all, size] = [lines, waiting]
    lines = []
    waiting = 0
    if (all.length === 0 || !stdin.writable) return
    if (size <= PIECE_BYTES) return void stdin.write(Buffer.concat(all, size))
    stdin.cork()
    for (const line of all) stdin.write(line)
    stdin.uncork()
  }

  return {
    write(message) {
      if (!stdin.writable || stdin.writableLength + waiting > UNREAD_BYTES) return false
      const line = oneLine(typeof message === 'string' ? Buffer.from(message) : message)
      if (lines.length === 0) setImmediate(flush)
      lines.push(line, NEWLINE)
      waiting += line.length + NEWLINE.length
      return true
    },
    get full() {
      return stdin.writableLength + waiting >= FULL_BYTES && !stdin.destroyed
    },
    drained: nextDrain,
    flush,
  }
}

const NEWLINE = Buffer.from('\n')

/** Waits for something that goes on by itself, but no longer than the signal allows. */
export function withSignal<T>(waiting: Promise<T>, signal: StopSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(reasonOf(signal))
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop, { once: true })
    void waiting.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

/** The reason of an abort is a Problem wherever the gate aborts. */
export function reasonOf({ reason }: StopSignal): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason })
}

const REST_MS = 50

/** What can be held back. */
interface Braked {
  pause(): unknown
  resume(): unknown
}

/**
 * Makes a stream rest after every `budget` units of what nobody asked for, so that a flood costs the child
 * its own time and not the gate's.
 *
 * @returns a function that takes what was spent and answers whether to go on; `onRested` is called after each rest.
 */
export function createBrake(stream: Braked, budget: number, onRested: () => void): (units: number) => boolean {
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
