import { asProblem, problem, type Problem } from '../base/problem.ts'
import { createThrottle } from '../limits/throttle.ts'
import { parseNext } from '../pages/next.ts'
import { retryAfter } from '../pages/problem.ts'
import { redirectTo, showPage } from '../pages/respond.ts'
import { say } from '../pages/words.ts'
import { startSession, withNext } from './finish.ts'
import { createFormCookie } from './form-cookie.ts'
import { createHalfway, type Half } from './halfway.ts'
import type { LoginContext, LoginHono, LoginNeeds, ProofKind } from './needs.ts'
import { secondPage } from './views/second.ts'

const PATH = '/sign-in/second'
const FAILED_EVERY_MS = 1_000
const FAILURES = 256

/** `/sign-in/second`: the second factor of somebody who has proven the first. There is no session until it is right. */
export function addSecondStepRoutes(app: LoginHono, needs: LoginNeeds): void {
  const forms = createFormCookie(needs)
  const halfway = createHalfway(needs)
  const throttle = createThrottle({ clock: needs.clock, everyMs: FAILED_EVERY_MS, atMost: FAILURES })
  const find = (context: LoginContext) => halfway.find(context.req.header('Cookie'), 'prove')

  app.get(PATH, async (context) => {
    const next = parseNext(context.req.query('next'))
    const half = await find(context)
    return half === undefined ? beginAnew(next) : show(half, next)
  })

  app.post(PATH, async (context) => {
    const form = await forms.requireForm(context.req.raw)
    const next = parseNext(form.get('next'))
    const half = await find(context)
    if (half === undefined) return beginAnew(next)
    needs.audit.requireRoom(half.tenant)
    const proven = await prove(context, half, form)
    if (!('amr' in proven)) return show(half, next, proven)
    const user = await needs.users.find(half.tenant, half.userId)
    if (user === undefined || !(await halfway.spend(half))) return beginAnew(next)
    const { tenant, provenAt, federated, passwordSetAt } = half
    const amr = [...new Set([...half.amr, ...proven.amr, 'mfa'])]
    const cookie = await startSession(needs, context, { tenant, user, amr, provenAt, federated, passwordSetAt })
    return redirectTo(next ?? '/account', { cookies: [cookie, ...halfway.clear()] })
  })

  /** Too late, in another browser, or used: the first step is taken again. */
  const beginAnew = (next: string | undefined) => redirectTo(withNext('/sign-in', next), { cookies: halfway.clear() })

  async function prove(context: LoginContext, half: Half, form: URLSearchParams): Promise<Proven | Problem> {
    const answer = form.get('answer')
    try {
      needs.limits.spend('signIn', context.env.address)
      const proven = answer ? await provePasskey(half, answer) : await proveCode(context, half, form.get('code') ?? '')
      needs.onProof(proven.kind, 'ok')
      return proven
    } catch (error) {
      const failure = asProblem(error)
      needs.onProof(answer ? 'passkey' : 'app', failure.code)
      if (!REFUSALS.has(failure.code)) throw error
      noteFailure(context, half, failure)
      return failure
    }
  }

  async function provePasskey(half: Half, answer: string): Promise<Proven> {
    const { userId, amr } = await needs.passkeys.prove(half.tenant, answer, useOf(half))
    if (userId !== half.userId) throw problem('passkey.refused', { reason: 'the passkey is another user’s' })
    return { kind: 'passkey', amr }
  }

  async function proveCode({ env }: LoginContext, { tenant, userId }: Half, code: string): Promise<Proven> {
    const wasRight = needs.codeAttempts.begin(tenant, userId)
    const kind = await needs.factors.takeCode(tenant, userId, code)
    if (kind === undefined) throw problem('factor.code')
    wasRight()
    if (kind === 'recovery') {
      const { codesLeft } = await needs.factors.standing(tenant, userId)
      const about = { address: env.address, left: codesLeft }
      await needs.audit.record(tenant, { kind: 'recovery.used', userId, requestId: env.requestId, ...about })
    }
    return { kind, amr: ['otp'] }
  }

  function noteFailure({ env: { address, requestId } }: LoginContext, half: Half, failure: Problem): void {
    needs.onFailure(failure, requestId)
    const { tenant, userId } = half
    if (!throttle.pass(`${userId} ${failure.code}`)) return
    needs.audit.note(tenant, { kind: 'login.second_failed', userId, requestId, error: failure.code, address })
  }

  async function show(half: Half, next: string | undefined, failure?: Problem): Promise<Response> {
    const { tenant, userId, csrf } = half
    const { passkeys, hasApp } = await needs.factors.usable(tenant, userId)
    const options = passkeys > 0 ? await needs.passkeys.ask(useOf(half), half) : undefined
    const body = secondPage({ csrf, next, options, hasApp, failure: failure?.message })
    return showPage(
      { title: say('second.title'), body, width: 'narrow', script: options === undefined ? undefined : 'passkey' },
      { status: failure?.row.status ?? 200, headers: failure && retryAfter(failure), leadsAway: next !== undefined },
    )
  }
}

interface Proven {
  readonly kind: ProofKind
  /** @see RFC 8176 §2 */
  readonly amr: readonly string[]
}

/** A challenge is good for this sign-in only. */
function useOf({ id, csrf }: Half): string {
  return `second step ${id} ${csrf}`
}

const REFUSALS: ReadonlySet<string> = new Set([
  'factor.code',
  'login.throttled',
  'limit.endpoint',
  'passkey.refused',
  'passkey.expired',
])
