import { html } from 'hono/html'
import type { Html } from '../../pages/html.ts'
import { button, csrfField, errorSummary, field } from '../../pages/parts.ts'
import { say } from '../../pages/words.ts'

export interface WelcomeView {
  readonly userName: string
  /** What they write where they sign in: more than their name, in all but the first tenant. */
  readonly signInName: string
  /** Whether they have no password yet. */
  readonly isNew: boolean
  readonly csrf: string
  /** The fewest characters. */
  readonly length: number
  readonly wrong?: { readonly field: 'password' | 'again'; readonly text: string } | undefined
}

/** The page a link leads to, where its user chooses a password. */
export function welcomePage({ userName, signInName, isNew, csrf, length, wrong }: WelcomeView): Html {
  const errorOf = (name: 'password' | 'again') => (wrong?.field === name ? wrong.text : undefined)
  return html`<h1>${say(isNew ? 'welcome.title' : 'welcome.back', { name: userName })}</h1>
    ${wrong && errorSummary([wrong])}
    <section class="card">
      <p>${say('welcome.says')}</p>
      ${signInName !== userName && html`<p>${say('welcome.signInName', { name: signInName })}</p>`}
      <form method="post" class="wide-button">
        ${csrfField(csrf)}
        <input type="hidden" name="username" autocomplete="username" value="${signInName}" />
        ${field({
          name: 'password',
          label: say('welcome.password'),
          type: 'password',
          hint: say('welcome.hint', { length }),
          error: errorOf('password'),
          autocomplete: 'new-password',
          required: true,
          autofocus: true,
        })}
        ${field({
          name: 'again',
          label: say('welcome.again'),
          type: 'password',
          error: errorOf('again'),
          autocomplete: 'new-password',
          required: true,
        })}
        ${button(say('welcome.submit'))}
      </form>
      <p class="hint after">${say('welcome.ends')}</p>
    </section>`
}

/** The page a link leads to where nobody has a password: it lets in by itself. */
export function enterPage({ userName, csrf }: Pick<WelcomeView, 'userName' | 'csrf'>): Html {
  return html`<h1>${say('welcome.title', { name: userName })}</h1>
    <section class="card">
      <p>${say('welcome.single')}</p>
      <form method="post" class="wide-button">${csrfField(csrf)} ${button(say('welcome.enter'))}</form>
      <p class="hint after">${say('welcome.ends')}</p>
    </section>`
}
