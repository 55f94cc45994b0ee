/**
 * Keeps the events of streams for a while, so that a client whose connection broke can have the rest, from whichever
 * process it asks. One process writes a stream and numbers its events from 1. Bounded in number, in bytes and in
 * time: what is gone is gone.
 */
export interface EventLog {
  append(stream: string, at: number, event: Buffer): Promise<void>
  /** Says that nothing more will come. */
  finish(stream: string): Promise<void>
  /**
   * Gives the events after that number, then those that come, and ends when the stream has ended or the signal aborts.
   *
   * @returns `gone` where what came after that number is not kept; `lost` where the process that wrote the stream is
   * gone before it was finished.
   */
  follow(
    stream: string,
    after: number,
    take: (at: number, event: Buffer) => void,
    signal: AbortSignal,
  ): Promise<Followed>
  close(): Promise<void>
}
export type Followed = 'finished' | 'aborted' | 'gone' | 'lost'
