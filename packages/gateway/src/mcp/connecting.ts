import { setTimeout as sleep } from 'node:timers/promises'
import type { UpstreamId } from '../base/ids.ts'
import { asProblem, Problem, problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import type { Principal } from '../identity/principal.ts'
import type { Context } from './context.ts'
import { toAbortSignal, type StopSignal } from '../base/stop.ts'

/** How long a call waits for a user who is on the page that connects an account, and how often it looks. */
const WAIT_MS = 20_000
const LOOK_MS = 500

/** What each user calls an upstream with. */
export interface CallCredentials {
  /** @throws {Problem} `token.required`, `connection.*`, `provider.*` */
  require(principal: Principal, upstream: UpstreamId): Secret | undefined | Promise<Secret | undefined>
  /**
   * Another credential in place of one that the upstream did not take, or wants to have more scopes; `undefined` where
   * there is no way to one.
   *
   * @throws {Problem} `connection.*`, `provider.*` where there is a way, and it failed
   */
  renew(
    principal: Principal,
    upstream: UpstreamId,
    refused: Secret,
    scopes?: readonly string[],
  ): Promise<Secret | undefined>
}

type Held = ReturnType<CallCredentials['require']>

/**
 * The caller's credential for an upstream. A client that says its user has opened the page may ask before they are
 * done there: such a call waits a while.
 *
 * @throws {Problem} `token.required`, `connection.*`, `provider.*`
 */
export function requireCredential(credentials: CallCredentials, upstream: UpstreamId, ctx: Context): Held {
  if (ctx.opened === undefined) return credentials.require(ctx.principal, upstream)
  return requireAfter(credentials, upstream, ctx)
}

async function requireAfter(credentials: CallCredentials, upstream: UpstreamId, ctx: Context) {
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
  return MISSING.has(code)
}

const MISSING: ReadonlySet<string> = new Set([
  'token.required',
  'connection.required',
  'connection.rejected',
  'connection.scope_required',
])

/** Whatever is missing, the answer is no: to ask again at once would be to ask for ever. */
function declined({ details }: Problem): Problem {
  return problem('connection.declined', { provider: details['service'], ...details })
}

async function rest(signal: StopSignal): Promise<void> {
  try {
    await sleep(LOOK_MS, undefined, { signal: toAbortSignal(signal) })
  } catch {
    throw asProblem(signal.reason)
  }
}
