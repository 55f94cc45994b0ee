import { html } from 'hono/html'
import type { PasskeyRecord } from '../login/factors/passkey-store.ts'
import type { SignInPolicy } from '../login/policy.ts'
import type { Html } from '../pages/html.ts'
import { actionForm, badge, button, buttonLink, card, hiddenField, notice, table, time } from '../pages/parts.ts'
import { say } from '../pages/words.ts'
import type { Activity } from './activity.ts'
import { browsersTable } from './browsers-view.ts'
import { facts } from './facts.ts'
import type { Browser, Person } from './needs.ts'

const PATH = '/account/security'

export interface SecurityView {
  readonly person: Person
  readonly standing: Standing
  /** Whether there are identity providers to sign in with. */
  readonly canLink: boolean
  /** What the policy lets them have. */
  readonly may: { readonly passkeys: boolean; readonly codes: boolean }
  readonly policy: SignInPolicy
  /** Whether they have one to sign in with. */
  readonly hasPassword: boolean
  readonly browsers: readonly Browser[]
  readonly activity: readonly Activity[]
  /** What of it is told on top of the page. */
  readonly odd: readonly Activity[]
  /** The address at which there are passkeys, where this is another. */
  readonly elsewhere: string | undefined
  readonly done: string | undefined
}

interface Standing {
  readonly passkeys: readonly PasskeyRecord[]
  readonly app: { readonly createdAt: number; readonly usedAt: number | null } | undefined
  readonly codesLeft: number
}

/** How safe an account is, and what can be done about it. */
export function securityPage(view: SecurityView): Html {
  const { may, standing, person, browsers, done } = view
  const hasFactor = standing.passkeys.length > 0 || standing.app !== undefined
  const endAll = button(say('security.endAll'), { kind: 'danger' })
  const { secondFactor } = view.policy
  const lead = secondFactor === 'optional' && !view.hasPassword ? 'off' : secondFactor
  return html`<h1>${say('security.title')}</h1>
    <p class="lead">${say(`security.lead.${lead}`)}</p>
    ${done && notice('good', done)} ${view.odd.length > 0 && oddNotice(view.odd)} ${may.passkeys && passkeysCard(view)}
    ${may.codes && appCard(view)} ${may.codes && hasFactor && recoveryCard(view)} ${view.hasPassword && passwordCard()}
    ${view.canLink && linkedCard()}
    ${card(
      html`${browsersTable(browsers, person)} ${actionForm(`${PATH}/end-all`, person.csrf, endAll)}
        <p class="hint after">${say('security.endAllSays')} <a href="/account/clients">${say('clients.title')}</a></p>`,
      { heading: say('sessions.title') },
    )}
    ${activityCard(view)}`
}

/** What was odd lately, and what to do about it. */
function oddNotice(odd: readonly Activity[]): Html {
  const lines = odd.map(({ what, about, address, at }) => {
    const more = [about, address].filter((each) => each !== '').join(', ')
    return html`<li>${what}${more !== '' && `: ${more}`} (${time(at)})</li>`
  })
  return html`<section class="notice warning" aria-labelledby="odd">
    <h2 id="odd">${say('odd.title')}</h2>
    <ul>
      ${lines}
    </ul>
    <p>${say('odd.says')}</p>
  </section>`
}

function linkedCard(): Html {
  return card(html`<p>${buttonLink('/account/linked', say('security.toLinked'))}</p>`, { heading: say('linked.title') })
}

function passwordCard(): Html {
  return card(
    html`<p>${buttonLink('/account/sessions', say('sessions.password'))}</p>
      <p class="hint">${say('sessions.ends')}</p>`,
    { heading: say('signIn.password') },
  )
}

function passkeysCard({ standing: { passkeys }, person: { csrf }, elsewhere }: SecurityView): Html {
  const rows = passkeys.map(({ id, name, keptIn, createdAt, usedAt }) => {
    const remove = button(say('security.remove'), { kind: 'danger', label: `${say('security.remove')}: ${name}` })
    const form = actionForm(`${PATH}/passkeys/remove`, csrf, html`${hiddenField('passkey', id)}${remove}`)
    return [name, say(`security.kept.${keptIn}`), time(createdAt), time(usedAt), form]
  })
  return card(
    html`<p>${say('security.passkeysSays')}</p>
      ${table({
        caption: say('security.passkeysCaption'),
        headings: HEADINGS.map((word) => say(word)),
        rows,
        none: say('security.passkeysNone'),
      })}
      ${
        elsewhere === undefined
          ? html`<p>${buttonLink(`${PATH}/passkeys`, say('security.addPasskey'), 'primary')}</p>`
          : html`<p class="hint">${say('security.elsewhere')} <a href="${elsewhere}${PATH}">${elsewhere}</a></p>`
      }`,
    { heading: say('security.passkeys'), id: 'passkeys' },
  )
}

const HEADINGS = ['keys.name', 'security.kept', 'security.since', 'security.used', 'account.action'] as const

function appCard({ standing: { app }, person: { csrf } }: SecurityView): Html {
  const content =
    app === undefined
      ? html`<p>${say('security.appSays')}</p>
          <p>${buttonLink(`${PATH}/app`, say('security.addApp'))}</p>`
      : html`${facts([
          ['security.since', time(app.createdAt)],
          ['security.used', time(app.usedAt)],
        ])}
        ${actionForm(`${PATH}/app/remove`, csrf, button(say('security.removeApp'), { kind: 'danger' }))}`
  return card(content, { heading: say('security.app'), id: 'app' })
}

const FEW = 3

function recoveryCard({ standing: { codesLeft }, person: { csrf } }: SecurityView): Html {
  return card(
    html`<p>
        ${say(codesLeft === 1 ? 'security.codesLeft.one' : 'security.codesLeft.many', { count: codesLeft })}
        ${codesLeft <= FEW && badge('warning', say('security.codesFew'))}
      </p>
      ${actionForm(`${PATH}/recovery`, csrf, button(say('security.newCodes'), { kind: 'plain' }))}
      <p class="hint after">${say('security.newCodesSays')}</p>`,
    { heading: say('recovery.title'), id: 'recovery' },
  )
}

function activityCard({ activity }: SecurityView): Html {
  return card(
    table({
      caption: say('security.activityCaption'),
      headings: [say('security.what'), say('security.about'), say('sessions.address'), say('security.when')],
      rows: activity.map(({ what, about, address, at }) => [what, about, address, time(at)]),
      none: say('security.activityNone'),
    }),
    { heading: say('security.activity') },
  )
}
