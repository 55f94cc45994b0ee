import { html } from 'hono/html'
import type { LinkedIdentity } from '../login/federated/identities.ts'
import type { IdentityProvider } from '../login/federated/provider.ts'
import { LINKED_PATH } from '../login/federated/routes.ts'
import type { Html } from '../pages/html.ts'
import { actionForm, button, card, hiddenField, notice, table, time } from '../pages/parts.ts'
import { say } from '../pages/words.ts'

interface LinkedView {
  readonly linked: readonly LinkedIdentity[]
  readonly providers: readonly Pick<IdentityProvider, 'id' | 'label'>[]
  readonly csrf: string
}

/** What is linked, and a button for every provider. */
export function linkedTable({ linked, providers, csrf }: LinkedView): Html {
  const labels = new Map(providers.map(({ id, label }) => [id, label]))
  const toRow = (identity: LinkedIdentity) => {
    const { provider, issuer, subject, shownAs, linkedAt, usedAt } = identity
    const label = `${say('linked.unlink')}: ${shownAs}`
    const unlink = button(say('linked.unlink'), { kind: 'danger', label })
    const which = html`${hiddenField('issuer', issuer)}${hiddenField('subject', subject)}${unlink}`
    const form = actionForm(`${LINKED_PATH}/unlink`, csrf, which)
    return [shownAs, labels.get(provider) ?? provider, time(linkedAt), time(usedAt), form]
  }
  return html`${card(
    table({
      caption: say('linked.caption'),
      headings: HEADINGS.map((word) => say(word)),
      rows: linked.map(toRow),
      none: say('linked.none'),
    }),
  )}
  ${
    providers.length > 0 &&
    card(
      html`<p>${say('linked.says')}</p>
        <div class="actions">
          ${providers.map(({ id, label }) => {
            const link = button(say('linked.link', { provider: label }), { kind: 'plain' })
            return actionForm(`${LINKED_PATH}/link`, csrf, html`${hiddenField('provider', id)}${link}`)
          })}
        </div>`,
      { heading: say('linked.another') },
    )
  }`
}

const HEADINGS = ['linked.account', 'linked.at', 'linked.since', 'linked.used', 'account.action'] as const

/** The page of its own. */
export function linkedPage({
  section,
  done,
}: {
  readonly section: Html | undefined
  readonly done: string | undefined
}) {
  return html`<h1>${say('linked.title')}</h1>
    ${done && notice('good', done)} ${section ?? html`<p class="none">${say('linked.nothing')}</p>`}`
}
