/** The only source of time in the house, handed in as an argument so that a test can turn it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }
