import { ANOTHER_DEVICE, type DeviceRequest } from '../authserver/devices.ts'
import { asProblem, problem, type Problem } from '../base/problem.ts'
import { csrfToken, requireCsrf, requireOwnOrigin } from '../pages/csrf.ts'
import { readForm } from '../pages/forms.ts'
import { retryAfter } from '../pages/problem.ts'
import { redirectTo, showPage } from '../pages/respond.ts'
import { say } from '../pages/words.ts'
import type { LoginContext, LoginHono, LoginNeeds } from './needs.ts'
import type { SignedIn } from './sessions.ts'
import { askedFor } from './views/consent.ts'
import { codePage, confirmPage, donePage } from './views/device.ts'
import { shownName } from './views/sign-in.ts'

/**
 * `/device`: where a user enters the code that a terminal shows, looks at what asks, and answers. Only whoever is
 * signed in may try codes; how often is held down for their address, for them, and for each code.
 *
 * @see RFC 8628 §3.3, §5.1 (guessing a code) and §5.4 (remote phishing)
 */
export function addDeviceRoutes(app: LoginHono, needs: LoginNeeds): void {
  const { devices, sessions, audit, publicUrl, deviceAttempts: attempts } = needs

  app.get('/device', async (context) => {
    const code = context.req.query('user_code')
    const session = await sessions.find(context.req.header('Cookie'))
    if (session === undefined) return redirectTo(signInFor(code))
    const done = context.req.query('done')
    if (done === 'allowed' || done === 'refused') return showDone(done)
    return showCode(session, { code })
  })

  app.post('/device', async (context) => {
    requireOwnOrigin(context.req.raw, publicUrl)
    const form = await readForm(context.req.raw)
    const code = form.get('code') ?? ''
    const session = await sessions.find(context.req.header('Cookie'))
    if (session === undefined) return redirectTo(signInFor(code))
    requireCsrf(form, csrfToken(session.csrf, ENTER))
    const found = await look(context, session, code)
    return 'userCode' in found ? showConfirm(session, found) : showCode(session, { code, failure: found })
  })

  app.post('/device/answer', async (context) => {
    requireOwnOrigin(context.req.raw, publicUrl)
    const form = await readForm(context.req.raw)
    const session = await sessions.find(context.req.header('Cookie'))
    if (session === undefined) return redirectTo('/device')
    const code = form.get('code') ?? ''
    requireCsrf(form, csrfToken(session.csrf, answerTo(code)))
    audit.requireRoom(session.tenant)
    const request = await devices.find(code)
    if (request === undefined) throw problem('device.unknown')
    const isAllowed = form.get('decision') === 'allow'
    await (isAllowed ? devices.allow(code, session) : devices.refuse(code))
    const kind = isAllowed ? 'consent.given' : 'consent.refused'
    await audit.record(session.tenant, { kind, ...about(context, request, session) })
    return redirectTo(`/device?done=${isAllowed ? 'allowed' : 'refused'}`)
  })

  /** What was refused is shown beside the form; every other failure is a page of its own. */
  async function look({ env }: LoginContext, session: SignedIn, code: string): Promise<DeviceRequest | Problem> {
    try {
      needs.limits.spend('device', env.address)
      const wereRight = [`of ${session.userId}`, `code ${code.replace(/[\s-]/g, '').toUpperCase()}`].map((name) =>
        attempts.begin(session.tenant, name),
      )
      const request = await devices.find(code)
      if (request === undefined) throw problem('device.unknown')
      wereRight.forEach((wasRight) => wasRight())
      return request
    } catch (error) {
      const failure = asProblem(error)
      if (!REFUSALS.has(failure.code)) throw error
      needs.onFailure(failure, env.requestId)
      return failure
    }
  }

  function showConfirm(session: SignedIn, request: DeviceRequest): Response {
    const title = say('device.confirmTitle', { client: shownName(request.clientName) })
    const body = confirmPage({
      request,
      isKnown: needs.isKnownClient(request.clientId),
      csrf: csrfToken(session.csrf, answerTo(request.userCode)),
      asked: askedFor(request.resources, needs.servers()),
      userName: session.userName,
    })
    return showPage({ title, body, width: 'narrow' })
  }
}

const ENTER = 'enter a device code'
const REFUSALS: ReadonlySet<string> = new Set(['device.unknown', 'device.throttled', 'limit.endpoint'])

/** Good for this browser and this code only. */
function answerTo(code: string): string {
  return `device ${code}`
}

function signInFor(code: string | undefined): string {
  const next = code ? `/device?user_code=${encodeURIComponent(code.slice(0, CODE_LENGTH))}` : '/device'
  return `/sign-in?next=${encodeURIComponent(next)}`
}

const CODE_LENGTH = 20

function showCode(
  { csrf }: SignedIn,
  { code, failure }: { readonly code: string | undefined; readonly failure?: Problem },
): Response {
  const view = { csrf: csrfToken(csrf, ENTER), code, failure: failure && `${failure.message} ${failure.fix}` }
  return showPage(
    { title: say('device.title'), body: codePage(view), width: 'narrow' },
    { status: failure?.row.status ?? 200, headers: failure && retryAfter(failure) },
  )
}

function showDone(done: 'allowed' | 'refused'): Response {
  return showPage({ title: say(`device.${done}Title`), body: donePage(done), width: 'narrow' })
}

function about({ env: { requestId } }: LoginContext, request: DeviceRequest, { userId }: SignedIn) {
  const { clientId, clientName, resources } = request
  return {
    userId,
    requestId,
    client: clientId,
    clientName: shownName(clientName),
    redirectHost: ANOTHER_DEVICE,
    resources: resources.join(' '),
  }
}
