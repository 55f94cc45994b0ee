import { html } from 'hono/html'
import type { Html } from '../../pages/html.ts'
import { button, csrfField, field, hiddenField } from '../../pages/parts.ts'
import { say } from '../../pages/words.ts'
import type { SignInForm } from './sign-in.ts'

/** A question to the browser's passkeys. The script of these pages asks it, and sends the answer with the form. */
interface PasskeyForm {
  readonly action: string
  readonly csrf: string
  readonly next?: string | undefined
  /** For `navigator.credentials`, as JSON. */
  readonly options: string
}

/**
 * Signs in without a name: by a button, or by what the browser suggests in the field of the name. After a failure it
 * suggests nothing, or the same answer could come again and again.
 */
export function passkeySignIn({ csrf, next, options, hasFailed }: SignInForm & { readonly options: string }): Html {
  const form = { action: '/sign-in', csrf, next, options }
  const content = html`${hiddenField('way', 'passkey')} ${button(say('passkey.use'), { kind: 'plain' })}`
  return section(form, { asks: hasFailed ? 'get' : 'get-or-suggest', content })
}

/** Proves that it is the user, with a passkey of theirs. */
export function passkeyProof(form: PasskeyForm): Html {
  return html`${section(form, { asks: 'get', content: button(say('passkey.use')) })} ${withoutScript()}`
}

/** Makes a passkey and names it. */
export function passkeyMaking(form: PasskeyForm & { readonly name: string }): Html {
  const name = field({
    name: 'name',
    label: say('passkey.name'),
    hint: say('passkey.nameHint'),
    value: form.name,
    required: true,
    maxLength: 64,
  })
  return html`${section(form, { asks: 'create', content: html`${name} ${button(say('passkey.make'))}` })}
  ${withoutScript()}`
}

function withoutScript(): Html {
  return html`<noscript><p class="hint">${say('passkey.script')}</p></noscript>`
}

interface Asking {
  readonly asks: 'get' | 'get-or-suggest' | 'create'
  readonly content: Html
}

/** Without a script there are no passkeys, so it is the script that shows this. */
function section({ action, csrf, next, options }: PasskeyForm, { asks, content }: Asking): Html {
  return html`<section class="card" data-passkey hidden>
    <form method="post" action="${action}" class="wide-button" data-asks="${asks}" data-options="${options}">
      ${csrfField(csrf)} ${next !== undefined && hiddenField('next', next)} ${hiddenField('answer', '')}
      <p class="wrong" role="alert" data-failed="${say('passkey.failed')}"></p>
      ${content}
    </form>
  </section>`
}
