import { problem } from '../base/problem.ts'
import { holdUser } from '../identity/users.ts'
import { redirectTo } from '../pages/respond.ts'
import type { TenantDb } from '../storage/tenant.ts'
import { describeBrowser } from './browser.ts'
import { createHalfway } from './halfway.ts'
import type { LoginContext, LoginNeeds } from './needs.ts'
import { decideNextStep } from './policy.ts'
import type { Proof } from './ways.ts'

const STEPS = { prove: '/sign-in/second', setUp: '/sign-in/set-up' } as const

/**
 * Ends every way to sign in. Where the proof is enough the browser is signed in and goes on to where it was going;
 * where a second factor is wanted, the proof waits in a sealed cookie and there is no session yet.
 */
export async function finishSignIn(
  needs: LoginNeeds,
  context: LoginContext,
  proof: Proof,
  { next, cookies = [] }: { readonly next: string | undefined; readonly cookies?: readonly string[] },
): Promise<Response> {
  const { tenant, user, amr } = proof
  const step = decideNextStep(amr, await needs.factors.usable(tenant, user.id), needs.policyOf(tenant))
  if (step !== 'none') {
    const half = await createHalfway(needs).begin(proof, step)
    return redirectTo(withNext(STEPS[step], next), { cookies: [...cookies, ...half] })
  }
  const cookie = await startSession(needs, context, proof)
  return redirectTo(next ?? '/account', { cookies: [cookie, ...cookies] })
}

/** A page of signing in that knows where the browser was going. */
export function withNext(path: string, next: string | undefined): string {
  return next === undefined ? path : `${path}?next=${encodeURIComponent(next)}`
}

/**
 * Signs the browser in and records it; answers with the cookie to set. What was proven is enough by now.
 *
 * @throws {Problem} `login.failed` where what it was proven with was taken away meanwhile
 */
export async function startSession(needs: LoginNeeds, context: LoginContext, proof: Proof): Promise<string> {
  const { tenant, user, amr, provenAt, federated } = proof
  const { address, requestId } = context.env
  const browser = context.req.header('User-Agent') ?? ''
  const cookieHeader = context.req.header('Cookie')
  const requireIn = (db: TenantDb) => requireHeld(needs, db, proof)
  const from = { browser, address, amr, federated, authenticatedAt: provenAt, cookieHeader, requireIn }
  const { cookie } = await needs.sessions.start(tenant, user.id, from)
  const shown = { browser: describeBrowser(browser), address }
  await needs.watch.signingIn({ tenant, userId: user.id, requestId }, shown)
  await needs.audit.record(tenant, {
    kind: 'login.ok',
    userId: user.id,
    requestId,
    how: amr.join(' '),
    provider: federated?.provider,
    ...shown,
  })
  return cookie
}

/**
 * A new password signs the user’s browsers out, and so does an account that is unlinked those which it signed in: one whose
 * sign-in was under way at that moment shall not come in after all.
 */
async function requireHeld({ passwords, federated: { identities } }: LoginNeeds, db: TenantDb, proof: Proof) {
  const { user, passwordSetAt, federated } = proof
  const isHeld =
    (await holdUser(db, user.id)) &&
    (passwordSetAt === undefined || (await passwords.holdIn(db, user.id, passwordSetAt))) &&
    (federated === undefined || (await identities.holdIn(db, user.id, federated)))
  if (!isHeld) throw problem('login.failed', { target: user.id })
}
