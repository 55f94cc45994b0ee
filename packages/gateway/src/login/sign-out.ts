import { requireCsrf, requireOwnOrigin } from '../pages/csrf.ts'
import { readForm } from '../pages/forms.ts'
import { parseNext } from '../pages/next.ts'
import { redirectTo } from '../pages/respond.ts'
import type { LoginHono, LoginNeeds } from './needs.ts'

/** `/sign-out`: ends the session, and with it the authorization server's in this browser, which has none but ours. */
export function addSignOutRoute(app: LoginHono, needs: LoginNeeds): void {
  const { sessions, audit, federated, publicUrl } = needs

  app.post('/sign-out', async (context) => {
    requireOwnOrigin(context.req.raw, publicUrl)
    const form = await readForm(context.req.raw)
    const session = await sessions.find(context.req.header('Cookie'))
    const vouched = session && (await federated.providerOf(session.tenant, session.sessionId))
    if (session !== undefined) {
      const { tenant, userId, sessionId, csrf } = session
      const { address, requestId } = context.env
      requireCsrf(form, csrf)
      audit.requireRoom(tenant)
      await sessions.end(tenant, userId, sessionId)
      await audit.record(tenant, { kind: 'login.ended', userId, requestId, address })
    }
    const next = parseNext(form.get('next'))
    const where =
      next === undefined
        ? `/sign-in?done=signedOut${vouched ? `&at=${vouched.id}` : ''}`
        : `/sign-in?next=${encodeURIComponent(next)}`
    return redirectTo(where, { cookies: [sessions.clearCookie()] })
  })
}
