import { html } from 'hono/html'
import type { Consent } from '../authserver/consents.ts'
import { problem } from '../base/problem.ts'
import { cleanText } from '../pages/clean.ts'
import type { Html } from '../pages/html.ts'
import { actionForm, button, card, hiddenField, notice, table, time } from '../pages/parts.ts'
import { redirectTo } from '../pages/respond.ts'
import { say } from '../pages/words.ts'
import type { AccountNeeds } from './needs.ts'
import { findNotice, withNotice } from './notices.ts'
import { show } from './show.ts'
import { visitOf, type AccountHono } from './visit.ts'

const PATH = '/account/clients'

/** The MCP clients that a user let in. */
export function addClientRoutes(app: AccountHono, { consents, publicUrl }: AccountNeeds): void {
  app.get(PATH, async (context) => {
    const visit = visitOf(context)
    const { tenant, userId, csrf } = visit.person
    const body = clientsPage(await consents.list(tenant, userId), { csrf, publicUrl, done: findNotice(visit.url) })
    return show(visit, say('clients.title'), body)
  })

  app.post(`${PATH}/revoke`, async (context) => {
    const { holder, form, requestId, address } = visitOf(context)
    const client = form.get('client') ?? ''
    const revoked = await consents.revoke(holder.tenant, holder.userId, client, { requestId, address })
    if (!revoked) throw problem('client.unknown', { client })
    return redirectTo(withNotice(PATH, 'clientRevoked'))
  })
}

interface ClientsView {
  readonly csrf: string
  readonly publicUrl: string
  readonly done: string | undefined
}

function clientsPage(consents: readonly Consent[], view: ClientsView): Html {
  return html`<h1>${say('clients.title')}</h1>
    <p class="lead">${say('clients.lead')}</p>
    ${view.done && notice('good', view.done)}
    ${card(
      table({
        caption: say('clients.caption'),
        headings: HEADINGS.map((word) => say(word)),
        rows: consents.map((consent) => toRow(consent, view)),
        none: say('clients.none'),
      }),
    )}`
}

const HEADINGS = [
  'clients.client',
  'clients.id',
  'clients.host',
  'clients.opens',
  'clients.since',
  'clients.used',
  'account.action',
] as const
const ID_LENGTH = 40

function toRow({ clientId, clientName, redirectHost, resources, ...times }: Consent, { csrf, publicUrl }: ClientsView) {
  const name = cleanText(clientName) || say('clients.nameless')
  const revoke = button(say('clients.revoke'), { kind: 'danger', label: `${say('clients.revoke')}: ${name}` })
  return [
    name,
    html`<code>${cleanText(clientId, ID_LENGTH)}</code>`,
    cleanText(redirectHost),
    opens(resources, `${publicUrl}/mcp`),
    time(times.grantedAt),
    time(times.usedAt),
    actionForm(`${PATH}/revoke`, csrf, html`${hiddenField('client', clientId)}${revoke}`),
  ]
}

/** Which servers; the resource that is all of them is said in words. */
function opens(resources: readonly string[], all: string): string {
  if (resources.includes(all)) return say('clients.all')
  return resources.map((resource) => resource.slice(`${all}/`.length)).join(', ')
}
