import { html } from 'hono/html'
import { cleanText } from '../../pages/clean.ts'
import type { Html } from '../../pages/html.ts'
import { button, csrfField, errorSummary, field, hiddenField, notice } from '../../pages/parts.ts'
import { say } from '../../pages/words.ts'

export interface SignInForm {
  readonly csrf: string
  readonly next: string | undefined
  /** What was entered before. */
  readonly name?: string | undefined
  readonly failure?: string | undefined
}

export interface SignInView extends SignInForm {
  readonly ways: readonly { show(form: SignInForm): Html }[]
  /** What the client calls itself for which somebody has to sign in. */
  readonly client?: string | undefined
  readonly signedOut?: boolean | undefined
}

/** The page where people sign in: every way there is, one below the other. */
export function signInPage({ ways, client, signedOut = false, ...form }: SignInView): Html {
  return html`<h1>${say('signIn.title')}</h1>
    ${signedOut && notice('good', say('signedOut.says'))}
    ${client !== undefined && notice('info', say('signIn.forClient', { client: shownName(client) }))}
    ${ways.map((way) => html`<section class="card">${way.show(form)}</section>`)}`
}

/** Name and password. The words of a failure are the same whatever was wrong. */
export function passwordForm({ csrf, next, name, failure }: SignInForm): Html {
  return html`${failure !== undefined && errorSummary([{ field: 'name', text: failure }])}
    <form method="post" action="/sign-in" class="wide-button">
      ${csrfField(csrf)} ${hiddenField('way', 'password')} ${next !== undefined && hiddenField('next', next)}
      ${field({
        name: 'name',
        label: say('signIn.name'),
        value: name,
        autocomplete: 'username',
        required: true,
        autofocus: true,
        maxLength: 64,
      })}
      ${field({
        name: 'password',
        label: say('signIn.password'),
        type: 'password',
        autocomplete: 'current-password',
        required: true,
      })}
      ${button(say('signIn.submit'))}
    </form>
    <p class="hint after">${say('signIn.forgotten')}</p>`
}

/** What a client calls itself, fit to be read beside our own words. */
export function shownName(name: string): string {
  const clean = cleanText(name, 60)
  return clean === '' ? say('consent.nameless') : clean
}
