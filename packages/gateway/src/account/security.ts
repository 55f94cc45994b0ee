import { redirectTo } from '../pages/respond.ts'
import { say } from '../pages/words.ts'
import { oddOf, readActivity } from './activity.ts'
import { addFactorRoutes } from './factors.ts'
import type { AccountNeeds } from './needs.ts'
import { findNotice } from './notices.ts'
import { hasPassword } from './password.ts'
import { securityPage } from './security-view.ts'
import { recordEnded } from './sessions.ts'
import { show } from './show.ts'
import { visitOf, type AccountHono, type Visit } from './visit.ts'

const PATH = '/account/security'

/** How safe an account is: its factors, where it is signed in, and what has been done with it lately. */
export function addSecurityRoutes(app: AccountHono, needs: AccountNeeds): void {
  app.get(PATH, async (context) => showSecurity(needs, visitOf(context)))

  app.post(`${PATH}/end-all`, async (context) => {
    const visit = visitOf(context)
    const { tenant, userId } = visit.person
    const ended = await needs.sessions.endAll(tenant, userId)
    await recordEnded(needs, visit, ended)
    return redirectTo('/sign-in?done=signedOut', { cookies: [needs.sessions.clearCookie()] })
  })

  addFactorRoutes(app, needs)
}

async function showSecurity(needs: AccountNeeds, visit: Visit): Promise<Response> {
  const { tenant, userId } = visit.person
  const activity = await readActivity(needs, visit.person)
  const body = securityPage({
    person: visit.person,
    standing: await needs.factors.standing(tenant, userId),
    may: needs.factors.allows(tenant),
    canLink: needs.federated.providersOf(tenant).length > 0,
    policy: needs.policyOf(tenant),
    hasPassword: await hasPassword(needs, visit.person),
    browsers: await needs.sessions.list(tenant, userId),
    activity,
    odd: oddOf(activity, needs.clock.now()),
    elsewhere: isElsewhere(visit, needs.publicUrl) ? needs.publicUrl : undefined,
    done: findNotice(visit.url),
  })
  return show(visit, say('security.title'), body)
}

/** Passkeys belong to the one name the gate has; by another, as of this machine, the browser shows none. */
function isElsewhere({ host }: Visit, publicUrl: string): boolean {
  return host !== new URL(publicUrl).host
}
