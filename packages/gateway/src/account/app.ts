import { Hono } from 'hono'
import { asProblem, problem, type Problem } from '../base/problem.ts'
import type { PageApp } from '../pages/app.ts'
import { requireCsrf, requireOwnOrigin } from '../pages/csrf.ts'
import { readForm } from '../pages/forms.ts'
import { showProblem } from '../pages/problem.ts'
import { redirectTo } from '../pages/respond.ts'
import { say } from '../pages/words.ts'
import { addAccountRoutes } from './accounts.ts'
import { addClientRoutes } from './clients.ts'
import { addCallbackRoute, addConnectRoutes, CALLBACKS } from './connect.ts'
import { askAgainBeforeDanger } from './fresh.ts'
import { addKeyRoutes } from './keys.ts'
import { addLinkedRoutes } from './linked.ts'
import type { AccountNeeds } from './needs.ts'
import { addSecurityRoutes } from './security.ts'
import { addSessionRoutes } from './sessions.ts'
import { viewerOf, type AccountContext, type AccountEnv, type AccountHono } from './visit.ts'

export type { AccountNeeds, AccountServer } from './needs.ts'

/** The pages on which users manage what is theirs. */
export function createAccountApp(needs: AccountNeeds): PageApp {
  const app: AccountHono = new Hono<AccountEnv>()
  addCallbackRoute(app, needs)
  admitOnlySignedIn(app, needs)
  askAgainBeforeDanger(app, needs)
  addAccountRoutes(app, needs)
  addConnectRoutes(app, needs)
  addClientRoutes(app, needs)
  addKeyRoutes(app, needs)
  addSessionRoutes(app, needs)
  addSecurityRoutes(app, needs)
  addLinkedRoutes(app, needs)

  const answer = (failure: Problem, context: AccountContext): Response => {
    const { requestId } = context.env
    needs.onFailure(failure, requestId)
    const person = context.get('person')
    // An answer of a provider is good for once: what failed there is begun again elsewhere.
    const begin = { href: '/account', label: say('account.connecting.begin') }
    const action = CALLBACKS.includes(context.req.path) ? begin : undefined
    return showProblem(failure, { requestId, viewer: person && viewerOf(person), action })
  }
  app.notFound((context) => answer(problem('request.not_found'), context))
  app.onError((error, context) => answer(asProblem(error), context))

  return { fetch: async (request, from) => app.fetch(request, { ...from }) }
}

/**
 * Lets on only who is signed in, and only forms of our own pages; and nothing is changed that could not be recorded.
 * After signing in, a page is shown again, but a form is not sent again: it leads to the account.
 */
function admitOnlySignedIn(app: AccountHono, { sessions, audit, publicUrl }: AccountNeeds): void {
  app.use(async (context, next) => {
    const { method, url, raw: request } = context.req
    const isForm = method === 'POST'
    if (isForm) requireOwnOrigin(request, publicUrl)
    const person = await sessions.find(context.req.header('Cookie'))
    if (person === undefined)
      return redirectTo(`/sign-in?next=${encodeURIComponent(isForm ? '/account' : pathOf(url))}`)
    context.set('person', person)
    context.set('form', isForm ? await readForm(request) : new URLSearchParams())
    if (isForm) {
      requireCsrf(context.get('form'), person.csrf)
      audit.requireRoom(person.tenant)
    }
    return next()
  })
}

function pathOf(address: string): string {
  const { pathname, search } = new URL(address)
  return `${pathname}${search}`
}
