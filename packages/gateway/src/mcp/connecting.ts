import { setTimeout as sleep } from 'node:timers/promises'
import type { UpstreamId } from '../base/ids.ts'
import { asProblem, Problem, problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import type { CallNeeds } from './call.ts'
import type { Context } from './context.ts'

/** How long a call waits for a user who is on the page that connects an account, and how often it looks. */
const WAIT_MS = 20_000
const LOOK_MS = 500

type Held = ReturnType<CallNeeds['credentials']['require']>

/**
 * The caller's credential for an upstream. A client that says its user has opened the page may ask before they are
 * done there: such a call waits a while.
 *
 * @throws {Problem} `token.required`, `connection.*`, `provider.*`
 */
export function requireCredential(credentials: CallNeeds['credentials'], upstream: UpstreamId, ctx: Context): Held {
  if (ctx.opened === undefined) return credentials.require(ctx.principal, upstream)
  return requireAfter(credentials, upstream, ctx)
}

async function requireAfter(credentials: CallNeeds['credentials'], upstream: UpstreamId, ctx: Context) {
  const until = performance.now() + WAIT_MS
  for (;;) {
    try {
      return await credentials.require(ctx.principal, upstream)
    } catch (error) {
      if (!(error instanceof Problem) || !isMissing(error)) throw error
      if (ctx.opened !== true) throw declined(error)
      if (performance.now() > until) throw error
      await rest(ctx.signal)
    }
  }
}

/** Whether a credential is missing that its user can bring. */
export function isMissing({ code }: Problem): boolean {
  return code === 'connection.required' || code === 'connection.rejected'
}

function declined({ code, details }: Problem): Problem {
  return problem(code === 'connection.rejected' ? code : 'connection.declined', details)
}

async function rest(signal: AbortSignal): Promise<void> {
  try {
    await sleep(LOOK_MS, undefined, { signal })
  } catch {
    throw asProblem(signal.reason)
  }
}
