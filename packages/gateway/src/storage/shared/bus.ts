/** Carries messages between the processes that serve one database; with one process alone, within it. */
export interface Bus {
  /** Names this process among the others; another after every start. Letters and digits only. */
  readonly instance: string
  /**
   * Sends to all who hear a topic, in this process and the others. Those in this process hear it in any case.
   *
   * @throws {Problem} `shared.unreachable`
   */
  publish(topic: string, payload: Buffer): Promise<void>
  /** Hears a topic from the moment the promise ends, until the returned function is called. */
  subscribe(topic: string, take: (payload: Buffer) => void): Promise<() => void>
  /**
   * Whether that process lives, as far as it has said so within the last seconds.
   *
   * @throws {Problem} `shared.unreachable` where nobody can tell: dead is only who is known to be
   */
  isAlive(instance: string): Promise<boolean>
  close(): Promise<void>
}
