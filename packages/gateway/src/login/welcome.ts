import type { TenantId } from '../base/ids.ts'
import { asProblem, problem } from '../base/problem.ts'
import { secret } from '../base/secret.ts'
import { showPage } from '../pages/respond.ts'
import { say } from '../pages/words.ts'
import { LINKED_PATH } from './federated/routes.ts'
import { createFormCookie } from './form-cookie.ts'
import type { Invited } from './invitations.ts'
import type { LoginContext, LoginHono, LoginNeeds } from './needs.ts'
import { finishSignIn } from './finish.ts'
import { enterPage, welcomePage, type WelcomeView } from './views/welcome.ts'

/**
 * `/welcome/<secret>`: where a link leads by which its user sets a password, and is signed in with that. Where their
 * tenant has no way in of its own the link itself signs in, once, and leads to where an account elsewhere is linked.
 */
export function addWelcomeRoutes(app: LoginHono, needs: LoginNeeds): void {
  const { invitations, audit, limits } = needs
  const forms = createFormCookie(needs)

  app.get('/welcome/:secret', async (context) =>
    show(context, await requireInvited(context, context.req.param('secret'))),
  )

  app.post('/welcome/:secret', async (context) => {
    const form = await forms.requireForm(context.req.raw)
    const { address, requestId } = context.env
    limits.spend('signIn', address)
    const link = context.req.param('secret')
    const { tenant, user } = await requireInvited(context, link)
    audit.requireRoom(tenant)
    if (isSingle(tenant)) return enter(context, link)
    const password = secret(form.get('password') ?? '')
    if (form.get('again') !== password.reveal()) return show(context, { tenant, user }, DIFFER)
    const wrong = await invitations.use(link, password).then(() => undefined, asWrong)
    if (wrong !== undefined) return show(context, { tenant, user }, wrong)
    await audit.record(tenant, { kind: 'password.set', userId: user.id, requestId, how: 'invitation', address })
    return finishSignIn(needs, context, { tenant, user, amr: ['pwd'] }, { next: undefined, cookies: [forms.clear()] })
  })

  const isSingle = (tenant: TenantId) => needs.policyOf(tenant).methods.length === 0

  async function enter(context: LoginContext, link: string): Promise<Response> {
    const { address, requestId } = context.env
    const { tenant, user } = await invitations.use(link, undefined)
    await audit.record(tenant, { kind: 'invitation.used', userId: user.id, requestId, address })
    return finishSignIn(needs, context, { tenant, user, amr: ['otp'] }, { next: LINKED_PATH, cookies: [forms.clear()] })
  }

  /** Whoever tries links out is counted; whoever has one is not. */
  async function requireInvited({ env: { address } }: LoginContext, link: string): Promise<Invited> {
    const invited = await invitations.find(link)
    if (invited !== undefined) return invited
    limits.spend('signIn', address)
    throw problem('invitation.invalid')
  }

  async function show(
    context: LoginContext,
    { tenant, user }: Invited,
    wrong?: WelcomeView['wrong'],
  ): Promise<Response> {
    const { csrf, cookies } = forms.keyFor(context.req.header('Cookie'))
    const isNew = isSingle(tenant) || (await needs.passwords.changedAt(tenant, user.id)) === undefined
    const body = isSingle(tenant)
      ? enterPage({ userName: user.name, csrf })
      : welcomePage({
          userName: user.name,
          signInName: needs.tenants.qualify(tenant, user.name),
          isNew,
          csrf,
          length: needs.passwords.length,
          wrong,
        })
    const title = say(isNew ? 'welcome.title' : 'welcome.back', { name: user.name })
    return showPage({ title, body, width: 'narrow' }, { status: wrong === undefined ? 200 : 400, cookies })
  }
}

const DIFFER = { field: 'again', text: say('welcome.differ') } as const

/** What is wrong with a password is shown beside its field. */
function asWrong(error: unknown): WelcomeView['wrong'] {
  const failure = asProblem(error)
  if (failure.code !== 'login.password_weak') throw error
  return { field: 'password', text: failure.message }
}
