import { MalProblem } from './problem.ts'
import { readRefusal, type Refusal } from './refusal.ts'

/** Longer than this nobody waits in a call; the caller is told when to come back. */
const LONGEST_WAIT_MS = 30_000

/**
 * Decides what follows a refusal: milliseconds until the next attempt, or a {@link MalProblem} thrown. The wait is
 * the schedule's, or what `Retry-After` asks for where that is longer.
 *
 * @param attempt How many attempts were refused before this one.
 */
export function requireAnotherTry(refusal: Refusal, attempt: number, schedule: readonly number[]): number {
  const { code, retry, says } = readRefusal(refusal)
  const wait = schedule[attempt]
  if (!retry || wait === undefined) throw new MalProblem(code, { says })
  const asked = refusal.retryAfterMs ?? 0
  if (asked > LONGEST_WAIT_MS) {
    throw new MalProblem(code, { says: `It asks to come back in ${Math.ceil(asked / 1000)} seconds.` })
  }
  return Math.max(wait, asked)
}
