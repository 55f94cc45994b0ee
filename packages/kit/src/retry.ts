/** Longer than this nobody waits in a call; the caller is told when to come back. */
const LONGEST_WAIT_MS = 30_000

/**
 * Decides what follows a refusal that may get better: milliseconds until the next attempt, or `undefined` where there
 * is none. The wait is the schedule's, or what `Retry-After` asks for where that is longer.
 *
 * @param attempt How many attempts were refused before this one.
 */
export function nextAttemptIn(
  attempt: number,
  schedule: readonly number[],
  retryAfterMs: number | undefined,
): number | undefined {
  const wait = schedule[attempt]
  if (wait === undefined || (retryAfterMs ?? 0) > LONGEST_WAIT_MS) return undefined
  return Math.max(wait, retryAfterMs ?? 0)
}

/**
 * Reads `Retry-After`, seconds or a date; answers milliseconds.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 RFC 9110 §10.2.3}
 */
export function readRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}
