import { z } from 'zod'
import { DEFAULT_TENANT_NAME } from '../base/ids.ts'
import { isSafePlace } from '../base/loopback.ts'
import { reject } from './fields.ts'
import { clientKeys, Scope } from './provider-schema.ts'
import { SIGN_IN_DEFINITIONS } from './sign-in-definitions.ts'

/** What the configuration calls an identity provider; it stands in the redirect address that is registered there. */
export const SIGN_IN_PROVIDER_ID = /^[a-z0-9][a-z0-9-]{0,31}$/

/** @see {@link https://openid.net/specs/openid-connect-core-1_0.html#IssuerIdentifier OpenID Connect Core §16.15} */
const Issuer = z.string().superRefine((text, check) => {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) return reject(check, NOT_AN_ISSUER)
  if (!isSafePlace(url)) return reject(check, IN_THE_CLEAR)
  if (url.username || url.password || /[?#]/.test(text)) reject(check, NOT_AN_ISSUER)
})

const NOT_AN_ISSUER = {
  reason: 'is not an issuer: https, with neither query nor #',
  fix: 'Copy `issuer` out of its /.well-known/openid-configuration',
}
const IN_THE_CLEAR = { reason: 'is plain http beyond this machine', fix: 'Use https, or a loopback address' }

const Domain = z.string().regex(/^(?!-)[a-z0-9-]+(?:\.[a-z0-9-]+)+$/, 'is not a domain in lower case')

const Group = z.string().min(1).max(200)

/** Nobody becomes an owner by what somebody else says. */
const GivenRole = z.enum(['admin', 'member'])

/** One entry of `signIn.with`: how the gate is known there, and who may come in from there. */
export const SignInWithEntry = z.strictObject({
  label: z
    .string()
    .min(1)
    .max(40)
    .optional()
    .describe(
      'What its button says after "Continue with". Default: the name of the provider, `single sign-on` where it is not described.',
    ),
  like: z
    .enum(SIGN_IN_DEFINITIONS)
    .optional()
    .describe(
      'The provider that it is another entry for, with whose definition it begins. Default: the one it is named after.',
    ),
  issuer: Issuer.optional().describe(
    'Its issuer. Known for `google` and `github` (there another one is a GitHub Enterprise Server); every other needs it.',
  ),
  ...clientKeys,
  scopes: z.array(Scope).optional().describe('What is asked for, in place of what its definition asks for.'),
  tenant: z
    .string()
    .default(DEFAULT_TENANT_NAME)
    .describe('The tenant it lets people into. One issuer may stand here for several, each in an entry of its own.'),
  emailDomains: z
    .array(Domain)
    .min(1)
    .optional()
    .describe(
      'Only who has a verified address of one of these domains comes in; a subdomain is another one. Default: any.',
    ),
  groups: z
    .array(Group)
    .min(1)
    .optional()
    .describe('Only who is in at least one of these groups there comes in (GitHub: organizations). Default: any.'),
  groupsClaim: z
    .string()
    .regex(/^[\w:/.-]{1,200}$/, 'is not the name of a claim')
    .optional()
    .describe('The claim that holds the groups. Default: `groups`.'),
  createUsers: z
    .boolean()
    .default(false)
    .describe(
      'Whether who comes for the first time is given an account. Without it they come in only once they have linked theirs.',
    ),
  role: GivenRole.default('member').describe('The role of the accounts that are made.'),
  roles: z
    .record(Group, GivenRole)
    .optional()
    .describe(
      'Roles by group, for accounts that were made by signing in here; the highest counts, at every sign-in. Without it ' +
        'roles are left as administrators set them.',
    ),
})
export type SignInWithEntry = z.output<typeof SignInWithEntry>
