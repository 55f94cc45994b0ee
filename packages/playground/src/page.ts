import { createHash } from 'node:crypto'

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

/** What the head of every page of an emulation holds, beside its title. */
export const pageHead = `<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<style>${style}</style>`

/** The headers of every such page. */
export const pageHeaders = {
  'content-type': 'text/html; charset=UTF-8',
  'cache-control': 'no-store',
  'content-security-policy': policy(),
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const

/** The hash is of the very bytes between the tags. Names no `form-action`: browsers hold the redirect after a form against it, and consent redirects to the client. */
function policy(): string {
  const hash = createHash('sha256').update(style).digest('base64')
  return `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; frame-ancestors 'none'`
}
