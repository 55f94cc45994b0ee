import { html } from 'hono/html'
import type { Html } from './html.ts'
import { say } from './words.ts'

/** What proves that a form is one of ours. */
export function csrfField(token: string): Html {
  return html`<input type="hidden" name="csrf" value="${token}" />`
}

export function hiddenField(name: string, value: string): Html {
  return html`<input type="hidden" name="${name}" value="${value}" />`
}

export interface FieldView {
  /** Also its id, so that a summary of errors can lead to it. */
  readonly name: string
  readonly label: string
  readonly type?: 'text' | 'password' | undefined
  readonly value?: string | undefined
  readonly hint?: string | undefined
  /** What is wrong with what was entered. */
  readonly error?: string | undefined
  readonly autocomplete?: string | undefined
  readonly required?: boolean | undefined
  readonly autofocus?: boolean | undefined
  readonly maxLength?: number | undefined
}

/** A labelled input with its hint and its error, which are read out with it. */
export function field(view: FieldView): Html {
  const { name, label, type = 'text', value, hint, error, autocomplete = 'off' } = view
  const hintId = hint === undefined ? undefined : `${name}-hint`
  const errorId = error === undefined ? undefined : `${name}-error`
  const described = [hintId, errorId].filter((id) => id !== undefined).join(' ')
  return html`<div class="field">
    <label for="${name}">${label}</label>
    ${hintId && html`<p class="hint" id="${hintId}">${hint}</p>`}
    ${errorId && html`<p class="wrong" id="${errorId}">${error}</p>`}
    <input
      id="${name}"
      name="${name}"
      type="${type}"
      autocomplete="${autocomplete}"
      autocapitalize="none"
      spellcheck="false"
      ${attribute('value', value)}
      ${attribute('maxlength', view.maxLength)}
      ${attribute('aria-describedby', described || undefined)}
      ${attribute('aria-invalid', errorId && 'true')}
      ${flag('required', view.required)}
      ${flag('autofocus', view.autofocus)}
    />
  </div>`
}

export interface ButtonView {
  readonly kind?: 'primary' | 'plain' | 'danger' | 'quiet' | undefined
  /** What the form says of which of its buttons was used. */
  readonly name?: string | undefined
  readonly value?: string | undefined
  /** Read out in place of the text, where several buttons of a page say the same. */
  readonly label?: string | undefined
}

export function button(text: string, { kind = 'primary', name, value, label }: ButtonView = {}): Html {
  return html`<button
    class="${kind}"
    type="submit"
    ${attribute('name', name)}
    ${attribute('value', value)}
    ${attribute('aria-label', label)}
  >
    ${text}
  </button>`
}

/** A link that looks like a button: it goes somewhere and changes nothing. */
export function buttonLink(href: string, text: string | Html, kind: 'primary' | 'plain' = 'plain'): Html {
  return html`<a class="button ${kind}" href="${href}">${text}</a>`
}

/** Something to know before all else; what went wrong is read out at once. */
export function notice(kind: 'info' | 'good' | 'warning' | 'error', text: string | Html): Html {
  return html`<div class="notice ${kind}" role="${kind === 'error' ? 'alert' : 'status'}"><p>${text}</p></div>`
}

/** What is wrong with a form, each with a link to its field; absent where nothing is. */
export function errorSummary(wrong: readonly { readonly field: string; readonly text: string }[]): Html | undefined {
  if (wrong.length === 0) return undefined
  return html`<div class="notice error" role="alert">
    <ul>
      ${wrong.map(({ field: name, text }) => html`<li><a href="#${name}">${text}</a></li>`)}
    </ul>
  </div>`
}

export function card(
  content: Html,
  { heading, id }: { heading?: string | undefined; id?: string | undefined } = {},
): Html {
  return html`<section class="card" ${attribute('id', id)}>${heading && html`<h2>${heading}</h2>`}${content}</section>`
}

export interface TableView {
  /** Says what the table is, to whoever cannot see it at a glance. */
  readonly caption: string
  readonly headings: readonly string[]
  readonly rows: readonly (readonly (string | Html | undefined)[])[]
  /** What stands there instead of no rows. */
  readonly none: string
}

/** A table that becomes a list where the page is narrow. Its rows begin with what they are about. */
export function table({ caption, headings, rows, none }: TableView): Html {
  if (rows.length === 0) return html`<p class="none">${none}</p>`
  const cell = (content: string | Html | undefined, index: number) =>
    index === 0
      ? html`<th scope="row" data-label="${headings[index]}">${content}</th>`
      : html`<td data-label="${headings[index]}">${content}</td>`
  return html`<table>
    <caption>
      ${caption}
    </caption>
    <thead>
      <tr>
        ${headings.map((heading) => html`<th scope="col">${heading}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr>
            ${row.map(cell)}
          </tr>`,
      )}
    </tbody>
  </table>`
}

/** A small word that tells a state. */
export function badge(kind: 'good' | 'warning' | 'bad' | 'plain', text: string): Html {
  return html`<span class="badge ${kind}">${text}</span>`
}

/** A moment, exact to the minute. */
export function time(milliseconds: number | null | undefined): Html {
  if (milliseconds === null || milliseconds === undefined) return html`<span class="never">${say('time.never')}</span>`
  const iso = new Date(milliseconds).toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`
}

/** A form whose only content is its button, as for ending a session. */
export function actionForm(action: string, csrf: string, content: Html): Html {
  return html`<form method="post" action="${action}">${csrfField(csrf)}${content}</form>`
}

function attribute(name: string, value: string | number | undefined): Html | undefined {
  return value === undefined ? undefined : html` ${name}="${value}"`
}

function flag(name: string, isSet: boolean | undefined): Html | undefined {
  return isSet === true ? html` ${name}` : undefined
}
