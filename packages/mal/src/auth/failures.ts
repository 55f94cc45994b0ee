import { MalProblem, type MalProblemCode } from '../api/problem.ts'

export interface Failure {
  readonly code: MalProblemCode
  /** In milliseconds. */
  readonly at: number
  /** What happened and what to do. */
  readonly says: string
}

/** Who called, and with which account's token, if any. */
interface Which {
  readonly who: string
  readonly account: string | undefined
}

/**
 * The last thing that went wrong between this server and MyAnimeList, for each caller. What went wrong with an earlier
 * token, or before there was one, is over once there is another.
 */
export interface Failures {
  note(which: Which, error: unknown, at: number): void
  find(which: Which): Failure | undefined
}

/** Callers beyond this number are forgotten, those first whose failure is oldest. */
const MANY = 1000

/** What the caller did is no failure of the connection. */
const ofTheConnection: ReadonlySet<MalProblemCode> = new Set([
  'token_rejected',
  'refresh_failed',
  'throttled',
  'no_access',
  'unavailable',
  'timeout',
  'unreadable',
  'unsafe_paging',
  'budget_spent',
])

export function createFailures(): Failures {
  const last = new Map<string, Failure & Pick<Which, 'account'>>()
  return {
    note({ who, account }, error, at) {
      if (!(error instanceof MalProblem) || !ofTheConnection.has(error.code)) return
      last.delete(who)
      last.set(who, { code: error.code, at, says: error.message, account })
      const [oldest] = last.keys()
      if (last.size > MANY && oldest !== undefined) last.delete(oldest)
    },
    find({ who, account }) {
      const failure = last.get(who)
      return account === undefined || failure?.account === account ? failure : undefined
    },
  }
}
