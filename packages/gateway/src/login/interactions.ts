import type { Answerer, Interaction } from '../authserver/interactions.ts'
import { problem } from '../base/problem.ts'
import { csrfToken, requireCsrf, requireOwnOrigin } from '../pages/csrf.ts'
import { readForm } from '../pages/forms.ts'
import { redirectTo, showPage } from '../pages/respond.ts'
import { say } from '../pages/words.ts'
import type { LoginContext, LoginHono, LoginNeeds } from './needs.ts'
import type { SignedIn } from './sessions.ts'
import { askedFor, consentPage } from './views/consent.ts'
import { shownName } from './views/sign-in.ts'

/**
 * `/interaction/<uid>`: what the authorization server asks of a user for a client. First who they are, which our own
 * session says; then whether the client may, which only a form of this browser about this very question answers.
 */
export function addInteractionRoutes(app: LoginHono, needs: LoginNeeds): void {
  const { interactions, sessions, audit, publicUrl } = needs

  app.get('/interaction/:uid', async (context) => {
    const interaction = await requireInteraction(context.req.param('uid'))
    const session = await sessions.find(context.req.header('Cookie'))
    if (session === undefined || mustComeAgain(session, interaction)) return redirectTo(signInFor(interaction, session))
    if (interaction.prompt === 'login') return redirectTo(await interactions.signedIn(interaction.uid, by(session)))
    // Somebody else signed in since it was asked: it becomes a question to them, in this browser.
    if (isForAnother(session, interaction)) return redirectTo(await interactions.beginAnew(interaction.uid))
    return ask(interaction, session)
  })

  app.post('/interaction/:uid', async (context) => {
    requireOwnOrigin(context.req.raw, publicUrl)
    const form = await readForm(context.req.raw)
    const interaction = await requireInteraction(context.req.param('uid'))
    const session = await sessions.find(context.req.header('Cookie'))
    if (session === undefined || interaction.prompt !== 'consent') return redirectTo(`/interaction/${interaction.uid}`)
    requireCsrf(form, tokenFor(session, interaction))
    audit.requireRoom(session.tenant)
    return form.get('decision') === 'allow'
      ? allow(context, interaction, session)
      : refuse(context, interaction, session)
  })

  async function requireInteraction(uid: string): Promise<Interaction> {
    const interaction = UID.test(uid) ? await interactions.find(uid) : undefined
    if (interaction === undefined) throw problem('interaction.unknown')
    return interaction
  }

  function ask(interaction: Interaction, session: SignedIn): Response {
    const viewer = { name: session.userName, csrf: session.csrf }
    const csrf = tokenFor(session, interaction)
    const asked = askedFor(interaction.resources, needs.servers())
    const title = say('consent.title', { client: shownName(interaction.clientName) })
    const body = consentPage({ interaction, isKnown: needs.isKnownClient(interaction.clientId), viewer, csrf, asked })
    return showPage({ title, body, width: 'narrow' }, { leadsAway: true })
  }

  async function allow(context: LoginContext, interaction: Interaction, session: SignedIn): Promise<Response> {
    if (isForAnother(session, interaction)) return redirectTo(await interactions.beginAnew(interaction.uid))
    const where = await interactions.consent(interaction.uid, by(session))
    await audit.record(session.tenant, { kind: 'consent.given', ...about(context, interaction, session) })
    return redirectTo(where)
  }

  async function refuse(context: LoginContext, interaction: Interaction, session: SignedIn): Promise<Response> {
    const where = await interactions.refuse(interaction.uid)
    await audit.record(session.tenant, { kind: 'consent.refused', ...about(context, interaction, session) })
    return redirectTo(where)
  }
}

const UID = /^[\w-]{1,64}$/

/** A client may ask that the user sign in once more, though the browser is signed in. @see OpenID Connect Core §3.1.2.1, `prompt` and `max_age` */
function mustComeAgain({ authenticatedAt }: SignedIn, { signInAfter }: Interaction): boolean {
  return signInAfter !== undefined && authenticatedAt < signInAfter
}

/** Whether it was asked of who was signed in here before. */
function isForAnother({ tenant, userId }: SignedIn, { account }: Interaction): boolean {
  return account !== undefined && (account.userId !== userId || account.tenant !== tenant)
}

function signInFor({ uid }: Interaction, session: SignedIn | undefined): string {
  return `/sign-in?next=${encodeURIComponent(`/interaction/${uid}`)}${session === undefined ? '' : '&again='}`
}

function by({ tenant, userId, authenticatedAt }: SignedIn): Answerer {
  return { tenant, userId, createdAt: authenticatedAt }
}

/** Good for this browser and this question only. */
function tokenFor({ csrf }: SignedIn, { uid }: Interaction): string {
  return csrfToken(csrf, `consent ${uid}`)
}

function about({ env: { requestId, address } }: LoginContext, interaction: Interaction, { userId }: SignedIn) {
  const { clientId, clientName, redirectHost, resources } = interaction
  return {
    userId,
    requestId,
    client: clientId,
    clientName: shownName(clientName),
    redirectHost,
    resources: resources.join(' '),
    address,
  }
}
