import { Problem } from '../base/problem.ts'

/** How an upstream refused the credential it was sent, where another may help. */
export interface Refusal {
  /** What it wants beside what the credential is good for; `undefined` where it does not take it at all. */
  readonly scopes: readonly string[] | undefined
}

/** Reads from a failure whether the credential was refused. What the request asked for was not done then. */
export function readRefusal(error: unknown): Refusal | undefined {
  if (!(error instanceof Problem) || error.code !== 'upstream.refused') return undefined
  const { upstreamStatus, scopes } = error.details
  if (Array.isArray(scopes)) return { scopes }
  return upstreamStatus === 401 ? { scopes: undefined } : undefined
}
