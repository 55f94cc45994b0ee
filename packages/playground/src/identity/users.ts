/** Somebody with an account at the emulated identity provider. */
export interface IdentityUser {
  readonly sub: string
  readonly username: string
  readonly name: string
  readonly email: string
  readonly emailVerified: boolean
  readonly groups: readonly string[]
  /** How they prove who they are there. @see RFC 8176 §2 */
  readonly amr: readonly string[]
}

/** Invented people; each stands for something a relying party has to get right. */
export const identityUsers: readonly IdentityUser[] = [
  person('ada', 'Ada Okonkwo', { groups: ['staff', 'gate-admins'], amr: ['pwd', 'otp', 'mfa'] }),
  person('ben', 'Ben Marlow', { groups: ['staff'] }),
  person('cleo', 'Cleo Stray', { email: 'cleo@elsewhere.example', groups: ['guests'] }),
  person('dora', 'Dora Unverified', { emailVerified: false, groups: ['staff'] }),
]

function person(username: string, name: string, more: Partial<IdentityUser>): IdentityUser {
  const usual = { email: `${username}@corp.example`, emailVerified: true, groups: [], amr: ['pwd'] }
  return { sub: `subject-of-${username}`, username, name, ...usual, ...more }
}

/** @throws {Error} where nobody is called that */
export function requireIdentityUser(username: string): IdentityUser {
  const user = identityUsers.find((each) => each.username === username)
  if (user === undefined) throw new Error(`nobody is called ${username} at the identity provider`)
  return user
}
