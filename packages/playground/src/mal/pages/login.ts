import { redirect, type Exchange, type Reply, type Route } from '../server/exchange.ts'
import { findUser, users } from '../users.ts'
import { html, page, type Html } from './layout.ts'
import type { Sessions } from './session.ts'

/** Sign-in and sign-out. Every password stands on the page: this is a playground. */
export function loginRoutes({ sessions }: { sessions: Sessions }): Route[] {
  return [
    {
      method: 'GET',
      path: '/login',
      handle: (exchange) =>
        sessions.userOf(exchange) ? redirect(target(exchange)) : loginPage({ from: target(exchange) }),
    },
    { method: 'POST', path: '/login', handle: signIn },
    { method: 'POST', path: '/logout', handle: (exchange) => redirect(target(exchange), sessions.end(exchange)) },
  ]

  function signIn(exchange: Exchange): Reply {
    const name = exchange.form.get('user_name') ?? ''
    const user = findUser(name)
    if (user?.password !== exchange.form.get('password')) return loginPage({ from: target(exchange), failed: name })
    exchange.seen.user = user.name
    return redirect(target(exchange), sessions.start(user))
  }
}

/** Where to go next: a path of this site and nothing else, or the redirect would be open to everyone. */
function target({ form, url }: Exchange): string {
  const from = form.get('from') ?? url.searchParams.get('from') ?? ''
  return /^\/(?![/\\])[\u0021-\u007e]*$/.test(from) ? from : '/profile/apps'
}

function loginPage({ from, failed }: { from: string; failed?: string }): Reply {
  const main = html`${failed === undefined ? '' : refused}
    <form method="post" action="/login">
      <input type="hidden" name="from" value="${from}" />
      <label for="user_name">User name</label>
      <input
        id="user_name"
        name="user_name"
        value="${failed ?? ''}"
        autocomplete="username"
        required
        autocapitalize="none"
      />
      <label for="password">Password</label>
      <input id="password" name="password" type="password" autocomplete="current-password" required />
      <button>Sign in</button>
    </form>
    <h2>Who you can be</h2>
    <p>This is a playground, so the passwords are no secrets.</p>
    <table>
      <thead>
        <tr>
          <th scope="col">User name</th>
          <th scope="col">Password</th>
          <th scope="col">What they have</th>
        </tr>
      </thead>
      <tbody>
        ${users.map(row)}
      </tbody>
    </table>`
  return page({ title: 'Sign in', main, status: failed === undefined ? 200 : 401 })
}

const refused = html`<p role="alert">The user name or the password is wrong. Take both from the table below.</p>`

function row({ name, password, about }: (typeof users)[number]): Html {
  return html`<tr>
    <th scope="row">${name}</th>
    <td><code>${password}</code></td>
    <td>${about}</td>
  </tr>`
}
