import { problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import type { AccountNeeds, Person } from './needs.ts'
import { doneBy, type Visit } from './visit.ts'

type PasswordNeeds = Pick<AccountNeeds, 'passwords' | 'attempts' | 'sessions' | 'storage' | 'audit'>

/** Whether somebody has a password to sign in with; whom an identity provider lets in may have none. */
export async function hasPassword(
  { policyOf, passwords }: Pick<AccountNeeds, 'policyOf' | 'passwords'>,
  { tenant, userId }: Pick<Person, 'tenant' | 'userId'>,
): Promise<boolean> {
  return policyOf(tenant).methods.includes('password') && passwords.hasAny(tenant, [{ id: userId }])
}

interface Change {
  readonly current: Secret
  readonly wanted: Secret
}

/**
 * Sets a new password for somebody who knows the one of before, and signs their other browsers out with it, both or
 * neither. Attempts count as those at the front door do: whoever has the browser for a moment guesses no faster here.
 *
 * @throws {Problem} `login.failed` where the current one is not right, `login.password_weak`, `login.throttled`
 */
export async function changePassword(needs: PasswordNeeds, visit: Visit, { current, wanted }: Change): Promise<void> {
  const { passwords, attempts, sessions, storage, audit } = needs
  const { tenant, userId, userName, sessionId } = visit.person
  const succeed = attempts.begin(tenant, userName)
  const setAt = await passwords.verify(tenant, userId, current)
  if (setAt === undefined) throw problem('login.failed')
  succeed()
  const prepared = await passwords.prepare(wanted, userName)
  await storage.for(tenant).transaction(async (db) => {
    if (!(await passwords.holdIn(db, userId, setAt))) throw problem('login.failed')
    await passwords.setIn(db, userId, prepared)
    await sessions.endAllIn(db, userId, sessionId)
  })
  await audit.record(tenant, { kind: 'password.set', ...doneBy(visit), how: 'change', address: visit.address })
}
