import { problem, type Problem } from '../../base/problem.ts'

/** How long whoever met it should wait before they try again. */
const SECONDS = 5

/**
 * What a database that was there is told to have become, to everybody who needs it meanwhile. `reason` is in our own
 * words: what a driver says may name machines, people and files, and stays with the cause in the log.
 */
export function unreachable(reason: string, cause: unknown): Problem {
  return problem('storage.unreachable', { reason, seconds: SECONDS, cause })
}

export function failing(reason: string, cause: unknown): Problem {
  return problem('storage.failing', { reason, seconds: SECONDS, cause })
}
