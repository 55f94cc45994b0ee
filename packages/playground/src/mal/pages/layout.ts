import { createHash } from 'node:crypto'
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
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · MyAnimeList, emulated</title>
        ${{ markup: `<style>${style}</style>` }}
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
    headers: {
      'content-type': 'text/html; charset=UTF-8',
      'cache-control': 'no-store',
      'content-security-policy': policy(),
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      ...headers,
    },
    body: document.markup,
  }
}

interface PageContent {
  readonly title: string
  readonly main: Html
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** The hash is of the very bytes between the tags. Names no `form-action`: browsers hold the redirect after a form against it, and consent redirects to the client. */
function policy(): string {
  const hash = createHash('sha256').update(style).digest('base64')
  return `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; frame-ancestors 'none'`
}

const style = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 40rem; margin: 0 auto; padding: 1rem }
header { border: 2px dashed; border-radius: .5rem; padding: 0 1rem; margin-bottom: 2rem }
label, input { display: block }
input { font: inherit; padding: .5rem; margin-bottom: 1rem; width: 100%; box-sizing: border-box }
button { font: inherit; padding: .5rem 1.25rem; min-height: 2.75rem; cursor: pointer }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .5rem; border-bottom: 1px solid }
form { margin: 1rem 0 }
[role=alert] { font-weight: bold }
`
