import { asProblem, type Problem } from '../base/problem.ts'
import { parseNext } from '../pages/next.ts'
import { redirectTo, showPage } from '../pages/respond.ts'
import { say } from '../pages/words.ts'
import { describeBrowser } from './browser.ts'
import { startSession, withNext } from './finish.ts'
import { createFormCookie } from './form-cookie.ts'
import { readPasskeyName } from './factors/passkey-name.ts'
import { createHalfway, type Half } from './halfway.ts'
import type { LoginContext, LoginHono, LoginNeeds } from './needs.ts'
import { recoveryPage, setUpPage } from './views/set-up.ts'
import type { Proof } from './ways.ts'

const PATH = '/sign-in/set-up'

/**
 * `/sign-in/set-up`: where a second factor is required, whoever has none makes one before there is a session. Once
 * somebody has one it is asked for: a first proof of before does not add another.
 */
export function addSetUpRoutes(app: LoginHono, needs: LoginNeeds): void {
  const { passkeys, authenticators, factors } = needs
  const forms = createFormCookie(needs)
  const halfway = createHalfway(needs)

  app.get(PATH, async (context) => {
    const next = parseNext(context.req.query('next'))
    const waiting = await find(context)
    return waiting === undefined ? beginAnew(next) : show(context, waiting, { next })
  })

  app.post(`${PATH}/passkey`, (context) =>
    setUp(context, async ({ half }, form) => {
      const name = readPasskeyName(form.get('name'), context.req.header('User-Agent'))
      await passkeys.add(half.tenant, half.userId, { answer: form.get('answer') ?? '', name, use: useOf(half) })
      await record(context, half, 'passkey.added', name)
      return ['user', 'mfa']
    }),
  )

  app.post(`${PATH}/app`, (context) =>
    setUp(context, async ({ half }, form) => {
      const code = (form.get('code') ?? '').replace(/\s/g, '')
      await authenticators.confirm(half.tenant, half.userId, { sealed: form.get('offer') ?? '', code })
      await record(context, half, 'authenticator.added')
      return ['otp', 'mfa']
    }),
  )

  /** Sets a factor up, which proves it as well; answers with the recovery codes that go with it. */
  async function setUp(
    context: LoginContext,
    make: (waiting: Waiting, form: URLSearchParams) => Promise<readonly string[]>,
  ): Promise<Response> {
    const form = await forms.requireForm(context.req.raw)
    const next = parseNext(form.get('next'))
    const waiting = await find(context)
    if (waiting === undefined) return beginAnew(next)
    const { half, user } = waiting
    needs.limits.spend('signIn', context.env.address)
    needs.audit.requireRoom(half.tenant)
    const made = await make(waiting, form).catch(asRefusal)
    if ('code' in made) return show(context, waiting, { next, failure: made, offer: form.get('offer') })
    if (!(await halfway.spend(half))) return beginAnew(next)
    const amr = [...new Set([...half.amr, ...made])]
    const { tenant, provenAt, federated, passwordSetAt } = half
    return letIn(context, { tenant, user, amr, provenAt, federated, passwordSetAt }, next)
  }

  async function letIn(context: LoginContext, proof: Proof, next: string | undefined): Promise<Response> {
    const codes = await factors.firstCodes(proof.tenant, proof.user.id)
    const cookies = [await startSession(needs, context, proof), ...halfway.clear()]
    const onward = next ?? '/account'
    if (codes === undefined) return redirectTo(onward, { cookies })
    const { address, requestId } = context.env
    const about = { userId: proof.user.id, requestId, address, count: codes.length }
    await needs.audit.record(proof.tenant, { kind: 'recovery.made', ...about })
    return showPage({ title: say('recovery.title'), body: recoveryPage(codes, onward), width: 'narrow' }, { cookies })
  }

  async function find(context: LoginContext): Promise<Waiting | undefined> {
    const half = await halfway.find(context.req.header('Cookie'), 'setUp')
    if (half === undefined) return undefined
    const { passkeys: keys, hasApp } = await factors.usable(half.tenant, half.userId)
    const user = await needs.users.find(half.tenant, half.userId)
    return user === undefined || keys > 0 || hasApp ? undefined : { half, user }
  }

  const beginAnew = (next: string | undefined) => redirectTo(withNext('/sign-in', next), { cookies: halfway.clear() })

  async function record(
    { env: { address, requestId } }: LoginContext,
    { tenant, userId }: Half,
    kind: 'passkey.added' | 'authenticator.added',
    name?: string,
  ): Promise<void> {
    await needs.audit.record(tenant, { kind, userId, requestId, address, ...(name === undefined ? {} : { name }) })
  }

  async function show(context: LoginContext, { half, user }: Waiting, shown: Shown): Promise<Response> {
    const { tenant, csrf } = half
    const may = factors.allows(tenant)
    const name = describeBrowser(context.req.header('User-Agent') ?? '')
    const passkey = may.passkeys ? { options: await passkeys.offer(tenant, user, useOf(half)), name } : undefined
    const again = shown.offer
      ? await authenticators.reopen(tenant, user, shown.offer).catch(() => undefined)
      : undefined
    const offer = may.codes ? (again ?? (await authenticators.offer(tenant, user))) : undefined
    const body = setUpPage({
      csrf,
      next: shown.next,
      passkey,
      app: offer,
      failure: shown.failure && describe(shown.failure),
    })
    return showPage(
      { title: say('setUp.title'), body, width: 'narrow', script: passkey && 'passkey' },
      { status: shown.failure?.row.status ?? 200, leadsAway: shown.next !== undefined },
    )
  }
}

interface Waiting {
  readonly half: Half
  readonly user: Proof['user']
}

interface Shown {
  readonly next: string | undefined
  readonly failure?: Problem
  /** The offer of the page before, to be shown once more. */
  readonly offer?: string | null
}

function useOf({ id, csrf }: Half): string {
  return `set up ${id} ${csrf}`
}

function describe({ message: text, code }: Problem) {
  return { text, isOfApp: code.startsWith('factor.') }
}

const REFUSALS: ReadonlySet<string> = new Set([
  'factor.code',
  'factor.offer_over',
  'passkey.refused',
  'passkey.expired',
])

/** What was refused is shown on the page; every other failure is a page of its own. */
function asRefusal(error: unknown): Problem {
  const failure = asProblem(error)
  if (!REFUSALS.has(failure.code)) throw error
  return failure
}
