/** The only source of time in the house, handed in as an argument so that a test can turn it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

/** The longest that a timer of Node's can wait, in milliseconds: 2³¹ − 1. One that is to wait longer does not wait at all. */
export const LONGEST_TIMER_MS = 2_147_483_647
