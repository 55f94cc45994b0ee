import { html } from 'hono/html'
import type { Html } from '../pages/html.ts'
import { actionForm, badge, button, buttonLink, card, hiddenField, notice, time } from '../pages/parts.ts'
import { say, type WordKey } from '../pages/words.ts'
import type { ConnectionRecord } from '../providers/connection-store.ts'
import { facts, type Fact } from './facts.ts'
import type { ProviderStanding } from './needs.ts'
import { fromNow } from './spans.ts'
import { hasEnded, missing, standings, type Failure, type Need, type ServerView, type Standing } from './standing.ts'

export interface AccountsView {
  readonly servers: readonly ServerView[]
  /** How many tools each server is known to have. */
  readonly tools: ReadonlyMap<string, number>
  readonly csrf: string
  readonly now: number
  readonly done: string | undefined
}

/** Every server that the user may use, those that wait for the user first. */
export function accountsPage(view: AccountsView): Html {
  const { servers, done } = view
  const waiting = missing(servers).length
  return html`<h1>${say('account.title')}</h1>
    <p class="lead">${say('account.lead')}</p>
    ${done && notice('good', done)} ${waiting > 0 && notice('info', count('account.waiting', waiting))}
    ${servers.length === 0 && html`<p class="none">${say('account.none')}</p>`}
    ${standings.map((standing) => group(standing, view))}`
}

/** Says how many there are, in the words for one or for many. */
export function count(words: 'account.waiting' | 'account.waiting.rest', many: number): string {
  return many === 1 ? say(`${words}.one`) : say(`${words}.many`, { count: many })
}

function group(standing: Standing, view: AccountsView): Html | undefined {
  const members = view.servers.filter((server) => server.standing === standing)
  if (members.length === 0) return undefined
  return html`<section aria-labelledby="group-${standing}">
    <h2 id="group-${standing}">${say(`account.group.${standing}`)}</h2>
    ${members.map((server) => serverCard(server, view))}
  </section>`
}

function serverCard(server: ServerView, view: AccountsView): Html {
  const { id, description, failure } = server
  return card(
    html`<h3>${id} ${stateOf(server)}</h3>
      ${description && html`<p>${description}</p>`} ${failure && failureNotice(failure)}
      ${facts([...factsOf(server.needs, view.now), tools(view.tools.get(id)), changes(server)])}
      ${actionsOf(server, view.csrf)}`,
    { id: `server-${id}` },
  )
}

function stateOf({ standing, needs }: ServerView): Html {
  const [kind, word] = STATES[standing]
  if (needs.kind === 'token')
    return badge(kind, say(standing === 'missing' ? 'account.state.token' : 'account.state.tokenSet'))
  const again = standing === 'missing' && needs.kind === 'connection' && needs.record !== undefined
  return badge(kind, say(again ? 'account.state.again' : word))
}

const STATES = {
  missing: ['warning', 'account.state.missing'],
  unavailable: ['bad', 'account.state.unavailable'],
  connected: ['good', 'account.state.connected'],
  ready: ['plain', 'account.state.ready'],
} as const satisfies Record<Standing, readonly [string, WordKey]>

/** What to do is said by the buttons where the user can do it, else by the row of the failure. */
export function failureNotice({ problem, at }: Failure): Html {
  const fix = problem.code === 'connection.rejected' ? undefined : problem.fix
  const when = at === undefined ? undefined : html` (${time(at)})`
  return notice('warning', html`${problem.message}${when} ${fix}`)
}

function factsOf(needs: Need, now: number): readonly (Fact | undefined)[] {
  switch (needs.kind) {
    case 'nothing':
      return []
    case 'token':
      return [
        ['account.fact.token', needs.service.name],
        needs.record && ['account.fact.tokenSince', time(needs.record.updatedAt)],
        needs.record && ['account.fact.used', time(needs.record.lastUsedAt)],
      ]
    case 'connection':
      return [
        ['account.fact.provider', needs.link.name],
        ...(needs.record === undefined ? [] : connectionFacts(needs, needs.record, now)),
        needs.record && ['account.fact.used', time(needs.record.lastUsedAt)],
      ]
  }
}

function connectionFacts(
  needs: Need & { kind: 'connection' },
  record: ConnectionRecord,
  now: number,
): readonly (Fact | undefined)[] {
  const { account, connectedAt, scopes, status } = record
  return [
    ['account.fact.account', account ?? say('account.nameless')],
    ['account.fact.since', time(connectedAt)],
    status === 'connected' ? ['account.fact.access', expiry(needs, record, now)] : undefined,
    scopes.length === 0 ? undefined : ['account.fact.granted', scopes.join(', ')],
  ]
}

/** When the access at hand ends, and what becomes of it then. */
function expiry({ link, about }: Need & { kind: 'connection' }, record: ConnectionRecord, now: number): string {
  const { expiresAt, refreshedAt } = record
  const renewed = refreshedAt === undefined ? '' : say('account.expiry.renewed', { ago: fromNow(refreshedAt, now) })
  if (expiresAt === undefined) return `${say('account.expiry.open', { provider: link.name })} ${renewed}`
  return `${say(wordOf(about, record, now), { when: fromNow(expiresAt, now) })} ${renewed}`
}

function wordOf({ renews }: ProviderStanding, record: ConnectionRecord, now: number): WordKey {
  if (!hasEnded(record, now)) return renews ? 'account.expiry.later' : 'account.expiry.last'
  return renews && record.failure === undefined ? 'account.expiry.ended' : 'account.expiry.failed'
}

function tools(known: number | undefined): Fact | undefined {
  return known === undefined ? undefined : ['account.fact.tools', String(known)]
}

function changes({ changes }: ServerView): Fact | undefined {
  if (changes === 'allowed') return undefined
  return [
    'account.fact.changes',
    say(changes === 'not by anybody' ? 'account.changes.operator' : 'account.changes.user'),
  ]
}

function actionsOf(server: ServerView, csrf: string): Html | undefined {
  const own = ownActions(server, csrf)
  const readOnly = server.standing === 'unavailable' ? undefined : readOnlySwitch(server, csrf)
  return own || readOnly ? html`<div class="actions">${own} ${readOnly}</div>` : undefined
}

/** What holds for everybody is no choice of one user's. */
function readOnlySwitch({ id, changes }: ServerView, csrf: string): Html | undefined {
  if (changes === 'not by anybody') return undefined
  const word = changes === 'allowed' ? 'account.readOnly' : 'account.allowChanges'
  const go = button(say(word), { kind: 'plain', label: labelFor(word, id) })
  const on = hiddenField('on', changes === 'allowed' ? 'yes' : 'no')
  return actionForm(`/account/servers/${id}/read-only`, csrf, html`${on}${go}`)
}

function ownActions(server: ServerView, csrf: string): Html | undefined {
  const { needs } = server
  if (needs.kind === 'nothing') return undefined
  if (needs.kind === 'connection' && !needs.about.isSetUp && needs.record === undefined) return undefined
  return needs.kind === 'token' ? tokenActions(server) : connectionActions(server, needs, csrf)
}

function tokenActions({ id, standing }: ServerView): Html {
  const path = `/account/servers/${id}/token`
  if (standing === 'missing') return buttonLink(path, forServer('account.pasteToken', id), 'primary')
  return html`${buttonLink(path, forServer('account.replaceToken', id))}
  ${buttonLink(`${path}/remove`, forServer('account.removeToken', id))}`
}

function connectionActions({ id, standing }: ServerView, needs: Need & { kind: 'connection' }, csrf: string): Html {
  const { link, about, record } = needs
  const words = record === undefined ? 'account.connect' : 'account.connectAgain'
  const connect = buttonLink(
    `/connect/${id}`,
    say(words, { provider: link.name }),
    standing === 'missing' ? 'primary' : 'plain',
  )
  const test = button(say('account.test'), { kind: 'plain', label: labelFor('account.test', id) })
  return html`${about.isSetUp && connect}
  ${about.isSetUp && record?.status === 'connected' && actionForm(`/account/servers/${id}/test`, csrf, test)}
  ${record && buttonLink(`/account/servers/${id}/disconnect`, forServer('account.disconnect', id))}`
}

/** The name of the server is read out, and not seen: it stands above the button. */
function forServer(word: WordKey, server: string): Html {
  return html`${say(word)}<span class="unseen"> ${server}</span>`
}

function labelFor(word: WordKey, server: string): string {
  return say('account.forServer', { action: say(word), server })
}
