import { asProblem, problem, type Problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import { readPasskeyName } from '../login/factors/passkey-name.ts'
import { recoveryPage } from '../login/views/set-up.ts'
import { redirectTo } from '../pages/respond.ts'
import { say } from '../pages/words.ts'
import { appPage, passkeyPage } from './factors-view.ts'
import type { AccountNeeds, Person } from './needs.ts'
import { withNotice, type NoticeKey } from './notices.ts'
import { show } from './show.ts'
import { doneBy, visitOf, type AccountHono, type Visit } from './visit.ts'

const PATH = '/account/security'

/** The factors that users add and remove. Whoever comes here has signed in lately: see `fresh.ts`. */
export function addFactorRoutes(app: AccountHono, needs: AccountNeeds): void {
  app.get(`${PATH}/passkeys`, async (context) => showPasskeyForm(needs, visitOf(context)))
  app.post(`${PATH}/passkeys`, async (context) => addPasskey(needs, visitOf(context)))
  app.post(`${PATH}/passkeys/remove`, async (context) => removePasskey(needs, visitOf(context)))

  app.get(`${PATH}/app`, async (context) => showAppForm(needs, visitOf(context)))
  app.post(`${PATH}/app`, async (context) => addApp(needs, visitOf(context)))
  app.post(`${PATH}/app/remove`, async (context) => {
    const visit = visitOf(context)
    const { tenant, userId } = visit.person
    if (await needs.factors.removeApp(tenant, userId)) await record(needs, visit, { kind: 'authenticator.removed' })
    return redirectTo(withNotice(PATH, 'appRemoved'))
  })

  app.post(`${PATH}/recovery`, async (context) => {
    const visit = visitOf(context)
    const { tenant, userId } = visit.person
    requireAllowed(needs.factors.allows(tenant).codes)
    return showCodes(needs, visit, await needs.factors.newCodes(tenant, userId))
  })
}

/** A challenge for a new passkey is good in this browser only. */
function useOf({ csrf }: Person): string {
  return `add a passkey ${csrf}`
}

async function showPasskeyForm(needs: AccountNeeds, visit: Visit, failure?: Problem): Promise<Response> {
  const { tenant, userId: id, userName: name, csrf } = visit.person
  requireAllowed(needs.factors.allows(tenant).passkeys)
  const options = await needs.passkeys.offer(tenant, { id, name }, useOf(visit.person))
  const body = passkeyPage({ csrf, options, name: readPasskeyName(null, visit.browser), failure: failure?.message })
  const shown = { narrow: true, script: 'passkey' as const, status: failure?.row.status ?? 200 }
  return show(visit, say('security.addPasskey'), body, shown)
}

async function addPasskey(needs: AccountNeeds, visit: Visit): Promise<Response> {
  const { person, form } = visit
  requireAllowed(needs.factors.allows(person.tenant).passkeys)
  const name = readPasskeyName(form.get('name'), visit.browser)
  const made = { answer: form.get('answer') ?? '', name, use: useOf(person) }
  const failure = await needs.passkeys.add(person.tenant, person.userId, made).then(() => undefined, asRefusal)
  if (failure !== undefined) return showPasskeyForm(needs, visit, failure)
  await record(needs, visit, { kind: 'passkey.added', name })
  return showFirstCodes(needs, visit, 'passkeyAdded')
}

async function removePasskey(needs: AccountNeeds, visit: Visit): Promise<Response> {
  const { tenant, userId } = visit.person
  const id = visit.form.get('passkey') ?? ''
  const { passkeys } = await needs.factors.standing(tenant, userId)
  const own = passkeys.find((passkey) => passkey.id === id)
  if (own === undefined || !(await needs.factors.removePasskey(tenant, userId, id))) throw problem('passkey.unknown')
  await record(needs, visit, { kind: 'passkey.removed', name: own.name })
  return redirectTo(withNotice(PATH, 'passkeyRemoved'))
}

async function showAppForm(needs: AccountNeeds, visit: Visit, failure?: Problem): Promise<Response> {
  const { tenant, userId: id, userName: name, csrf } = visit.person
  requireAllowed(needs.factors.allows(tenant).codes)
  if ((await needs.factors.standing(tenant, id)).app !== undefined) throw problem('factor.exists')
  const before = visit.form.get('offer')
  const again =
    before === null || failure?.code === 'factor.offer_over'
      ? undefined
      : await needs.authenticators.reopen(tenant, { id, name }, before)
  const app = again ?? (await needs.authenticators.offer(tenant, { id, name }))
  const body = appPage({ csrf, app, failure: failure?.message })
  return show(visit, say('security.addApp'), body, { narrow: true, status: failure?.row.status ?? 200 })
}

async function addApp(needs: AccountNeeds, visit: Visit): Promise<Response> {
  const { person, form } = visit
  requireAllowed(needs.factors.allows(person.tenant).codes)
  const code = (form.get('code') ?? '').replace(/\s/g, '')
  const given = { sealed: form.get('offer') ?? '', code }
  const failure = await needs.authenticators
    .confirm(person.tenant, person.userId, given)
    .then(() => undefined, asRefusal)
  if (failure !== undefined) return showAppForm(needs, visit, failure)
  await record(needs, visit, { kind: 'authenticator.added' })
  return showFirstCodes(needs, visit, 'appAdded')
}

/** With the first factor come the codes that stand in for it. */
async function showFirstCodes(needs: AccountNeeds, visit: Visit, done: NoticeKey): Promise<Response> {
  const codes = await needs.factors.firstCodes(visit.person.tenant, visit.person.userId)
  return codes === undefined ? redirectTo(withNotice(PATH, done)) : showCodes(needs, visit, codes)
}

/** The answer is the page itself: nowhere else could the codes be shown. */
async function showCodes(needs: AccountNeeds, visit: Visit, codes: readonly Secret[]): Promise<Response> {
  await record(needs, visit, { kind: 'recovery.made', count: codes.length })
  return show(visit, say('recovery.title'), recoveryPage(codes, PATH), { narrow: true })
}

type Recorded =
  | { readonly kind: 'passkey.added' | 'passkey.removed'; readonly name: string }
  | { readonly kind: 'authenticator.added' | 'authenticator.removed' }
  | { readonly kind: 'recovery.made'; readonly count: number }

async function record({ audit }: AccountNeeds, visit: Visit, what: Recorded): Promise<void> {
  await audit.record(visit.person.tenant, { ...what, ...doneBy(visit), address: visit.address })
}

/** @throws {Problem} `factor.off` */
function requireAllowed(isAllowed: boolean): void {
  if (!isAllowed) throw problem('factor.off')
}

const REFUSALS: ReadonlySet<string> = new Set([
  'factor.code',
  'factor.offer_over',
  'passkey.refused',
  'passkey.expired',
  'passkey.too_many',
])

/** What was refused is shown on the page; every other failure is a page of its own. */
function asRefusal(error: unknown): Problem {
  const failure = asProblem(error)
  if (!REFUSALS.has(failure.code)) throw error
  return failure
}
