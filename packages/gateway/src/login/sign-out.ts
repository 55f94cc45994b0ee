import { requireCsrf, requireOwnOrigin } from '../pages/csrf.ts'
import { readForm } from '../pages/forms.ts'
import { parseNext } from '../pages/next.ts'
import { redirectTo } from '../pages/respond.ts'
import type { LoginHono, LoginNeeds } from './needs.ts'

/** `/sign-out`: ends the session, and what the authorization server keeps in this browser goes with it. */
export function addSignOutRoute(app: LoginHono, needs: LoginNeeds): void {
  const { sessions, audit, publicUrl } = needs

  app.post('/sign-out', async (context) => {
    requireOwnOrigin(context.req.raw, publicUrl)
    const cookieHeader = context.req.header('Cookie')
    const form = await readForm(context.req.raw)
    const session = await sessions.find(cookieHeader)
    if (session !== undefined) {
      const { tenant, userId, sessionId, csrf } = session
      const { address, requestId } = context.env
      requireCsrf(form, csrf)
      audit.requireRoom(tenant)
      await sessions.end(tenant, userId, sessionId)
      await audit.record(tenant, { kind: 'login.ended', userId, requestId, address })
    }
    const next = parseNext(form.get('next'))
    const where = next === undefined ? '/sign-in?done=signedOut' : `/sign-in?next=${encodeURIComponent(next)}`
    return redirectTo(where, { cookies: [sessions.clearCookie(), ...forgetting(cookieHeader, publicUrl)] })
  })
}

const ITS_OWN = /^_(?:session|interaction|state)/

/** Takes the authorization server's cookies away, as far as the browser shows them here. */
function forgetting(cookieHeader = '', publicUrl: string): string[] {
  const names = cookieHeader.split(';').map((pair) => pair.split('=', 1)[0]?.trim() ?? '')
  const all = new Set(['_session', '_session.legacy', ...names.filter((name) => ITS_OWN.test(name))])
  const secure = publicUrl.startsWith('https:') ? '; Secure' : ''
  return [...all].map((name) => `${name}=; Path=/; HttpOnly; SameSite=Lax${secure}; Max-Age=0`)
}
