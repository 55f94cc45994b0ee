import { secret } from '../../../src/base/secret.ts'
import { DEFAULT_TENANT } from '../../../src/identity/tenants.ts'
import type { IdentityProvider } from '../../../src/login/federated/provider.ts'

/** An identity provider of an enterprise, which lets everybody in whom it vouches for. */
export const corp: IdentityProvider = {
  id: 'corp',
  label: 'Corp',
  tenant: DEFAULT_TENANT,
  protocol: 'oidc',
  issuer: 'https://sso.example.com',
  clientId: 'gate',
  clientSecret: secret('s'),
  scopes: ['openid'],
  groupsClaim: 'groups',
  emailVerifiedClaim: 'email_verified',
  anew: 'max_age',
  rules: { emailDomains: undefined, groups: undefined, createUsers: true, role: 'member', roles: undefined },
}
