import type { MalClient } from '../options.ts'
import type { Reply } from '../server/exchange.ts'
import { html, page } from './layout.ts'

/** Asks the user whether an application may act for them. `here` is the authorization request, which is read again. */
export function consentPage({ client, userName, here }: ConsentAsked): Reply {
  const main = html`<p><strong>${client.name}</strong> asks to use the account <strong>${userName}</strong>.</p>
    <p>It could then</p>
    <ul>
      <li>read your basic profile,</li>
      <li>read and change your anime and manga lists.</li>
    </ul>
    <form method="post" action="${here}">
      <button name="decision" value="allow">Allow</button>
      <button name="decision" value="cancel">Cancel</button>
    </form>
    <form method="post" action="/logout">
      <input type="hidden" name="from" value="${here}" />
      <button>Use another account</button>
    </form>`
  return page({ title: `Allow ${client.name}?`, main })
}

interface ConsentAsked {
  readonly client: MalClient
  readonly userName: string
  readonly here: string
}
