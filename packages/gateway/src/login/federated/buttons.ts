import { html } from 'hono/html'
import type { Html } from '../../pages/html.ts'
import { button, csrfField, hiddenField } from '../../pages/parts.ts'
import { say } from '../../pages/words.ts'
import type { IdentityProvider } from './provider.ts'

export interface ButtonsView {
  readonly csrf: string
  readonly next: string | undefined
  /** Whether somebody who is signed in is to prove anew who they are. */
  readonly again: boolean
  /** Whether there is no other way in. */
  readonly only: boolean
  /** The provider where somebody is still signed in who has just signed out here. */
  readonly signedOutAt?: string | undefined
}

/** "Continue with …", for each provider; nothing where there is none. */
export function continueButtons(
  providers: readonly Pick<IdentityProvider, 'id' | 'label'>[],
  { csrf, next, again, only, signedOutAt }: ButtonsView,
): Html | undefined {
  if (providers.length === 0) return undefined
  const signedOut = providers.find(({ id }) => id === signedOutAt)
  return html`<section class="card stack" aria-label="${say('signInWith.label')}">
    ${providers.map(
      ({ id, label }) =>
        html`<form method="post" action="/sign-in/with/${id}" class="wide-button">
          ${csrfField(csrf)} ${next !== undefined && hiddenField('next', next)} ${again && hiddenField('again', '1')}
          ${button(say('signInWith.continue', { provider: label }), { kind: only ? 'primary' : 'plain' })}
        </form>`,
    )}
    ${only && html`<p class="hint">${say('signInWith.only')}</p>`}
    ${signedOut && html`<p class="hint"><a href="/sign-in/out/${signedOut.id}">${say('signInWith.out', { provider: signedOut.label })}</a></p>`}
  </section>`
}
