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
  /** Whether it is shown again because of what was entered. */
  readonly hasFailed?: boolean | undefined
  /** Whether there are tenants whose people write its name before theirs. */
  readonly hasTenants?: boolean | undefined
}

/** Of a tenant's name, the slash and a user's name. */
export const SIGN_IN_NAME_LENGTH = 32 + 1 + 64

export interface SignInView {
  /** What each way shows of itself. */
  readonly ways: readonly Html[]
  /** What was wrong, and the field it is about, where the page has that. */
  readonly failure?: { readonly text: string; readonly field: string | undefined } | undefined
  /** What the client calls itself for which somebody has to sign in. */
  readonly client?: string | undefined
  readonly signedOut?: boolean | undefined
  /** Whether somebody is signed in, and asked to prove it once more. */
  readonly again?: boolean | undefined
  /** The ways that lead elsewhere. */
  readonly elsewhere?: Html | undefined
}

/** The page where people sign in: every way there is, one below the other. */
export function signInPage({ ways, failure, client, signedOut = false, again = false, elsewhere }: SignInView): Html {
  return html`<h1>${say(again ? 'signIn.again' : 'signIn.title')}</h1>
    ${again && html`<p class="lead">${say('signIn.againSays')}</p>`}
    ${signedOut && notice('good', say('signedOut.says'))}
    ${client !== undefined && notice('info', say('signIn.forClient', { client: shownName(client) }))}
    ${failure && whatFailed(failure)} ${ways} ${elsewhere}`
}

function whatFailed({ text, field: name }: NonNullable<SignInView['failure']>): Html | undefined {
  return name === undefined ? notice('error', text) : errorSummary([{ field: name, text }])
}

/** Name and password. The words of a failure are the same whatever was wrong. */
export function passwordForm({ csrf, next, name, hasTenants = false }: SignInForm): Html {
  return html`<section class="card">
    <form method="post" action="/sign-in" class="wide-button">
      ${csrfField(csrf)} ${hiddenField('way', 'password')} ${next !== undefined && hiddenField('next', next)}
      ${field({
        name: 'name',
        label: say('signIn.name'),
        hint: hasTenants ? say('signIn.nameHint') : undefined,
        value: name,
        autocomplete: 'username webauthn',
        required: true,
        autofocus: !name,
        maxLength: SIGN_IN_NAME_LENGTH,
      })}
      ${field({
        name: 'password',
        label: say('signIn.password'),
        type: 'password',
        autocomplete: 'current-password',
        required: true,
        // A name that stands there already is not typed again, and nobody types a password in its place.
        autofocus: Boolean(name),
      })}
      ${button(say('signIn.submit'))}
    </form>
    <p class="hint after">${say('signIn.forgotten')}</p>
  </section>`
}

/** What a client calls itself, fit to be read beside our own words. */
export function shownName(name: string): string {
  const clean = cleanText(name, 60)
  return clean === '' ? say('consent.nameless') : clean
}
