import { html } from 'hono/html'
import type { Html } from '../../pages/html.ts'
import { button, csrfField, errorSummary, field, hiddenField, notice } from '../../pages/parts.ts'
import { say } from '../../pages/words.ts'
import { passkeyProof } from './passkey.ts'

export interface SecondView {
  readonly csrf: string
  readonly next: string | undefined
  /** The question to the user's passkeys, where they have any. */
  readonly options: string | undefined
  readonly hasApp: boolean
  readonly failure?: string | undefined
}

/** The page that asks for the second factor: a passkey, a code of the app, or a recovery code. */
export function secondPage({ csrf, next, options, hasApp, failure }: SecondView): Html {
  return html`<h1>${say('second.title')}</h1>
    <p class="lead">${say('second.says')}</p>
    ${failure !== undefined && (options === undefined ? errorSummary([{ field: 'code', text: failure }]) : notice('error', failure))}
    ${options !== undefined && passkeyProof({ action: '/sign-in/second', csrf, next, options })}
    <section class="card">
      <form method="post" action="/sign-in/second" class="wide-button">
        ${csrfField(csrf)} ${next !== undefined && hiddenField('next', next)}
        ${codeField(say(hasApp ? 'second.code' : 'second.recoveryCode'), hasApp ? say('second.codeHint') : undefined)}
        ${button(say('second.submit'), { kind: options === undefined ? 'primary' : 'plain' })}
      </form>
      <p class="hint after">${say('second.lost')}</p>
    </section>
    <p><a href="/sign-in${next === undefined ? '' : `?next=${encodeURIComponent(next)}`}">${say('second.anew')}</a></p>`
}

function codeField(label: string, hint: string | undefined): Html {
  return field({
    name: 'code',
    label,
    hint,
    autocomplete: 'one-time-code',
    required: true,
    autofocus: true,
    maxLength: 32,
  })
}
