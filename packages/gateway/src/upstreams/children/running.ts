import type { Output } from './pipes.ts'

/** What is behind a child's pipe: a process with all that came from it, or a connection. */
export interface Running {
  /** Absent where it is no process of ours. */
  readonly pid: number | undefined
  readonly output: Output
  /** How much memory it has, in MB of 2^20 bytes; `undefined` where that is nothing to us. */
  measure(): Promise<number | undefined>
  /**
   * Ends it: with `abruptly` at once, else as it is used to.
   *
   * @returns whether nothing is left.
   */
  end(how: { readonly graceMs: number; readonly abruptly: boolean }): Promise<boolean>
}

/** What became of one line. */
export interface Taken {
  /** How many messages it had that nobody was waiting for. */
  readonly unwanted: number
  /** Whether it was no JSON-RPC at all. */
  readonly isJunk: boolean
}

/** Who hears what comes out of the pipe. */
export interface Hearing {
  /** The longest message it may send. */
  readonly lineBytes: number
  onLine(line: Buffer): Taken
  onTooLong(): void
  /** It ended, or closed one of its ways: nothing new shall be asked of it. */
  onFading(): void
  /** After `onFading`, when all that it sent has been handed on. */
  onOver(how: string): void
  /** Aborted where the start is given up. */
  readonly signal: AbortSignal
}

/** Between two rests: messages that nobody waits for. */
export const IDLE_LINES = 512
