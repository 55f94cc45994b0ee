import { z } from 'zod'
import type { Identity, IdentityProvider } from './provider.ts'

/** Names of sessions and people, as they go into a database: no longer than OpenID Connect allows, nothing unseen. */
export const Identifier = z.string().regex(/^[^\p{Cc}\p{Cs}]{1,255}$/u)

const Text = z.string().max(1_000).optional().catch(undefined)
const Texts = z
  .union([z.array(z.string()), z.string().transform((text) => [text])])
  .catch([])
  .default([])

const Seconds = z
  .number()
  .nonnegative()
  .transform((seconds) => seconds * 1_000)
  .optional()
  .catch(undefined)

const Claims = z.looseObject({
  sub: Identifier,
  sid: Identifier.optional().catch(undefined),
  email: Text,
  preferred_username: Text,
  name: Text,
  amr: Texts,
})

export type RawClaims = Readonly<Record<string, unknown>>

/**
 * Reads who somebody is out of the claims of an ID token and of the UserInfo endpoint. Where both say something the
 * ID token counts; an address counts with the word on it that came along. `undefined` where the subject is none.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims OpenID Connect Core §5.1}
 */
export function readIdentity(
  { groupsClaim, emailVerifiedClaim }: IdentityProvider,
  { issuer, idToken, userInfo }: { readonly issuer: string; readonly idToken: RawClaims; readonly userInfo: RawClaims },
): Identity | undefined {
  const { data } = Claims.safeParse({ ...userInfo, ...idToken })
  if (data === undefined) return undefined
  const source = idToken['email'] === undefined ? userInfo : idToken
  return {
    issuer,
    subject: data.sub,
    email: data.email,
    verifiedEmail: isYes(source[emailVerifiedClaim]) ? data.email : undefined,
    username: data.preferred_username,
    name: data.name,
    groups: Texts.parse(idToken[groupsClaim] ?? userInfo[groupsClaim]),
    // What a signature does not cover says nothing of how and when somebody signed in.
    amr: Texts.parse(idToken['amr']),
    authenticatedAt: Seconds.parse(idToken['auth_time']),
    sid: data.sid,
  }
}

/** Some send the word, some a number. */
function isYes(value: unknown): boolean {
  return value === true || value === 'true' || value === 1 || value === '1'
}
