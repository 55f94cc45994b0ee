import { problem } from '../base/problem.ts'
import { redirectTo } from '../pages/respond.ts'
import { say } from '../pages/words.ts'
import { accountsPage } from './accounts-view.ts'
import { questionPage, tokenPage, type QuestionView } from './connect-view.ts'
import type { ProviderLink } from '../providers/link.ts'
import type { AccountNeeds, AccountServer } from './needs.ts'
import { findNotice, withNotice } from './notices.ts'
import { show } from './show.ts'
import { accountOf, missing, viewServers, type ServerView } from './standing.ts'
import { keepToken, removeToken, requireService } from './tokens.ts'
import { doneBy, requireServer, visitOf, type AccountContext, type AccountHono, type Visit } from './visit.ts'

/** The servers and what is connected to them: `/account` and `/account/servers/…`. */
export function addAccountRoutes(app: AccountHono, needs: AccountNeeds): void {
  const serverIn = (context: AccountContext<'/:server'>) => requireServer(needs.servers(), context.req.param('server'))

  app.get('/account', async (context) => {
    const visit = visitOf(context)
    const servers = await viewAll(needs, visit)
    const body = accountsPage({
      servers,
      tools: await countTools(needs, visit),
      csrf: visit.person.csrf,
      now: needs.clock.now(),
      done: findNotice(visit.url),
    })
    return show(visit, say('account.title'), body)
  })

  app.post('/account/servers/:server/test', async (context) => {
    const server = serverIn(context)
    await needs.connections.test(visitOf(context).holder, requireLink(server), server.id)
    return redirectTo(withNotice('/account', 'tested'))
  })

  app.post('/account/servers/:server/read-only', async (context) => {
    const server = serverIn(context).id
    const visit = visitOf(context)
    const on = visit.form.get('on') === 'yes'
    const { tenant, userId } = visit.holder
    await needs.users.setReadOnly(tenant, userId, { server, on })
    await needs.audit.record(tenant, { kind: 'server.read_only', ...doneBy(visit), server, on })
    return redirectTo(withNotice('/account', on ? 'readOnly' : 'changesAllowed'))
  })

  app.get('/account/servers/:server/disconnect', (context) => {
    const visit = visitOf(context)
    return ask(visit, disconnecting(needs, visit, serverIn(context)))
  })
  app.post('/account/servers/:server/disconnect', async (context) => {
    const { provider } = requireLink(serverIn(context))
    const visit = visitOf(context)
    const by = { ...doneBy(visit), address: visit.address }
    const { revoked } = await needs.connections.disconnect(visit.holder, provider, by)
    return redirectTo(withNotice('/account', revoked ? 'disconnected' : 'disconnectedHere'))
  })

  app.get('/account/servers/:server/token', async (context) =>
    showTokenForm(needs, visitOf(context), serverIn(context)),
  )
  app.post('/account/servers/:server/token', async (context) => {
    const visit = visitOf(context)
    const server = serverIn(context)
    const failure = await keepToken(needs, visit, requireService(server))
    if (failure !== undefined) return showTokenForm(needs, visit, server, failure.message)
    return redirectTo(withNotice('/account', 'tokenSet'))
  })

  app.get('/account/servers/:server/token/remove', (context) => {
    const visit = visitOf(context)
    return ask(visit, removing(needs, visit, serverIn(context)))
  })
  app.post('/account/servers/:server/token/remove', async (context) => {
    await removeToken(needs, visitOf(context), serverIn(context))
    return redirectTo(withNotice('/account', 'tokenRemoved'))
  })
}

/** How every server stands for this user. */
export async function viewAll(needs: AccountNeeds, { holder }: Visit): Promise<ServerView[]> {
  const { tenant, userId } = holder
  const [connections, tokens, readOnly] = await Promise.all([
    needs.connections.list(tenant, userId),
    needs.credentials.list(tenant, userId),
    needs.users.listReadOnly(tenant, userId),
  ])
  return viewServers(needs.servers(), {
    connections,
    tokens,
    readOnly,
    aboutProvider: needs.aboutProvider,
    now: needs.clock.now(),
  })
}

async function countTools(
  { servers, countTools: count }: AccountNeeds,
  { holder }: Visit,
): Promise<Map<string, number>> {
  const known = new Map<string, number>()
  for (const { id } of servers()) {
    const tools = await count(holder, id)
    if (tools !== undefined) known.set(id, tools)
  }
  return known
}

async function showTokenForm(
  needs: AccountNeeds,
  visit: Visit,
  server: AccountServer,
  wrong?: string,
): Promise<Response> {
  const service = requireService(server)
  const views = await viewAll(needs, visit)
  const body = tokenPage(service, {
    ...around(views, server, visit),
    action: `/account/servers/${server.id}/token`,
    wrong,
  })
  const title = say('account.token.title', { service: service.name })
  return show(visit, title, body, { narrow: true, status: wrong === undefined ? 200 : 400 })
}

/** A server among the others that wait for the user; those of the same account wait for nothing more than it does. */
export function around(views: readonly ServerView[], { id }: AccountServer, { person }: Visit) {
  const server = views.find((view) => view.id === id)
  if (server === undefined) throw problem('upstream.unknown', { server: id })
  const others = missing(views).filter((view) => accountOf(view.needs) !== accountOf(server.needs))
  return { server, person, others }
}

/** @throws {Problem} `connection.unknown` */
export function requireLink({ id, link }: AccountServer): ProviderLink {
  if (link === undefined) throw problem('connection.unknown', { provider: id })
  return link
}

function disconnecting({ servers }: AccountNeeds, { person }: Visit, server: AccountServer): QuestionView {
  const { name: provider, provider: id } = requireLink(server)
  return {
    title: say('account.disconnecting.title', { provider }),
    says: say('account.disconnecting.says', { provider }),
    alsoUsed: idsBeside(
      server,
      servers().filter(({ link }) => link?.provider === id),
    ),
    action: `/account/servers/${server.id}/disconnect`,
    go: say('account.disconnecting.go'),
    csrf: person.csrf,
  }
}

function removing({ servers }: AccountNeeds, { person }: Visit, server: AccountServer): QuestionView {
  const { name, service: id } = requireService(server)
  return {
    title: say('account.removing.title', { service: name }),
    says: say('account.removing.says', { service: name }),
    alsoUsed: idsBeside(
      server,
      servers().filter(({ service }) => service?.service === id),
    ),
    action: `/account/servers/${server.id}/token/remove`,
    go: say('account.removing.go'),
    csrf: person.csrf,
  }
}

function idsBeside(server: AccountServer, servers: readonly AccountServer[]) {
  return servers.filter(({ id }) => id !== server.id).map(({ id }) => id)
}

function ask(visit: Visit, question: QuestionView): Response {
  return show(visit, question.title, questionPage(question), { narrow: true })
}
