import { isSameIssuer } from '../base/issuer.ts'

/** How an identity provider tells who somebody is. */
export interface SignInDefinition {
  /** What its button says. */
  readonly label: string
  /** Absent where every organization has its own. */
  readonly issuer?: string
  /** What an issuer of it looks like. */
  readonly issuerFormat?: { readonly matches: RegExp; readonly like: string }
  /** `oidc`: an ID token. `github`: OAuth 2.0, and an API that is asked. */
  readonly protocol: 'oidc' | 'github'
  readonly scopes: readonly string[]
  /** Asked for beside them where a rule speaks of groups. */
  readonly groupScopes: readonly string[]
  /** Where the groups are in what it tells. */
  readonly groupsClaim: string
  /** What says that the address of somebody is theirs. */
  readonly emailVerifiedClaim: string
  /**
   * How it is had to ask anew who somebody is: by `max_age`, and it says when they signed in; by a `prompt`, and it does
   * not.
   */
  readonly anew: 'max_age' | 'login' | 'select_account'
  /** Where an operator registers an application, and how. */
  readonly help: string
}

const OPENID: SignInDefinition = {
  label: 'single sign-on',
  protocol: 'oidc',
  scopes: ['openid', 'profile', 'email'],
  groupScopes: [],
  groupsClaim: 'groups',
  emailVerifiedClaim: 'email_verified',
  anew: 'max_age',
  help: 'Register a confidential web application for the authorization code flow.',
}

/** The identity providers that come described; whatever else is named in `signIn.with` is plain OpenID Connect. */
const signInDefinitions = {
  google: {
    ...OPENID,
    label: 'Google',
    issuer: 'https://accounts.google.com',
    anew: 'select_account',
    help: 'Make an OAuth client of type Web application at https://console.cloud.google.com/auth/clients.',
  },
  microsoft: {
    ...OPENID,
    label: 'Microsoft',
    // That of one directory: with `common` anybody with a directory could issue whatever address they like.
    issuerFormat: {
      matches: /^https:\/\/login\.microsoftonline\.(?:com|us)\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\/v2\.0$/,
      like: 'https://login.microsoftonline.com/<directory id>/v2.0',
    },
    emailVerifiedClaim: 'xms_edov',
    anew: 'login',
    help: 'Make an app registration at https://entra.microsoft.com, and add the optional claims email and xms_edov to its ID token.',
  },
  github: {
    ...OPENID,
    label: 'GitHub',
    issuer: 'https://github.com',
    protocol: 'github',
    scopes: ['read:user', 'user:email'],
    groupScopes: ['read:org'],
    anew: 'select_account',
    help: 'Make an OAuth app at https://github.com/settings/developers.',
  },
  okta: {
    ...OPENID,
    label: 'Okta',
    groupScopes: ['groups'],
    help: 'Make an OIDC Web application in the admin console, and add a groups claim to it where rules need one.',
  },
  keycloak: {
    ...OPENID,
    label: 'Keycloak',
    issuerFormat: { matches: /\/realms\/[^/]+$/, like: 'https://keycloak.example.com/realms/<realm>' },
    help: 'Make an OpenID Connect client with client authentication, and a Group Membership mapper where rules need groups.',
  },
} satisfies Readonly<Record<string, SignInDefinition>>

export const SIGN_IN_DEFINITIONS = Object.keys(signInDefinitions) as readonly (keyof typeof signInDefinitions)[]

/** The definition an entry builds upon: of what it says it is like, else of its own name. */
export function signInDefinitionOf(id: string, like: unknown): SignInDefinition {
  const known: Readonly<Record<string, SignInDefinition>> = signInDefinitions
  const name = typeof like === 'string' ? like : id
  return (Object.hasOwn(known, name) ? known[name] : undefined) ?? OPENID
}

/** Whether whoever likes has an account there. */
export function isPublicIssuer(issuer: string): boolean {
  const all: readonly SignInDefinition[] = Object.values(signInDefinitions)
  return all.some((each) => each.issuer !== undefined && isSameIssuer(each.issuer, issuer))
}
