import { html } from 'hono/html'
import type { Secret } from '../base/secret.ts'
import type { ApiKey } from '../identity/keys.ts'
import type { Html } from '../pages/html.ts'
import {
  actionForm,
  badge,
  button,
  buttonLink,
  card,
  csrfField,
  errorSummary,
  field,
  hiddenField,
  notice,
  table,
  time,
} from '../pages/parts.ts'
import { say } from '../pages/words.ts'

/** What was entered, as it was entered. */
export interface KeyForm {
  readonly name: string
  readonly scopes: readonly string[]
  readonly expiry: string
}

export interface KeysView {
  readonly keys: readonly ApiKey[]
  /** The scopes there are to choose from. */
  readonly offered: readonly string[]
  readonly form: KeyForm
  readonly wrong: ReadonlyMap<keyof KeyForm, string>
  readonly csrf: string
  readonly now: number
  readonly done: string | undefined
  /** Where to prove once more who one is before a key can be made; absent where that is not asked. */
  readonly again: string | undefined
}

export function keysPage(view: KeysView): Html {
  const { keys, wrong, done } = view
  return html`<h1>${say('keys.title')}</h1>
    <p class="lead">${say('keys.lead')}</p>
    ${done && notice('good', done)} ${errorSummary([...wrong].map(([name, text]) => ({ field: name, text })))}
    ${card(
      table({
        caption: say('keys.caption'),
        headings: HEADINGS.map((word) => say(word)),
        rows: keys.map((key) => toRow(key, view)),
        none: say('keys.none'),
      }),
    )}
    ${card(view.again === undefined ? keyForm(view) : askAgain(view.again), { heading: say('keys.new') })}`
}

const HEADINGS = [
  'keys.name',
  'keys.prefix',
  'keys.opens',
  'keys.since',
  'keys.ends',
  'keys.used',
  'account.action',
] as const

function toRow({ id, name, prefix, scopes, createdAt, expiresAt, lastUsedAt }: ApiKey, { csrf, now }: KeysView) {
  const revoke = button(say('keys.revoke'), { kind: 'danger', label: `${say('keys.revoke')}: ${name}` })
  const hasEnded = expiresAt !== null && expiresAt <= now
  return [
    name,
    html`<code class="whole">${prefix}…</code>`,
    scopes.map(opens).join(', '),
    time(createdAt),
    html`${time(expiresAt)} ${hasEnded && badge('plain', say('keys.ended'))}`,
    time(lastUsedAt),
    actionForm('/account/keys/revoke', csrf, html`${hiddenField('key', id)}${revoke}`),
  ]
}

/** What a scope opens, in a word or two. */
function opens(scope: string): string {
  if (scope === 'mcp') return say('clients.all')
  if (scope === 'admin' || scope === 'metrics') return say(`keys.opens.${scope}`)
  return scope.slice('mcp:'.length)
}

function askAgain(href: string): Html {
  return html`<p>${say('keys.again')}</p>
    <p>${buttonLink(href, say('keys.againGo'))}</p>`
}

function keyForm({ offered, form, wrong, csrf }: KeysView): Html {
  return html`<form method="post" action="/account/keys">
    ${csrfField(csrf)}
    ${field({
      name: 'name',
      label: say('keys.name'),
      hint: say('keys.nameHint'),
      value: form.name,
      error: wrong.get('name'),
      required: true,
      maxLength: 64,
    })}
    ${scopeChoice(offered, form, wrong.get('scopes'))} ${expiryChoice(form, wrong.get('expiry'))}
    ${button(say('keys.make'))}
  </form>`
}

function scopeChoice(offered: readonly string[], { scopes }: KeyForm, error: string | undefined): Html {
  return html`<fieldset id="scopes" ${error && html` aria-describedby="scopes-error"`}>
    <legend>${say('keys.scope')}</legend>
    ${error && html`<p class="wrong" id="scopes-error">${error}</p>`}
    ${offered.map(
      (scope) =>
        html`<label class="choice"
          ><input type="checkbox" name="scope" value="${scope}" ${scopes.includes(scope) && html` checked`} />
          <span>${nameOfScope(scope)}</span></label
        >`,
    )}
  </fieldset>`
}

function nameOfScope(scope: string): string {
  if (scope === 'mcp' || scope === 'admin' || scope === 'metrics') return say(`keys.scope.${scope}`)
  return say('keys.scope.server', { server: scope.slice('mcp:'.length) })
}

function expiryChoice({ expiry }: KeyForm, error: string | undefined): Html {
  return html`<div class="field">
    <label for="expiry">${say('keys.expiry')}</label>
    ${error && html`<p class="wrong" id="expiry-error">${error}</p>`}
    <select id="expiry" name="expiry" ${error && html` aria-describedby="expiry-error" aria-invalid="true"`}>
      ${EXPIRIES.map(
        (value) =>
          html`<option value="${value}" ${value === expiry && html` selected`}>${nameOfExpiry(value)}</option>`,
      )}
    </select>
  </div>`
}

const EXPIRIES = ['7', '30', '90', '365', 'never'] as const

function nameOfExpiry(value: (typeof EXPIRIES)[number]): string {
  if (value === 'never') return say('keys.expiry.never')
  return value === '365' ? say('keys.expiry.year') : say('keys.expiry.days', { days: value })
}

/** The one page that shows a key, with the lines that put it to use where it opens a server. */
export function madePage(key: Secret, { name, scopes }: ApiKey, publicUrl: string): Html {
  const server = scopes.find((scope) => scope === 'mcp' || scope.startsWith('mcp:'))
  return html`<h1>${say('keys.made.title')}</h1>
    ${notice('warning', say('keys.made.once'))}
    ${card(
      html`<p>${name}</p>
        <code class="code">${key.reveal()}</code>`,
    )}
    ${server && uses(key, server, publicUrl)}
    <p>${buttonLink('/account/keys', say('keys.made.done'), 'primary')}</p>`
}

function uses(key: Secret, scope: string, publicUrl: string): Html {
  const url = scope === 'mcp' ? `${publicUrl}/mcp` : `${publicUrl}/mcp/${scope.slice('mcp:'.length)}`
  const name = scope === 'mcp' ? 'sekisho' : scope.slice('mcp:'.length)
  const header = `Authorization: Bearer ${key.reveal()}`
  const headers = { Authorization: `Bearer ${key.reveal()}` }
  const vsCode = JSON.stringify({ servers: { [name]: { type: 'http', url, headers } } }, undefined, 2)
  return card(
    html`<h2>${say('keys.made.claude')}</h2>
      <pre><code>claude mcp add --transport http ${name} ${url} --header "${header}"</code></pre>
      <h2>${say('keys.made.vscode')}</h2>
      <pre><code>${vsCode}</code></pre>
      <h2>${say('keys.made.other')}</h2>
      <pre><code>${`${url}\n${header}`}</code></pre>`,
  )
}
