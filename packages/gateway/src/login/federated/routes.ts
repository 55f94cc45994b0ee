import { asProblem, problem, type Problem } from '../../base/problem.ts'
import type { User } from '../../identity/users.ts'
import { createThrottle } from '../../limits/throttle.ts'
import { readForm } from '../../pages/forms.ts'
import { parseNext } from '../../pages/next.ts'
import { showProblem } from '../../pages/problem.ts'
import { redirectTo } from '../../pages/respond.ts'
import { say } from '../../pages/words.ts'
import { finishSignIn } from '../finish.ts'
import { createFormCookie } from '../form-cookie.ts'
import type { LoginContext, LoginHono, LoginNeeds } from '../needs.ts'
import type { Proof } from '../ways.ts'
import { isRefusal, type Arrived } from './federated.ts'
import type { IdentityProvider } from './provider.ts'
import { provenAt } from './proven.ts'

/** Where an account that was linked is shown. */
export const LINKED_PATH = '/account/linked'

const REFUSED_EVERY_MS = 1_000
/** Of one tenant: more than there are kinds of refusal, so that none makes room for another. */
const REFUSALS = 16

/**
 * `/sign-in/with/<provider>` sends a browser there, `/sign-in/from/<provider>` takes it back, `/sign-in/out/<provider>` signs
 * it out there, and at `/sign-in/logout/<provider>` the provider itself says that somebody signed out.
 */
export function addFederatedRoutes(app: LoginHono, needs: LoginNeeds): void {
  const { federated, sessions, audit, limits } = needs
  const forms = createFormCookie(needs)
  const throttle = createThrottle({
    clock: needs.clock,
    everyMs: REFUSED_EVERY_MS,
    atMost: REFUSALS * needs.tenants.all.length,
  })

  app.post('/sign-in/with/:provider', async (context) => {
    const form = await forms.requireForm(context.req.raw)
    const next = parseNext(form.get('next'))
    try {
      limits.spend('signIn', context.env.address)
      const provider = providerIn(context)
      const { url, cookie } = await federated.begin(provider, { next, again: form.has('again') })
      return redirectTo(url.href, { cookies: [cookie] })
    } catch (error) {
      return showFailure(context, asProblem(error), { next })
    }
  })

  app.get('/sign-in/from/:provider', async (context) => {
    const cookieHeader = context.req.header('Cookie')
    const provider = providerIn(context)
    const next = await federated.whereTo(provider, cookieHeader)
    try {
      limits.spend('callback', context.env.address)
      audit.requireRoom(provider.tenant)
      const answer = new URL(context.req.url).searchParams
      const arrived = await federated.finish({ provider, answer, cookieHeader })
      return await (arrived.linkTo === undefined ? signIn(context, arrived) : link(context, arrived))
    } catch (error) {
      const failure = asProblem(error)
      noteRefusal(context, provider, failure)
      return showFailure(context, failure, { next, spent: true })
    }
  })

  app.get('/sign-in/out/:provider', async (context) => {
    try {
      limits.spend('callback', context.env.address)
      const url = await federated.endSessionUrl(providerIn(context))
      return redirectTo(url?.href ?? '/sign-in?done=signedOut')
    } catch (error) {
      return showFailure(context, asProblem(error), { next: undefined })
    }
  })

  app.post('/sign-in/logout/:provider', async (context) => {
    const headers = { 'Cache-Control': 'no-store' }
    try {
      limits.spend('logout', context.env.address)
      const provider = providerIn(context)
      const token = (await readForm(context.req.raw)).get('logout_token') ?? ''
      const ended = await federated.endBy(provider, token)
      for (const { tenant, userId, count } of ended) {
        const done = { kind: 'login.ended_elsewhere', userId, requestId: context.env.requestId } as const
        await audit.record(tenant, { ...done, provider: provider.id, count })
      }
      return new Response(null, { status: 200, headers })
    } catch (error) {
      const failure = asProblem(error)
      needs.onFailure(failure, context.env.requestId)
      const body = { error: 'invalid_request', error_description: failure.message }
      return Response.json(body, { status: failure.row.status, headers })
    }
  })

  async function signIn(context: LoginContext, arrived: Arrived): Promise<Response> {
    const { user, isNew } = await federated.admit(arrived)
    if (isNew) await recordNew(context, arrived, user)
    const { provider, identity, next } = arrived
    const { issuer, subject, sid } = identity
    const proof: Proof = {
      tenant: provider.tenant,
      user,
      amr: identity.amr.includes('mfa') ? ['fed', 'mfa'] : ['fed'],
      provenAt: provenAt(arrived),
      federated: { provider: provider.id, issuer, subject, sid },
    }
    return finishSignIn(needs, context, proof, { next, cookies: [federated.clearCookie(), forms.clear()] })
  }

  /** Links to who is signed in now, in the very session that asked for it. */
  async function link(context: LoginContext, arrived: Arrived): Promise<Response> {
    const session = await sessions.find(context.req.header('Cookie'))
    const isTheirs = session?.tenant === arrived.provider.tenant && session.sessionId === arrived.linkTo
    if (session === undefined || !isTheirs) throw problem('federated.state', { reason: 'another session' })
    const { tenant, userId } = session
    const linked = await federated.link(userId, arrived)
    if (linked === 'linked') {
      const { env } = context
      const what = { provider: arrived.provider.id, issuer: arrived.identity.issuer, how: 'account' }
      const done = { kind: 'identity.linked', userId, requestId: env.requestId, address: env.address } as const
      await audit.record(tenant, { ...done, ...what })
    }
    return redirectTo(`${LINKED_PATH}?done=identityLinked`, { cookies: [federated.clearCookie()] })
  }

  async function recordNew({ env }: LoginContext, { provider, identity }: Arrived, user: User): Promise<void> {
    const { requestId, address } = env
    const { tenant } = provider
    const { id: userId, name, role } = user
    await audit.record(tenant, { kind: 'user.added', userId, requestId, target: userId, name, role })
    const what = { provider: provider.id, issuer: identity.issuer, how: 'sign-in', address }
    await audit.record(tenant, { kind: 'identity.linked', userId, requestId, ...what })
  }

  function noteRefusal(
    { env: { requestId, address } }: LoginContext,
    { id: provider, tenant }: IdentityProvider,
    failure: Problem,
  ): void {
    if (!isRefusal(failure) || !throttle.pass(`${tenant} ${failure.code}`)) return
    const reason = failure.details['reason']
    const why = typeof reason === 'string' ? reason : undefined
    const event = { kind: 'login.refused', requestId, provider, error: failure.code, reason: why, address } as const
    audit.note(tenant, event)
  }

  /** @throws {Problem} `federated.unknown` */
  const providerIn = (context: LoginContext) => federated.require(context.req.param('provider') ?? '')

  /** Every failure has a way back, to where somebody was going. What was begun is over. */
  function showFailure({ env: { requestId } }: LoginContext, failure: Problem, { next, spent = false }: Failed) {
    needs.onFailure(failure, requestId)
    const href = next === undefined ? '/sign-in' : `/sign-in?next=${encodeURIComponent(next)}`
    const cookies = spent && failure.code !== 'federated.state' ? [federated.clearCookie()] : []
    return showProblem(failure, { requestId, action: { href, label: say('signInWith.back') }, cookies })
  }
}

interface Failed {
  readonly next: string | undefined
  /** Whether what was begun can be answered no more. */
  readonly spent?: boolean
}
