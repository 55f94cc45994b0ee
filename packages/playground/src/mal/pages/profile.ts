import type { MalClient } from '../options.ts'
import type { GrantStore } from '../oauth/store.ts'
import { redirect, type Exchange, type Reply, type Route } from '../server/exchange.ts'
import { html, page, type Html } from './layout.ts'
import type { Sessions } from './session.ts'

/** The front page, and the account page where a user ends what they once allowed. */
export function profileRoutes({ clients, grants, sessions }: ProfileNeeds): Route[] {
  return [
    { method: 'GET', path: '/', handle: () => frontPage },
    { method: 'GET', path: '/profile/apps', handle: show },
    { method: 'POST', path: '/profile/apps/revoke', handle: revoke },
  ]

  function show(exchange: Exchange): Reply {
    const user = sessions.userOf(exchange)
    if (!user) return toLogin
    const rows = [...grants.connections(user.name)].map(([id, since]) => row(id, clients.get(id)?.name ?? id, since))
    return page({
      title: 'Connected applications',
      main: html`<p>Signed in as <strong>${user.name}</strong>.</p>
        ${rows.length === 0 ? html`<p>No application is connected.</p>` : table(rows)}
        <form method="post" action="/logout">
          <input type="hidden" name="from" value="/login" /><button>Sign out</button>
        </form>`,
    })
  }

  function revoke(exchange: Exchange): Reply {
    const user = sessions.userOf(exchange)
    if (!user) return toLogin
    const clientId = exchange.form.get('client_id')
    if (clientId !== null) grants.revoke(user.name, clientId)
    return redirect('/profile/apps')
  }
}

interface ProfileNeeds {
  clients: ReadonlyMap<string, MalClient>
  grants: GrantStore
  sessions: Sessions
}

const toLogin = redirect('/login?from=%2Fprofile%2Fapps')

function table(rows: readonly Html[]): Html {
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Application</th>
        <th scope="col">Since</th>
        <th scope="col">Revoke</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}

function row(id: string, name: string, since: number): Html {
  return html`<tr>
    <th scope="row">${name}</th>
    <td>${new Date(since).toISOString().slice(0, 10)}</td>
    <td>
      <form method="post" action="/profile/apps/revoke">
        <input type="hidden" name="client_id" value="${id}" /> <button aria-label="Revoke ${name}">Revoke</button>
      </form>
    </td>
  </tr>`
}

const frontPage = page({
  title: 'MyAnimeList, emulated',
  main: html`<p>
      The API is below <code>/v2</code>, authorization at <code>/v1/oauth2/authorize</code> and
      <code>/v1/oauth2/token</code>.
    </p>
    <ul>
      <li><a href="/login">Sign in</a></li>
      <li><a href="/profile/apps">Connected applications</a></li>
    </ul>`,
})
