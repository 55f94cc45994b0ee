import type { Interaction } from '../authserver/interactions.ts'
import { asProblem, type Problem } from '../base/problem.ts'
import { DEFAULT_TENANT } from '../identity/tenants.ts'
import { createThrottle } from '../limits/throttle.ts'
import { parseNext } from '../pages/next.ts'
import { retryAfter } from '../pages/problem.ts'
import { redirectTo, showPage } from '../pages/respond.ts'
import { say } from '../pages/words.ts'
import { describeBrowser } from './browser.ts'
import { createFormCookie, type FormKey } from './form-cookie.ts'
import type { LoginContext, LoginHono, LoginNeeds } from './needs.ts'
import { signInPage } from './views/sign-in.ts'
import { createPasswordWay, nameIn, type Proof, type Way } from './ways.ts'

const FAILED_EVERY_MS = 1_000
const FAILURES = 16

/** `/sign-in`: a form, and then a session under a new value. */
export function addSignInRoutes(app: LoginHono, needs: LoginNeeds): void {
  const ways: readonly [Way, ...Way[]] = [createPasswordWay(needs)]
  const forms = createFormCookie(needs)
  const throttle = createThrottle({ clock: needs.clock, everyMs: FAILED_EVERY_MS, atMost: FAILURES })

  app.get('/sign-in', async (context) => {
    const next = parseNext(context.req.query('next'))
    const session = await needs.sessions.find(context.req.header('Cookie'))
    if (session !== undefined && context.req.query('again') === undefined) return redirectTo(next ?? '/account')
    return show(context, next)
  })

  app.post('/sign-in', async (context) => {
    const form = await forms.requireForm(context.req.raw)
    const next = parseNext(form.get('next'))
    const name = nameIn(form)
    if (name === '' || !form.get('password')) return show(context, next, { name, says: say('signIn.required') })
    const proof = await prove(context, form)
    if (!('user' in proof)) return show(context, next, { name, says: proof.message, failure: proof })
    const cookie = await startSession(needs, context, proof)
    return redirectTo(next ?? '/account', { cookies: [cookie, forms.clear()] })
  })

  /** What was refused is shown beside the form; every other failure is a page of its own. */
  async function prove(context: LoginContext, form: URLSearchParams): Promise<Proof | Problem> {
    needs.audit.requireRoom(DEFAULT_TENANT)
    const way = ways.find(({ id }) => id === form.get('way')) ?? ways[0]
    try {
      needs.limits.spend('signIn', context.env.address)
      return await way.prove(DEFAULT_TENANT, form)
    } catch (error) {
      const failure = asProblem(error)
      if (!REFUSALS.has(failure.code)) throw error
      noteFailure(context, failure)
      return failure
    }
  }

  function noteFailure({ env: { address, requestId } }: LoginContext, failure: Problem): void {
    needs.onFailure(failure, requestId)
    if (!throttle.pass(failure.code)) return
    const target = failure.details['target']
    const known = typeof target === 'string' ? target : undefined
    needs.audit.note(DEFAULT_TENANT, { kind: 'login.failed', requestId, error: failure.code, target: known, address })
  }

  async function show(context: LoginContext, next: string | undefined, entered?: Entered): Promise<Response> {
    const { csrf, cookies }: FormKey = forms.keyFor(context.req.header('Cookie'))
    const waiting = await findWaiting(needs, next)
    const signedOut = context.req.query('done') === 'signedOut'
    const name = entered?.name ?? waiting?.loginHint?.slice(0, NAME_LENGTH)
    const body = signInPage({ ways, csrf, next, client: waiting?.clientName, signedOut, name, failure: entered?.says })
    return showPage(
      { title: say('signIn.title'), body, width: 'narrow' },
      {
        status: statusOf(entered),
        cookies,
        headers: entered?.failure && retryAfter(entered.failure),
        leadsAway: next !== undefined,
      },
    )
  }
}

const REFUSALS: ReadonlySet<string> = new Set(['login.failed', 'login.throttled', 'limit.endpoint'])

interface Entered {
  readonly name: string
  readonly says: string
  readonly failure?: Problem
}

function statusOf(entered: Entered | undefined): number {
  return entered === undefined ? 200 : (entered.failure?.row.status ?? 400)
}

/** Signs the browser in and records it; answers with the cookie to set. */
export async function startSession(
  needs: LoginNeeds,
  context: LoginContext,
  { tenant, user, amr }: Proven,
): Promise<string> {
  const { address, requestId } = context.env
  const browser = context.req.header('User-Agent') ?? ''
  const from = { browser, address, amr, cookieHeader: context.req.header('Cookie') }
  const { cookie } = await needs.sessions.start(tenant, user.id, from)
  await needs.audit.record(tenant, {
    kind: 'login.ok',
    userId: user.id,
    requestId,
    how: amr.join(' '),
    address,
    browser: describeBrowser(browser),
  })
  return cookie
}

/** Of the user, whoever has only followed a link knows no more. */
type Proven = Pick<Proof, 'tenant' | 'amr'> & { readonly user: Pick<Proof['user'], 'id'> }

const NAME_LENGTH = 64

/** What waits for somebody to sign in: the question of an authorization, on behalf of a client. */
async function findWaiting({ interactions }: LoginNeeds, next: string | undefined): Promise<Interaction | undefined> {
  const [, uid] = /^\/interaction\/([\w-]{1,64})$/.exec(next ?? '') ?? []
  return uid === undefined ? undefined : interactions.find(uid)
}
