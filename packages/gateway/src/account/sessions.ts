import { html } from 'hono/html'
import { asProblem, problem, type Problem } from '../base/problem.ts'
import { secret } from '../base/secret.ts'
import type { Html } from '../pages/html.ts'
import { actionForm, button, card, csrfField, errorSummary, field, notice } from '../pages/parts.ts'
import { redirectTo } from '../pages/respond.ts'
import { say } from '../pages/words.ts'
import { browsersTable } from './browsers-view.ts'
import type { AccountNeeds, Browser, Person } from './needs.ts'
import { findNotice, withNotice } from './notices.ts'
import { changePassword, hasPassword } from './password.ts'
import { show } from './show.ts'
import { doneBy, visitOf, type AccountHono, type Visit } from './visit.ts'

const PATH = '/account/sessions'

/** Where a user is signed in, and the password they sign in with. */
export function addSessionRoutes(app: AccountHono, needs: AccountNeeds): void {
  const { sessions } = needs

  app.get(PATH, async (context) => showSessions(needs, visitOf(context), []))

  app.post(`${PATH}/end`, async (context) => {
    const visit = visitOf(context)
    const { tenant, userId } = visit.person
    const ended = await sessions.end(tenant, userId, visit.form.get('session') ?? '')
    if (!ended) throw problem('session.unknown')
    await recordEnded(needs, visit, 1)
    return redirectTo(withNotice(PATH, 'sessionEnded'))
  })

  app.post(`${PATH}/end-others`, async (context) => {
    const visit = visitOf(context)
    const { tenant, userId, sessionId } = visit.person
    const ended = await sessions.endAll(tenant, userId, sessionId)
    if (ended > 0) await recordEnded(needs, visit, ended)
    return redirectTo(withNotice(PATH, 'sessionsEnded'))
  })

  app.post('/account/password', async (context) => {
    const visit = visitOf(context)
    const wrong = await tryChange(needs, visit)
    return wrong === undefined ? redirectTo(withNotice(PATH, 'passwordChanged')) : showSessions(needs, visit, [wrong])
  })
}

/** Records that a user signed browsers of theirs out. */
export async function recordEnded({ audit }: AccountNeeds, visit: Visit, many: number): Promise<void> {
  await audit.record(visit.holder.tenant, {
    kind: 'session.ended',
    ...doneBy(visit),
    count: many,
    address: visit.address,
  })
}

interface Wrong {
  readonly field: 'current' | 'wanted' | 'again'
  readonly text: string
}

/** Answers which field is wrong, where one is. */
async function tryChange(needs: AccountNeeds, visit: Visit): Promise<Wrong | undefined> {
  const { form, address } = visit
  const wanted = form.get('wanted') ?? ''
  if (wanted !== form.get('again')) return { field: 'again', text: say('sessions.wrong.again') }
  needs.limits.spend('signIn', address)
  try {
    await changePassword(needs, visit, { current: secret(form.get('current') ?? ''), wanted: secret(wanted) })
    return undefined
  } catch (error) {
    return wrongOf(asProblem(error))
  }
}

/** @throws {Problem} what no field can be blamed for */
function wrongOf(failure: Problem): Wrong {
  if (failure.code === 'login.failed') return { field: 'current', text: say('sessions.wrong.current') }
  if (failure.code === 'login.password_weak') return { field: 'wanted', text: failure.message }
  throw failure
}

async function showSessions(needs: AccountNeeds, visit: Visit, wrong: readonly Wrong[]): Promise<Response> {
  const { sessions, federated } = needs
  const { tenant, userId } = visit.person
  const body = sessionsPage({
    browsers: await sessions.list(tenant, userId),
    person: visit.person,
    wrong,
    done: findNotice(visit.url),
    hasPassword: await hasPassword(needs, visit.person),
    canLink: federated.providersOf(tenant).length > 0,
  })
  return show(visit, say('sessions.title'), body, { status: wrong.length === 0 ? 200 : 400 })
}

interface SessionsView {
  readonly browsers: readonly Browser[]
  readonly person: Person
  readonly wrong: readonly Wrong[]
  readonly done: string | undefined
  /** Whether they have one to sign in with. */
  readonly hasPassword: boolean
  readonly canLink: boolean
}

function sessionsPage({ browsers, person, wrong, done, hasPassword, canLink }: SessionsView): Html {
  const endOthers = button(say('sessions.endOthers'), { kind: 'danger' })
  return html`<h1>${say('sessions.title')}</h1>
    ${done && notice('good', done)} ${errorSummary(wrong)}
    ${card(
      html`${browsersTable(browsers, person)}
      ${browsers.length > 1 && actionForm(`${PATH}/end-others`, person.csrf, endOthers)}`,
    )}
    ${hasPassword && card(passwordForm(person, wrong), { heading: say('sessions.password') })}
    ${canLink && html`<p><a href="/account/linked">${say('sessions.linked')}</a></p>`}`
}

/** What was entered is not put back: it is secret, the part that was right too. */
function passwordForm({ userName, csrf }: Person, wrong: readonly Wrong[]): Html {
  const password = (name: Wrong['field'], autocomplete: string) =>
    field({
      name,
      label: say(`sessions.${name}`),
      type: 'password',
      autocomplete,
      error: wrong.find((each) => each.field === name)?.text,
      required: true,
    })
  return html`<form method="post" action="/account/password">
    ${csrfField(csrf)}
    <input
      class="unseen"
      type="text"
      name="username"
      autocomplete="username"
      value="${userName}"
      tabindex="-1"
      aria-hidden="true"
      readonly
    />
    ${password('current', 'current-password')} ${password('wanted', 'new-password')}
    ${password('again', 'new-password')}
    <p class="hint">${say('sessions.ends')}</p>
    ${button(say('sessions.change'))}
  </form>`
}
