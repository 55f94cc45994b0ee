import type { Secret } from '#kit/secret'
import { MalProblem } from './api/problem.ts'
import type { Caller } from './auth/credentials.ts'

/**
 * Does something with the token of whoever calls; once more, with a renewed one, where MyAnimeList rejects it and that
 * is possible.
 *
 * @param work gets `undefined` where the call brought no credential
 */
export async function asCaller<Result>(
  { credentials }: Caller,
  work: (token: Secret | undefined) => Promise<Result>,
): Promise<Result> {
  const token = await credentials.token()
  try {
    return await work(token)
  } catch (error) {
    const isRejected = error instanceof MalProblem && error.code === 'token_rejected'
    if (!isRejected || !credentials.renew || token === undefined) throw error
    return work(await credentials.renew(token))
  }
}
