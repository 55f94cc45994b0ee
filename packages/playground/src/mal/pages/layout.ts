import { pageHead, pageHeaders } from '../../page.ts'
import type { Reply } from '../server/exchange.ts'

/** Markup that is safe to send: every value put into it was escaped. */
export interface Html {
  readonly markup: string
}

/** Builds markup; what is put in is escaped unless it is markup itself. */
export function html(strings: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  return { markup: strings.map((text, index) => text + render(values[index] ?? '')).join('') }
}

function render(value: string | Html | readonly Html[]): string {
  if (typeof value === 'string') return escape(value)
  return 'markup' in value ? value.markup : value.map(({ markup }) => markup).join('')
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}

/** A whole page, with the notice that nothing here is real. */
export function page({ title, main, status = 200, headers = {} }: PageContent): Reply {
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        ${{ markup: pageHead }}
        <title>${title} · MyAnimeList, emulated</title>
      </head>
      <body>
        <header>
          <p>
            <strong>This is an emulation for trying things.</strong> It is not MyAnimeList and not connected to it;
            every person and every title here is invented.
          </p>
        </header>
        <main>
          <h1>${title}</h1>
          ${main}
        </main>
      </body>
    </html> `
  return {
    status,
    headers: { ...pageHeaders, ...headers },
    body: document.markup,
  }
}

interface PageContent {
  readonly title: string
  readonly main: Html
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
}
