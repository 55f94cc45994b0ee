import { problem } from '../base/problem.ts'
import type { User, Users } from '../identity/users.ts'
import { requireAdministrator, type Actor } from './caller.ts'

type FindUsers = Pick<Users, 'list' | 'require'>

/**
 * Answers with the user whom a request is about: the one it names, else whoever sent it. Others are named by
 * administrators only, and nobody else learns whether they exist.
 *
 * @throws {Problem} `auth.role`, `auth.forbidden`, `user.unknown`, `request.params` where nobody is named and
 * it is not clear who is meant
 */
export async function requireWhose(users: FindUsers, actor: Actor, named: string | undefined): Promise<User> {
  if (named === undefined || isSelf(actor, named)) return requireSelf(users, actor)
  requireAdministrator(actor)
  return users.require(actor.tenant, named)
}

export function isSelf({ userId, userName }: Actor, named: string): boolean {
  return named === userId || named.normalize('NFC') === userName
}

/** The operator is nobody in particular, but on a gate with a single user they are that one. */
async function requireSelf(users: FindUsers, { tenant, userId }: Actor): Promise<User> {
  if (userId !== undefined) return users.require(tenant, userId)
  const [only, ...others] = await users.list(tenant)
  if (only !== undefined && others.length === 0) return only
  throw problem('request.params', { reason: 'user: say whose, since the gate has several users' })
}
