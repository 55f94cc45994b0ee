import { createRecent } from '../../base/recent.ts'
import type { Secret } from '../../base/secret.ts'
import { isPersonal, type Template } from '../../base/template.ts'
import type { Caller } from '../transport.ts'

/** Of how many users it is kept what was filled in without a token. */
const USERS = 1_000

/**
 * Fills in what a configuration leaves open: once where it is the same for everybody, else once for each user, and
 * anew with each token of theirs. A token was opened for one user, so what was filled in with it is theirs.
 *
 * @throws {TypeError} where a caller lacks the token it needs.
 */
export function fillOnce<T extends object>(
  templates: readonly Template[],
  fill: (caller: Caller) => T,
): (caller: Caller) => T {
  if (!templates.some(isPersonal)) {
    let same: T | undefined
    return (caller) => (same ??= fill(caller))
  }
  const byToken = new WeakMap<Secret, T>()
  const byUser = createRecent<string, T>(USERS)
  return (caller) => {
    const { token } = caller
    const known = token ? byToken.get(token) : byUser.get(keyOf(caller))
    if (known) return known
    const filled = fill(caller)
    if (token) byToken.set(token, filled)
    else byUser.set(keyOf(caller), filled)
    return filled
  }
}

function keyOf({ tenant, userId }: Caller): string {
  return `${tenant} ${userId}`
}
