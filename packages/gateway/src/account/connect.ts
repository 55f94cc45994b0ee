import { problem } from '../base/problem.ts'
import { parseNext } from '../pages/next.ts'
import { showProblem } from '../pages/problem.ts'
import { redirectTo, showPage } from '../pages/respond.ts'
import { say } from '../pages/words.ts'
import { CALLBACK, SERVER_CALLBACK } from '../providers/party.ts'
import { around, requireLink, viewAll } from './accounts.ts'
import { connectedPage, connectPage, otherUserPage, signedOutPage, tokenPage } from './connect-view.ts'
import type { AccountNeeds, AccountServer } from './needs.ts'
import { show } from './show.ts'
import { notSetUp } from './standing.ts'
import { keepToken, requireService } from './tokens.ts'
import { requireServer, viewerOf, visitOf, type AccountContext, type AccountHono, type Visit } from './visit.ts'

/** The page that a client's link leads to, and what follows from it: `/connect/:server`. */
export function addConnectRoutes(app: AccountHono, needs: AccountNeeds): void {
  const serverIn = (context: AccountContext<'/:server'>) => requireServer(needs.servers(), context.req.param('server'))

  app.get('/connect/:server', async (context) => {
    const visit = visitOf(context)
    const server = serverIn(context)
    return refuse(needs, visit, server) ?? showConnect(needs, visit, server)
  })

  app.post('/connect/:server', async (context) => {
    const visit = visitOf(context)
    const server = serverIn(context)
    const refused = refuse(needs, visit, server)
    if (refused !== undefined) return refused
    return server.link === undefined ? paste(needs, visit, server) : begin(needs, visit, server)
  })

  app.get('/connect/:server/done', async (context) => {
    const visit = visitOf(context)
    const server = serverIn(context)
    const view = around(await viewAll(needs, visit), server, visit)
    if (view.server.standing !== 'connected') return redirectTo(`/connect/${server.id}`)
    return show(visit, say('account.connected.title'), connectedPage(view), { narrow: true })
  })
}

/** Where answers of providers come. */
export const CALLBACKS: readonly string[] = [CALLBACK, SERVER_CALLBACK]

/**
 * Where providers send the browser back to. It stands before the check of who is signed in, since it has an answer
 * of its own for nobody; what else it needs to know is bound to the browser's session.
 */
export function addCallbackRoute(app: AccountHono, { sessions, connections, limits }: AccountNeeds): void {
  app.on('GET', [...CALLBACKS], async (context) => {
    const { address, requestId } = context.env
    limits.spend('callback', address)
    const person = await sessions.find(context.req.header('Cookie'))
    if (person === undefined) {
      return showPage(
        { title: say('account.signedOut.title'), body: signedOutPage(), width: 'narrow' },
        { status: 403 },
      )
    }
    // Kept for the page of a failure, which is no other page than for every other route.
    context.set('person', person)
    const by = { userId: person.userId, requestId, address }
    const { next } = await connections.finish({ session: person, address: new URL(context.req.url), by })
    return redirectTo(parseNext(next) ?? '/account?done=connected')
  })
}

/**
 * A link is good for the user whose client asked, so that nobody's account is connected for somebody else.
 *
 * @see MCP 2025-11-25, client/elicitation, "Safe URL handling" and "Phishing"
 */
function refuse(needs: AccountNeeds, visit: Visit, { id }: AccountServer): Response | undefined {
  const ticket = visit.url.searchParams.get('t')
  if (ticket === null) return undefined
  const { holder } = visit
  const standing = needs.connections.checkLink({ ticket, holder, server: id, scopes: scopesIn(visit) })
  if (standing === 'ok') return undefined
  const failure = problem(standing === 'other' ? 'connect.other_user' : 'connect.link_expired', { server: id })
  needs.onFailure(failure, visit.requestId)
  if (standing === 'expired')
    return showProblem(failure, { requestId: visit.requestId, viewer: viewerOf(visit.person) })
  const next = `${visit.url.pathname}${visit.url.search}`
  return show(visit, failure.message, otherUserPage(visit.person, next), { narrow: true, status: failure.row.status })
}

/** What the link asks for beside what is asked for anyway; without a ticket anybody could have written it. */
function scopesIn({ url: { searchParams } }: Visit): readonly string[] {
  return searchParams.has('t') ? (searchParams.get('scope')?.split(' ') ?? []) : []
}

async function showConnect(
  needs: AccountNeeds,
  visit: Visit,
  server: AccountServer,
  wrong?: string,
): Promise<Response> {
  if (server.link === undefined && server.service === undefined) return redirectTo('/account')
  const view = around(await viewAll(needs, visit), server, visit)
  if (server.link === undefined) {
    const service = requireService(server)
    const body = tokenPage(service, { ...view, action: `/connect/${server.id}`, wrong })
    const status = wrong === undefined ? 200 : 400
    return show(visit, say('account.token.title', { service: service.name }), body, { narrow: true, status })
  }
  const about = needs.aboutProvider(server.link.provider)
  if (!about.isSetUp) throw notSetUp(server.link)
  const title = say('account.connecting.title', { provider: server.link.name })
  return show(
    visit,
    title,
    connectPage(server.link, { ...about, more: scopesIn(visit) }, { ...view, action: visit.url }),
    { narrow: true, leadsAway: true },
  )
}

async function begin(needs: AccountNeeds, visit: Visit, server: AccountServer): Promise<Response> {
  const { provider } = requireLink(server)
  const { sessionId } = visit.person
  const url = await needs.connections.begin({
    ...visit.holder,
    sessionId,
    provider,
    next: `/connect/${server.id}/done`,
    scopes: scopesIn(visit),
  })
  return redirectTo(url.href)
}

async function paste(needs: AccountNeeds, visit: Visit, server: AccountServer): Promise<Response> {
  const failure = await keepToken(needs, visit, requireService(server))
  return failure === undefined
    ? redirectTo(`/connect/${server.id}/done`)
    : showConnect(needs, visit, server, failure.message)
}
