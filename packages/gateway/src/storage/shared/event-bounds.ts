/** How much is kept of the events of streams. */
export interface EventBounds {
  /** Of one stream. */
  readonly events: number
  /** Of one stream. */
  readonly bytes: number
  /** After its last event. */
  readonly keptMs: number
}

export const eventBounds: EventBounds = { events: 1_000, bytes: 4 * 1024 * 1024, keptMs: 10 * 60_000 }
