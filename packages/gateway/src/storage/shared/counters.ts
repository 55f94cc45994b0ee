/** How much one user may do. */
export interface Allowance {
  /** Also how many calls may come at once after a quiet minute. */
  readonly callsPerMinute: number
  readonly concurrentCalls: number
}

/** What came of asking for a call's worth. */
export type Taken =
  | { readonly taken: true; release(): void }
  | { readonly taken: false; readonly because: 'concurrency' }
  | { readonly taken: false; readonly because: 'rate'; readonly retryAfterMs: number }

/**
 * Counts shared by whatever serves one user. Asking never waits, because it is part of every call: an
 * implementation for several processes hands each a share and settles it in the background.
 */
export interface Counters {
  take(key: string, allowance: Allowance): Taken
}
