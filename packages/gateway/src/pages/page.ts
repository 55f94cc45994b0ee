import { html } from 'hono/html'
import { asset } from './assets.ts'
import type { Html } from './html.ts'
import { csrfField } from './parts.ts'
import { LANGUAGE, say, type WordKey } from './words.ts'

/** Who looks at a page; then it shows where else they can go. */
export interface Viewer {
  readonly name: string
  /** The token that their sign-out form carries. */
  readonly csrf: string
  /** The path they are at. */
  readonly at?: string | undefined
}

export interface PageView {
  readonly title: string
  /** Holds the page's one `h1`. */
  readonly body: Html
  readonly viewer?: Viewer | undefined
  /** `narrow` is for a page with a single thing to do. */
  readonly width?: 'narrow' | 'wide' | undefined
  /** What the page runs, if anything: a file of ours. */
  readonly script?: 'passkey' | undefined
}

/** Lays a page out: whole, and without a script or a style written into it. */
export function renderPage({ title, body, viewer, width = 'wide', script }: PageView): string {
  const page = html`<!doctype html>
    <html lang="${LANGUAGE}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · ${say('gate.name')}</title>
        <link rel="icon" type="image/svg+xml" href="${asset('mark')}" />
        <link rel="stylesheet" href="${asset('style')}" />
        ${script && html`<script src="${asset(script)}" defer></script>`}
      </head>
      <body>
        <a class="skip" href="#main">${say('nav.skip')}</a>
        <header class="bar">
          <a class="brand" href="/"><img src="${asset('mark')}" alt="" width="28" height="28" />${say('gate.name')}</a>
          ${viewer && navigation(viewer)}
        </header>
        <main id="main" class="${width}" tabindex="-1">${body}</main>
        <footer>${say('gate.motto')}</footer>
      </body>
    </html>`
  if (page instanceof Promise) throw new TypeError('a page waits for nothing while it is laid out')
  return page.toString()
}

const PLACES: readonly { readonly path: string; readonly word: WordKey }[] = [
  { path: '/account', word: 'nav.accounts' },
  { path: '/account/clients', word: 'nav.clients' },
  { path: '/account/keys', word: 'nav.keys' },
  { path: '/account/sessions', word: 'nav.sessions' },
  { path: '/account/security', word: 'nav.security' },
]

function here(path: string, word: WordKey): Html {
  return html`<a href="${path}" aria-current="page">${say(word)}</a>`
}

function navigation({ name, csrf, at }: Viewer): Html {
  return html`<nav aria-label="${say('nav.label')}">
      <ul>
        ${PLACES.map(({ path, word }) => html`<li>${path === at ? here(path, word) : html`<a href="${path}">${say(word)}</a>`}</li>`)}
      </ul>
    </nav>
    <form class="viewer" method="post" action="/sign-out">
      ${csrfField(csrf)}<span class="who">${name}</span>
      <button class="quiet" type="submit">${say('nav.signOut')}</button>
    </form>`
}
