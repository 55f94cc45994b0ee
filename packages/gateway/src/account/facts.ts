import { html } from 'hono/html'
import type { Html } from '../pages/html.ts'
import { say, type WordKey } from '../pages/words.ts'

/** What it is about, and what is known of it. */
export type Fact = readonly [WordKey, string | Html]

/** A list of what is known of one thing; what is not known is left out. */
export function facts(all: readonly (Fact | undefined)[]): Html | undefined {
  const known = all.filter((fact) => fact !== undefined)
  if (known.length === 0) return undefined
  return html`<dl class="facts">
    ${known.map(
      ([word, value]) =>
        html`<div>
          <dt>${say(word)}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`
}
