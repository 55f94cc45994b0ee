/**
 * What a room needs of a logger. The first argument holds the facts, the second names the event.
 * `telemetry/log.ts` gives the real one.
 */
export interface Log {
  debug(facts: object, event: string): void
  info(facts: object, event: string): void
  warn(facts: object, event: string): void
  error(facts: object, event: string): void
}
