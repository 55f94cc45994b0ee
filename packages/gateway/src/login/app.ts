import { Hono } from 'hono'
import { asProblem, problem, type Problem } from '../base/problem.ts'
import type { PageApp } from '../pages/app.ts'
import { handleAsset } from '../pages/assets.ts'
import { showProblem } from '../pages/problem.ts'
import { redirectTo } from '../pages/respond.ts'
import { say } from '../pages/words.ts'
import { addFederatedRoutes } from './federated/routes.ts'
import { addDeviceRoutes } from './device.ts'
import { addInteractionRoutes } from './interactions.ts'
import type { LoginContext, LoginEnv, LoginHono, LoginNeeds } from './needs.ts'
import { addSecondStepRoutes } from './second.ts'
import { addSetUpRoutes } from './set-up.ts'
import { addSignInRoutes } from './sign-in.ts'
import { addSignOutRoute } from './sign-out.ts'
import { addWelcomeRoutes } from './welcome.ts'

export type { LoginNeeds } from './needs.ts'

/** The pages by which people come in and go, and by which they let clients in. */
export function createLoginApp(needs: LoginNeeds): PageApp {
  const app: LoginHono = new Hono<LoginEnv>()
  app.get('/', async (context) => {
    const session = await needs.sessions.find(context.req.header('Cookie'))
    return redirectTo(session === undefined ? '/sign-in' : '/account')
  })
  app.get('/assets/*', (context) => handleAsset(context.req.path) ?? context.notFound())
  addSignInRoutes(app, needs)
  addSecondStepRoutes(app, needs)
  addSetUpRoutes(app, needs)
  addFederatedRoutes(app, needs)
  addSignOutRoute(app, needs)
  addWelcomeRoutes(app, needs)
  addInteractionRoutes(app, needs)
  addDeviceRoutes(app, needs)

  const answer = (failure: Problem, context: LoginContext): Response => {
    const { requestId } = context.env
    needs.onFailure(failure, requestId)
    return showProblem(failure, { requestId, action: wayOut(failure, context) })
  }
  app.notFound((context) => answer(problem('request.not_found'), context))
  app.onError((error, context) => answer(asProblem(error), context))

  return { fetch: async (request, from) => app.fetch(request, { ...from }) }
}

/**
 * From a form that was refused, back to the page it stands on, which brings a good one; from a provider that is none any
 * more, to those there are.
 */
function wayOut({ code }: Problem, { req }: LoginContext) {
  if (code === 'federated.unknown') return { href: '/sign-in', label: say('signInWith.back') }
  if (code !== 'request.csrf') return undefined
  if (req.path.startsWith('/sign-in/with/')) return { href: '/sign-in', label: say('problem.again') }
  return { href: req.path === '/sign-out' ? '/account' : req.path, label: say('problem.again') }
}
