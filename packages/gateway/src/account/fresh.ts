import { isFresh } from '../login/policy.ts'
import { redirectTo } from '../pages/respond.ts'
import type { AccountNeeds, Person } from './needs.ts'
import type { AccountContext, AccountHono } from './visit.ts'

/** What wants a proof no older than the policy says, and the page to begin it from. */
const DANGEROUS: readonly { readonly path: string; readonly page: string }[] = [
  { path: '/account/keys', page: '/account/keys' },
  { path: '/account/password', page: '/account/sessions' },
  { path: '/account/linked/link', page: '/account/linked' },
  { path: '/account/linked/unlink', page: '/account/linked' },
]
const SECURITY = '/account/security'

/**
 * Lets on only who has signed in lately, and leads whoever has not to sign in once more. A form is not sent again
 * after that: pages that hold one of these forms ask before it is filled in.
 *
 * @see NIST SP 800-63B-4 §2.2.3, reauthentication
 */
export function askAgainBeforeDanger(app: AccountHono, needs: AccountNeeds): void {
  app.use(async (context, next) => {
    const person = context.get('person')
    const page = pageOf(context)
    if (person === undefined || page === undefined || mayGoOn(needs, person)) return next()
    return redirectTo(againFor(page))
  })
}

/** Whether somebody has proven who they are lately. */
export function mayGoOn({ policyOf, clock }: Pick<AccountNeeds, 'policyOf' | 'clock'>, person: Person): boolean {
  return isFresh(person.authenticatedAt, policyOf(person.tenant), clock.now())
}

/** Where somebody proves once more who they are, and goes on from there. */
export function againFor(page: string): string {
  return `/sign-in/again?next=${encodeURIComponent(page)}`
}

/** Where to come back to, for what is dangerous. */
function pageOf({ req: { method, path } }: AccountContext): string | undefined {
  if (path.startsWith(`${SECURITY}/`)) return method === 'GET' ? path : SECURITY
  return method === 'POST' ? DANGEROUS.find((row) => row.path === path)?.page : undefined
}
