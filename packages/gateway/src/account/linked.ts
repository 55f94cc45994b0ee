import { problem } from '../base/problem.ts'
import { LINKED_PATH } from '../login/federated/routes.ts'
import type { LinkedIdentity } from '../login/federated/identities.ts'
import { redirectTo } from '../pages/respond.ts'
import { say } from '../pages/words.ts'
import { linkedSection } from './linked-section.ts'
import { linkedPage } from './linked-view.ts'
import type { AccountNeeds } from './needs.ts'
import { findNotice, withNotice } from './notices.ts'
import { hasPassword } from './password.ts'
import { show } from './show.ts'
import { doneBy, visitOf, type AccountHono, type Visit } from './visit.ts'

/** `/account/linked`: the accounts elsewhere that a user signs in with. Linking and unlinking take a fresh proof. */
export function addLinkedRoutes(app: AccountHono, needs: AccountNeeds): void {
  const { federated, limits } = needs

  app.get(LINKED_PATH, async (context) => {
    const visit = visitOf(context)
    const body = linkedPage({ section: await linkedSection(needs, visit), done: findNotice(visit.url) })
    return show(visit, say('linked.title'), body, { leadsAway: true })
  })

  app.post(`${LINKED_PATH}/link`, async (context) => {
    const visit = visitOf(context)
    limits.spend('signIn', visit.address)
    const { tenant, sessionId } = visit.person
    const provider = federated.require(visit.form.get('provider') ?? '', tenant)
    const { url, cookie } = await federated.begin(provider, { next: LINKED_PATH, linkTo: sessionId })
    return redirectTo(url.href, { cookies: [cookie] })
  })

  app.post(`${LINKED_PATH}/unlink`, async (context) => {
    await unlink(needs, visitOf(context))
    return redirectTo(withNotice(LINKED_PATH, 'identityUnlinked'))
  })
}

async function unlink(needs: AccountNeeds, visit: Visit): Promise<void> {
  const { federated, factors, audit } = needs
  const { tenant, userId, sessionId } = visit.person
  const key = { issuer: visit.form.get('issuer') ?? '', subject: visit.form.get('subject') ?? '' }
  const hasOwn = (await hasPassword(needs, visit.person)) || (await factors.usable(tenant, userId)).passkeys > 0
  const mayGo = (left: readonly LinkedIdentity[]) => {
    if (!hasOwn && !left.some((each) => federated.opens(tenant, each))) throw problem('federated.only_way')
  }
  const gone = await federated.identities.unlink(tenant, userId, { key, mayGo, exceptSession: sessionId })
  const what = { provider: gone.provider, issuer: gone.issuer, how: 'account', address: visit.address }
  await audit.record(tenant, { kind: 'identity.unlinked', ...doneBy(visit), ...what })
}
