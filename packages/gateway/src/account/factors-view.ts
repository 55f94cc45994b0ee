import { html } from 'hono/html'
import type { AppOffer } from '../login/factors/authenticators.ts'
import { passkeyMaking } from '../login/views/passkey.ts'
import { appForm } from '../login/views/set-up.ts'
import type { Html } from '../pages/html.ts'
import { card, errorSummary, notice } from '../pages/parts.ts'
import { say } from '../pages/words.ts'

const back = () => html`<p><a href="/account/security">${say('security.back')}</a></p>`

export interface PasskeyView {
  readonly csrf: string
  readonly options: string
  /** What it would be called. */
  readonly name: string
  readonly failure: string | undefined
}

/** The page on which a passkey is made. */
export function passkeyPage({ csrf, options, name, failure }: PasskeyView): Html {
  return html`<h1>${say('security.addPasskey')}</h1>
    <p class="lead">${say('setUp.passkeySays')}</p>
    ${failure !== undefined && notice('error', failure)}
    ${passkeyMaking({ action: '/account/security/passkeys', csrf, options, name })} ${back()}`
}

export interface AppView {
  readonly csrf: string
  readonly app: AppOffer
  readonly failure: string | undefined
}

/** The page on which an authenticator app is set up. */
export function appPage({ csrf, app, failure: error }: AppView): Html {
  return html`<h1>${say('security.addApp')}</h1>
    ${error !== undefined && errorSummary([{ field: 'code', text: error }])}
    ${card(appForm({ action: '/account/security/app', csrf, app, error }))} ${back()}`
}
