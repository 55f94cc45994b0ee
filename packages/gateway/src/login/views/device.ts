import { html } from 'hono/html'
import type { DeviceRequest } from '../../authserver/devices.ts'
import { cleanText } from '../../pages/clean.ts'
import type { Html } from '../../pages/html.ts'
import { button, buttonLink, csrfField, errorSummary, field, hiddenField, notice } from '../../pages/parts.ts'
import { say } from '../../pages/words.ts'
import { permissions, sourceOf, type Asked } from './consent.ts'
import { shownName } from './sign-in.ts'

export interface CodeView {
  readonly csrf: string
  /** What was entered, or came with the link. */
  readonly code?: string | undefined
  readonly failure?: string | undefined
}

/** The page that asks for the code. That a link brought it saves typing and nothing else. @see RFC 8628 §3.3.1 */
export function codePage({ csrf, code, failure }: CodeView): Html {
  return html`<h1>${say('device.title')}</h1>
    ${failure !== undefined && errorSummary([{ field: 'code', text: failure }])}
    <div class="card">
      <form method="post" action="/device" class="wide-button">
        ${csrfField(csrf)}
        ${field({
          name: 'code',
          label: say('device.code'),
          hint: say('device.codeHint'),
          value: code === undefined ? undefined : cleanText(code, 20),
          required: true,
          autofocus: true,
          maxLength: 20,
        })}
        ${button(say('device.continue'))}
      </form>
    </div>
    ${notice('warning', say('device.beware'))}`
}

export interface ConfirmView {
  readonly request: DeviceRequest
  readonly isKnown: boolean
  /** Binds the answer to this browser and this code. */
  readonly csrf: string
  readonly asked: Asked
  readonly userName: string
}

/**
 * The page that asks whether the terminal may. The code stands there to be compared: whoever was sent it by somebody
 * else sees no such code on a device of theirs.
 *
 * @see RFC 8628 §5.4 (remote phishing)
 */
export function confirmPage({ request, isKnown, csrf, asked, userName }: ConfirmView): Html {
  const client = shownName(request.clientName)
  return html`<h1>${say('device.confirmTitle', { client })}</h1>
    ${notice('warning', say('device.beware'))}
    <div class="card">
      <p class="asks"><strong>${client}</strong> ${say('device.asks')}</p>
      <h2>${say('device.compare')}</h2>
      <p class="code"><strong>${request.userCode}</strong></p>
      <h2>${say('device.from')}</h2>
      <p>${cleanText(request.address, 60)}</p>
      <h2>${say('consent.from')}</h2>
      <p>${sourceOf(request, isKnown)}</p>
      ${(isKnown || request.isMetadataClient) && html`<p class="hint">${say('device.sameName')}</p>`}
      <h2>${say('consent.may')}</h2>
      ${permissions(asked)}
      <p class="hint">${say('consent.stays')} ${say('consent.signedInAs', { name: userName })}</p>
      <form method="post" action="/device/answer">
        ${csrfField(csrf)} ${hiddenField('code', request.userCode)}
        <div class="choices">
          ${button(say('device.refuse'), { kind: 'plain', name: 'decision', value: 'refuse' })}
          ${button(say('device.allow'), { kind: 'plain', name: 'decision', value: 'allow' })}
        </div>
      </form>
    </div>`
}

/** What is left to do: nothing, here. */
export function donePage(done: 'allowed' | 'refused'): Html {
  return html`<h1>${say(`device.${done}Title`)}</h1>
    ${notice(done === 'allowed' ? 'good' : 'info', say(`device.${done}`))}
    <p>${buttonLink('/account/clients', say('device.clients'))}</p>`
}
