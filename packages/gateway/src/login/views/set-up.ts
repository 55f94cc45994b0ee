import { html, raw } from 'hono/html'
import { renderSVG } from 'uqr'
import type { Secret } from '../../base/secret.ts'
import type { Html } from '../../pages/html.ts'
import { button, card, csrfField, errorSummary, field, hiddenField, notice } from '../../pages/parts.ts'
import { say } from '../../pages/words.ts'
import type { AppOffer } from '../factors/authenticators.ts'
import { passkeyMaking } from './passkey.ts'

export interface SetUpView {
  readonly csrf: string
  readonly next: string | undefined
  /** What a new passkey would be called, and the question to the browser; absent where there can be none. */
  readonly passkey: { readonly options: string; readonly name: string } | undefined
  /** Absent where the policy takes no codes. */
  readonly app: AppOffer | undefined
  readonly failure?: { readonly text: string; readonly isOfApp: boolean } | undefined
}

/** The page that has somebody set up a second factor before they go on. */
export function setUpPage({ csrf, next, passkey, app, failure }: SetUpView): Html {
  return html`<h1>${say('setUp.title')}</h1>
    <p class="lead">${say('setUp.says')}</p>
    ${failure && whatFailed(failure)}
    ${
      passkey &&
      html`<h2>${say('setUp.passkey')}</h2>
        <p>${say('setUp.passkeySays')}</p>
        ${passkeyMaking({ action: '/sign-in/set-up/passkey', csrf, next, ...passkey })}`
    }
    ${
      app &&
      html`<h2>${say('setUp.app')}</h2>
        ${card(appForm({ action: '/sign-in/set-up/app', csrf, next, app, error: failure?.isOfApp ? failure.text : undefined }))}`
    }`
}

function whatFailed({ text, isOfApp }: NonNullable<SetUpView['failure']>): Html | undefined {
  return isOfApp ? errorSummary([{ field: 'code', text }]) : notice('error', text)
}

interface AppForm {
  readonly action: string
  readonly csrf: string
  readonly next?: string | undefined
  readonly app: AppOffer
  readonly error?: string | undefined
}

/** Hands a secret to an app, by picture or by hand, and asks for the first code it makes. */
export function appForm({ action, csrf, next, app, error }: AppForm): Html {
  return html`<ol class="steps">
      <li>
        <p>${say('app.scan')}</p>
        <div class="qr">${picture(app.uri)}</div>
        <p class="hint">${say('app.type')}</p>
        <code class="code">${app.text.reveal()}</code>
      </li>
      <li>${say('app.enter')}</li>
    </ol>
    <form method="post" action="${action}" class="wide-button" autocomplete="off">
      ${csrfField(csrf)} ${next !== undefined && hiddenField('next', next)} ${hiddenField('offer', app.sealed)}
      ${field({
        name: 'code',
        label: say('app.code'),
        error,
        autocomplete: 'one-time-code',
        required: true,
        maxLength: 12,
      })}
      ${button(say('app.submit'))}
    </form>`
}

/** Black on white whatever the colours of the page: some cameras read nothing else. */
function picture(uri: Secret): Html {
  const svg = renderSVG(uri.reveal(), { border: 3, pixelSize: 4 })
  return raw(svg.replace('<svg ', `<svg role="img" aria-label="${say('app.picture')}" `))
}

/** The one page that shows recovery codes. */
export function recoveryPage(codes: readonly Secret[], onward: string): Html {
  return html`<h1>${say('recovery.title')}</h1>
    ${notice('warning', say('recovery.once'))}
    ${card(
      html`<p>${say('recovery.says')}</p>
        <ul class="codes" role="list">
          ${codes.map((code) => html`<li><code>${code.reveal()}</code></li>`)}
        </ul>`,
    )}
    <p><a class="button primary" href="${onward}">${say('recovery.done')}</a></p>`
}
