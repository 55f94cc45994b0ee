import { html } from 'hono/html'
import type { UpstreamId } from '../base/ids.ts'
import type { Html } from '../pages/html.ts'
import { actionForm, button, buttonLink, card, csrfField, errorSummary, hiddenField, notice } from '../pages/parts.ts'
import { say } from '../pages/words.ts'
import type { ProviderLink } from '../providers/link.ts'
import type { ServiceToken } from '../providers/service.ts'
import { count, failureNotice } from './accounts-view.ts'
import { facts } from './facts.ts'
import type { Person, ProviderStanding } from './needs.ts'
import { nameOf, type ServerView } from './standing.ts'

interface Around {
  readonly server: ServerView
  readonly person: Pick<Person, 'userName' | 'csrf'>
  /** The other servers that wait for this user. */
  readonly others: readonly ServerView[]
}

/** What is about to be connected: for which server, where, with which access, and whose it will be. */
export function connectPage(
  { name: provider }: ProviderLink,
  { scopes, more }: ProviderStanding & { readonly more: readonly string[] },
  { server, person, others, action: { search } }: Around & { readonly action: URL },
): Html {
  const asked = scopes === undefined ? say('account.scopes.unknown', { provider }) : scopes.join(', ')
  return html`<h1>${say('account.connecting.title', { provider })}</h1>
    ${server.standing === 'connected' && notice('info', say('account.connecting.connected', { provider }))}
    ${server.failure && failureNotice(server.failure)}
    ${card(
      html`${facts([
          ['account.fact.server', describe(server)],
          ['account.fact.provider', provider],
          asked === '' ? undefined : ['account.fact.scopes', asked],
          more.length === 0 ? undefined : ['account.fact.moreScopes', more.join(', ')],
          ['account.fact.belongs', say('account.belongs', { user: person.userName })],
        ])}
        <p>${say('account.connecting.says', { provider })}</p>
        ${actionForm(`/connect/${server.id}${search}`, person.csrf, button(say('account.connecting.go', { provider })))}`,
    )}
    ${waiting(others)} ${back()}`
}

/** Where a user pastes a token. The one that is set is never shown, nor is one that did not fit. */
export function tokenPage(service: ServiceToken, around: Around & { action: string; wrong: string | undefined }): Html {
  const { server, person, others, action, wrong } = around
  return html`<h1>${say('account.token.title', { service: service.name })}</h1>
    ${server.standing === 'connected' && notice('info', say('account.token.has'))}
    ${errorSummary(wrong === undefined ? [] : [{ field: 'token', text: wrong }])}
    ${card(
      html`${facts([
          ['account.fact.server', describe(server)],
          ['account.fact.belongs', say('account.belongs', { user: person.userName })],
        ])}
        <p>${service.instructions}</p>
        ${helpLink(service)} ${tokenForm(service, { action, csrf: person.csrf, wrong })}`,
    )}
    ${waiting(others)} ${back()}`
}

function tokenForm(service: ServiceToken, form: { action: string; csrf: string; wrong: string | undefined }): Html {
  const { action, csrf, wrong } = form
  return html`<form method="post" action="${action}">
    ${csrfField(csrf)}
    <div class="field">
      <label for="token">${say('account.token.label')}</label>
      <p class="hint" id="token-hint">${say('account.token.hint', { service: service.name })} ${format(service)}</p>
      ${wrong && html`<p class="wrong" id="token-error">${wrong}</p>`}
      <input
        id="token"
        name="token"
        type="password"
        autocomplete="off"
        autocapitalize="none"
        spellcheck="false"
        maxlength="4096"
        aria-describedby="token-hint${wrong && ' token-error'}"
        ${wrong && html` aria-invalid="true"`}
        required
      />
    </div>
    ${button(say('account.token.save'))}
  </form>`
}

function format({ format: pattern }: ServiceToken): Html | undefined {
  return pattern && html`${say('account.token.format')} <code>${pattern.source}</code>`
}

/** What the configuration names is the operator's; still, nothing but a web page is linked to. */
function helpLink({ helpUrl }: ServiceToken): Html | undefined {
  const isWeb = helpUrl !== undefined && /^https?:$/.test(URL.parse(helpUrl)?.protocol ?? '')
  return isWeb ? html`<p><a href="${helpUrl}" rel="noreferrer">${say('account.token.help')}</a></p>` : undefined
}

/** Says that it worked and what is left; to load it again is harmless, since it says what is so. */
export function connectedPage({ server, others }: Omit<Around, 'person'>): Html {
  const provider = nameOf(server.needs) ?? server.id
  return html`<h1>${say('account.connected.title')}</h1>
    ${notice('good', say('account.connected.says', { server: server.id, provider }))}
    <p class="lead">${say('account.connected.client')}</p>
    ${others.length === 0 ? html`<p>${say('account.connected.alone')}</p>` : waiting(others)} ${back()}`
}

/** The page of a link that another user's client was given. */
export function otherUserPage({ userName, csrf }: Person, next: string): Html {
  return html`<h1>${say('account.other.title')}</h1>
    <p class="lead">${say('account.other.says', { user: userName })}</p>
    ${actionForm('/sign-out', csrf, html`${hiddenField('next', next)}${button(say('account.other.switch'))}`)} ${back()}`
}

/** The page of an answer that comes to a browser in which nobody is signed in any more. */
export function signedOutPage(): Html {
  return html`<h1>${say('account.signedOut.title')}</h1>
    <p class="lead">${say('account.signedOut.says', { gate: say('gate.name') })}</p>
    <p>${buttonLink('/sign-in?next=%2Faccount', say('account.signedOut.action'), 'primary')}</p>`
}

export interface QuestionView {
  readonly title: string
  readonly says: string
  /** What else will not work any more. */
  readonly alsoUsed: readonly UpstreamId[]
  readonly action: string
  readonly go: string
  readonly csrf: string
}

/** Asks before something is gone. */
export function questionPage({ title, says, alsoUsed, action, go, csrf }: QuestionView): Html {
  return html`<h1>${title}</h1>
    <p>${says}</p>
    ${alsoUsed.length > 0 && notice('warning', say('account.alsoUsed', { servers: alsoUsed.join(', ') }))}
    <div class="actions">
      ${actionForm(action, csrf, button(go, { kind: 'danger' }))} ${buttonLink('/account', say('account.cancel'))}
    </div>`
}

/** One page for everything that is missing: how many remain, and the way to each. */
function waiting(others: readonly ServerView[]): Html | undefined {
  if (others.length === 0) return undefined
  return html`<section class="card" aria-labelledby="waiting">
    <h2 id="waiting">${count('account.waiting.rest', others.length)}</h2>
    <ul class="waiting">
      ${others.map(
        (server) =>
          html`<li>
            <span><strong>${server.id}</strong> ${nameOf(server.needs)}</span>
            ${buttonLink(`/connect/${server.id}`, say('account.connectIt', { server: server.id }))}
          </li>`,
      )}
    </ul>
  </section>`
}

function describe({ id, description }: ServerView): Html {
  return html`<strong>${id}</strong>${description && html`<br />${description}`}`
}

function back(): Html {
  return html`<p><a href="/account">${say('account.back')}</a></p>`
}
