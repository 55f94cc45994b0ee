import type { GivenRole, Identity, Rules } from './provider.ts'

export type Verdict = { readonly allow: true } | { readonly allow: false; readonly reason: string }

/** Decides whether somebody may come in. An address counts only where the provider says that it is theirs. */
export function decide({ emailDomains, groups }: Rules, identity: Identity): Verdict {
  if (emailDomains !== undefined) {
    const domain = domainOf(identity.verifiedEmail)
    if (domain === undefined) return { allow: false, reason: 'it has no verified email address' }
    if (!emailDomains.includes(domain))
      return { allow: false, reason: 'its email address is of a domain that is not let in' }
  }
  if (groups !== undefined && !groups.some((group) => identity.groups.includes(group)))
    return { allow: false, reason: 'it is in none of the groups that are let in' }
  return { allow: true }
}

/** The role that the groups of somebody give: the highest of them, or the one for everybody. */
export function roleFor({ role, roles = {} }: Rules, { groups }: Identity): GivenRole {
  const given = groups.flatMap((group) => (Object.hasOwn(roles, group) ? (roles[group] ?? []) : []))
  return [role, ...given].includes('admin') ? 'admin' : 'member'
}

/** Two `@` are no address that one could read a domain from. */
function domainOf(email: string | undefined): string | undefined {
  return /^[^@\s]+@([^@\s]+)$/.exec(email ?? '')?.[1]?.toLowerCase()
}
