import type { Interaction } from '../authserver/interactions.ts'
import type { TenantId } from '../base/ids.ts'
import { asProblem, problem, type Problem } from '../base/problem.ts'
import { DEFAULT_TENANT } from '../identity/tenants.ts'
import { createThrottle } from '../limits/throttle.ts'
import { parseNext } from '../pages/next.ts'
import { retryAfter } from '../pages/problem.ts'
import { redirectTo, showPage } from '../pages/respond.ts'
import { say } from '../pages/words.ts'
import { continueButtons } from './federated/buttons.ts'
import { finishSignIn, withNext } from './finish.ts'
import { createFormCookie, type FormKey } from './form-cookie.ts'
import type { LoginContext, LoginHono, LoginNeeds } from './needs.ts'
import { SIGN_IN_NAME_LENGTH, signInPage } from './views/sign-in.ts'
import { createPasskeyWay, createPasswordWay, nameIn, type Proof, type Way } from './ways.ts'

const FAILED_EVERY_MS = 1_000
/** Of one tenant: more than there are kinds of failure, so that none makes room for another. */
const FAILURES = 16

/** `/sign-in`: a form, and then a session under a new value. `/sign-in/again` is the same for who is signed in. */
export function addSignInRoutes(app: LoginHono, needs: LoginNeeds): void {
  const ways = createWays(needs)
  const forms = createFormCookie(needs)
  const throttle = createThrottle({
    clock: needs.clock,
    everyMs: FAILED_EVERY_MS,
    atMost: FAILURES * needs.tenants.all.length,
  })

  app.get('/sign-in', async (context) => {
    const next = parseNext(context.req.query('next'))
    const session = await needs.sessions.find(context.req.header('Cookie'))
    if (session !== undefined && context.req.query('again') === undefined) return redirectTo(next ?? '/account')
    return show(context, next)
  })

  app.get('/sign-in/again', async (context) => {
    const next = parseNext(context.req.query('next'))
    const session = await needs.sessions.find(context.req.header('Cookie'))
    if (session === undefined) return redirectTo(withNext('/sign-in', next))
    const { tenant, userName } = session
    return show(context, next, { name: needs.tenants.qualify(tenant, userName), again: tenant })
  })

  app.post('/sign-in', async (context) => {
    const form = await forms.requireForm(context.req.raw)
    const next = parseNext(form.get('next'))
    const name = nameIn(form)
    const way = ways.find(({ id }) => id === form.get('way')) ?? ways[0]
    if (way === undefined) throw problem('request.not_found')
    const missing = way.findMissing(form)
    if (missing !== undefined) return show(context, next, { name, says: missing, way: way.id })
    const proof = await prove(context, way, form)
    if (!('user' in proof)) return show(context, next, { name, says: proof.message, failure: proof, way: way.id })
    return finishSignIn(needs, context, proof, { next, cookies: [forms.clear()] })
  })

  /** What was refused is shown beside the form; every other failure is a page of its own. */
  async function prove(context: LoginContext, way: Way, form: URLSearchParams): Promise<Proof | Problem> {
    let tenant = DEFAULT_TENANT
    needs.audit.requireRoom(tenant)
    try {
      needs.limits.spend('signIn', context.env.address)
      tenant = await way.tenantOf(form)
      needs.audit.requireRoom(tenant)
      const proof = await way.prove(tenant, form, form.get('csrf') ?? '')
      needs.onProof(way.id, 'ok')
      return proof
    } catch (error) {
      const failure = asProblem(error)
      needs.onProof(way.id, failure.code)
      if (!REFUSALS.has(failure.code)) throw error
      noteFailure(context, tenant, failure)
      return failure
    }
  }

  function noteFailure({ env: { address, requestId } }: LoginContext, tenant: TenantId, failure: Problem): void {
    needs.onFailure(failure, requestId)
    if (!throttle.pass(`${tenant} ${failure.code}`)) return
    const target = failure.details['target']
    const known = typeof target === 'string' ? target : undefined
    needs.audit.note(tenant, { kind: 'login.failed', requestId, error: failure.code, target: known, address })
  }

  async function show(context: LoginContext, next: string | undefined, entered?: Entered): Promise<Response> {
    const { csrf, cookies }: FormKey = forms.keyFor(context.req.header('Cookie'))
    const waiting = await findWaiting(needs, next)
    const signedOut = context.req.query('done') === 'signedOut'
    const name = entered?.name ?? waiting?.loginHint?.slice(0, SIGN_IN_NAME_LENGTH)
    const again = entered?.again !== undefined || context.req.query('again') !== undefined
    const signedOutAt = context.req.query('at')
    const offered = offeredTo(entered?.again)
    const elsewhere = continueButtons(offered.providers, {
      csrf,
      next,
      again,
      only: offered.ways.length === 0,
      signedOutAt,
    })
    const hasTenants = needs.tenants.all.length > 1
    const form = { csrf, next, name, hasTenants, hasFailed: entered?.says !== undefined }
    const body = signInPage({
      ways: await Promise.all(offered.ways.map((way) => way.show(form))),
      elsewhere,
      failure: entered?.says === undefined ? undefined : { text: entered.says, field: fieldOf(entered) },
      client: waiting?.clientName,
      signedOut,
      again: entered?.again !== undefined,
    })
    const script = offered.ways.some(({ id }) => id === 'passkey') ? 'passkey' : undefined
    return showPage(
      { title: say('signIn.title'), body, width: 'narrow', script },
      {
        status: statusOf(entered),
        cookies,
        headers: entered?.failure && retryAfter(entered.failure),
        leadsAway: next !== undefined || elsewhere !== undefined,
      },
    )
  }

  /** To who is known, what their tenant has; to everybody else, whatever any has. */
  function offeredTo(tenant: TenantId | undefined) {
    const { providers, providersOf } = needs.federated
    if (tenant === undefined) return { ways, providers }
    return { ways: ways.filter((way) => way.isOpenTo(tenant)), providers: providersOf(tenant) }
  }
}

/**
 * The ways that the policy of some tenant names, and that the gate's address lets there be; none where others alone vouch
 * for people.
 */
function createWays(needs: LoginNeeds): readonly Way[] {
  const ways = [createPasswordWay(needs), createPasskeyWay(needs)]
  return ways.filter((way) => needs.tenants.all.some((tenant) => way.isOpenTo(tenant)))
}

const REFUSALS: ReadonlySet<string> = new Set([
  'login.failed',
  'login.throttled',
  'limit.endpoint',
  'passkey.refused',
  'passkey.expired',
])

interface Entered {
  readonly name: string
  readonly says?: string
  readonly failure?: Problem
  /** Whose people are asked to prove once more who they are. */
  readonly again?: TenantId
  /** The way that was tried. */
  readonly way?: Way['id']
}

/** No field is to blame for a passkey. */
function fieldOf({ way }: Entered): string | undefined {
  return way === 'password' ? 'name' : undefined
}

function statusOf(entered: Entered | undefined): number {
  return entered?.says === undefined ? 200 : (entered.failure?.row.status ?? 400)
}

/** What waits for somebody to sign in: the question of an authorization, on behalf of a client. */
async function findWaiting({ interactions }: LoginNeeds, next: string | undefined): Promise<Interaction | undefined> {
  const [, uid] = /^\/interaction\/([\w-]{1,64})$/.exec(next ?? '') ?? []
  return uid === undefined ? undefined : interactions.find(uid)
}
