import { z } from 'zod'
import { isLoopbackHost } from '../base/loopback.ts'
import { count, reject } from './fields.ts'
import { SIGN_IN_PROVIDER_ID, SignInWithEntry } from './sign-in-with-schema.ts'

const hours = () => z.number().positive().max(87_600)

const limit = (perMinute: number, what: string) => count().default(perMinute).describe(`${what}, from one address.`)

/** How often one address may use what stands open to everybody. */
export const EndpointLimits = z
  .strictObject({
    authorize: limit(10, 'Authorizations begun'),
    callback: limit(10, 'Answers of providers'),
    token: limit(60, 'Token requests'),
    register: limit(10, 'Clients registered'),
    revoke: limit(60, 'Revocations'),
    device: limit(10, 'Sign-ins of terminals begun, and codes entered for them'),
    signIn: limit(10, 'Attempts to sign in, or to use a link that lets somebody in'),
    logout: limit(300, 'Logouts that identity providers tell of'),
    wrongKeys: limit(300, 'Requests with an API key or access token that opens nothing'),
  })
  .prefault({})
  .describe('How often one address may use each of these in a minute; more is answered 429 with `Retry-After`.')

const idleHours = hours().describe('After how many hours without a request a browser is signed out.')
const maxHours = hours().describe('After how many hours a browser is signed out in any case.')
const methods = z
  .array(z.enum(['password', 'passkey']))
  .describe(
    'With what of the gate’s own one may begin to sign in; `[]` leaves the identity providers of `with`, of which one ' +
      'has to let people into the tenant that it holds for. ' +
      'Passkeys need a `publicUrl` that is https with a name, or `localhost`.',
  )
const secondFactor = z
  .enum(['off', 'optional', 'required'])
  .describe(
    '`optional`: who has a passkey or an authenticator app does not get in with the password alone. `required`: who ' +
      'has none sets one up when they sign in. `off`: nobody is asked for a second one. A passkey counts as two.',
  )
const stepUpMinutes = z
  .number()
  .min(1)
  .max(1_440)
  .describe(
    'How many minutes ago somebody may have signed in to change their factors or password, to make API keys and ' +
      'to sign out everywhere; after that they are asked to sign in once more.',
  )

export const SignInSection = z
  .strictObject({
    idleHours: idleHours.default(72),
    maxHours: maxHours.default(720),
    invitationHours: hours().default(72).describe('How long the link of an invitation is good for.'),
    passwordLength: z.int().min(8).max(64).default(8).describe('The fewest characters of a password.'),
    methods: methods.default(['password', 'passkey']),
    secondFactor: secondFactor.default('optional'),
    stepUpMinutes: stepUpMinutes.default(15),
    with: z
      .record(z.string(), SignInWithEntry)
      .default({})
      .meta({
        description:
          'The identity providers people may sign in with, by id: `google`, `microsoft`, `github`, `okta` and `keycloak` ' +
          'come described; any other speaks OpenID Connect and needs `issuer`.',
        propertyNames: { pattern: SIGN_IN_PROVIDER_ID.source },
      }),
  })
  .prefault({})
  .describe('How people sign in.')

/** What a tenant is called: in the file, on the command line, and before a name where people sign in. */
export const TENANT_NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/

/** One entry of `tenants`. */
export const TenantEntry = z.strictObject({
  signIn: z
    .strictObject({
      idleHours: idleHours.optional(),
      maxHours: maxHours.optional(),
      methods: methods
        .optional()
        .describe(
          'With what of the gate’s own its people may begin to sign in; `[]` leaves the identity providers of ' +
            '`signIn.with` whose `tenant` it is.',
        ),
      secondFactor: secondFactor.optional(),
      stepUpMinutes: stepUpMinutes.optional(),
    })
    .prefault({})
    .describe('How its people sign in. What is not said here is as in `signIn`.'),
})

const RedirectUri = z.string().superRefine((text, check) => {
  const url = URL.parse(text)
  if (!url || url.hash !== '' || text.includes('#')) return reject(check, NOT_A_REDIRECT)
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) reject(check, IN_THE_CLEAR)
})

const NOT_A_REDIRECT = {
  reason: 'is not an address without #',
  fix: 'Write the whole address, like https://app/callback',
}
const IN_THE_CLEAR = { reason: 'is plain http beyond this machine', fix: 'Use https, or a loopback address' }

/** A client that the operator knows, and that therefore need not register itself. */
const KnownClient = z.strictObject({
  clientId: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'is not a client id')
    .describe('What it calls itself.'),
  name: z.string().min(1).max(100).describe('What users are asked to allow.'),
  redirectUris: z.array(RedirectUri).min(1).describe('Where it takes answers; on loopback any port is taken.'),
  jwksUri: z
    .url({ protocol: /^https$/, error: 'is not an https address' })
    .optional()
    .describe('Where its public keys are. It then proves who it is by what it signs (`private_key_jwt`).'),
})

const Issuer = z.string().superRefine((text, check) => {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol) || /[?#]/.test(text)) return reject(check, NOT_AN_ISSUER)
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) reject(check, IN_THE_CLEAR)
})

const NOT_AN_ISSUER = { reason: 'is not the address of an issuer', fix: 'Write it as its metadata has it' }

/** An identity provider whose word lets clients in. */
const TrustedIssuer = z.strictObject({
  issuer: Issuer.describe('As the `issuer` of its metadata has it, to the letter.'),
  clients: z
    .array(z.string().min(1))
    .min(1)
    .describe('The ids of the clients it may speak for. Each proves who it is.'),
  subjects: z
    .record(z.string(), z.string())
    .describe(
      'The users it may speak for: the subject it knows each by, and their name here, outside the tenant `default` with its ' +
        'name before it (`staff/ada`). Others only where they have linked that account.',
    ),
})

export const OAuthSection = z
  .strictObject({
    accessTokenMinutes: z.number().positive().max(1_440).default(60).describe('How long an access token is good for.'),
    refreshTokenDays: z.number().positive().max(3_650).default(90).describe('How long a client may stay away.'),
    refreshGraceHours: z
      .number()
      .min(0)
      .max(24)
      .default(24)
      .describe('How long a refresh token is good for beside its successor, until that is first used.'),
    dynamicRegistration: z.boolean().default(true).describe('Whether clients may register themselves (RFC 7591).'),
    clientIdMetadata: z
      .boolean()
      .default(true)
      .describe('Whether the address of a metadata document is taken for a client id.'),
    deviceAuthorization: z
      .boolean()
      .default(true)
      .describe('Whether a terminal may show a code that its user enters at `/device` (RFC 8628).'),
    clients: z.array(KnownClient).default([]).describe('Clients that need not register.'),
    trustedIssuers: z
      .array(TrustedIssuer)
      .default([])
      .describe('Identity providers that let clients in for their users, who are not asked (ID-JAG).'),
  })
  .prefault({})
  .describe('The authorization server that MCP clients sign their users in with.')

/** @see {@link https://datatracker.ietf.org/doc/draft-ietf-oauth-client-id-metadata-document/ Client ID Metadata Documents, §3} */
const DocumentAddress = z.string().superRefine((text, check) => {
  const url = URL.parse(text)
  const isOne = url?.protocol === 'https:' && url.pathname !== '/' && url.username === '' && !text.includes('#')
  if (!isOne) reject(check, NOT_A_DOCUMENT)
})

const NOT_A_DOCUMENT = {
  reason: 'is not an https address with a path',
  fix: 'Write it like https://example.com/oauth-client.json',
}

export const OutboundSection = z
  .strictObject({
    allowedHosts: z
      .array(z.string().regex(/^[a-z0-9.:[\]-]+(?::\*)?$/, 'is not a host in lower case'))
      .default([])
      .describe(
        'Hosts, with their port where it is not the usual one, that the gate may fetch metadata from although they are ' +
          'private or plain http; with `:*` for their port, at every port. Servers and providers that this file names ' +
          'need no entry.',
      ),
    clientMetadataUrl: DocumentAddress.optional().describe(
      'Where the document is published that authorization servers know this gate by. Default: `/oauth-client.json` ' +
        'below `publicUrl`, where that is https and not this machine. A gate that they cannot reach has there a copy of ' +
        'what it answers at `/oauth-client.json`.',
    ),
  })
  .prefault({})
  .describe('Connections the gate makes to addresses that others chose.')
