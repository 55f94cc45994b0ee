import { z } from 'zod'
import { isSafePlace } from '../base/loopback.ts'
import { reject } from './fields.ts'
import { readValue } from './values.ts'

/** Secrets travel to these, so plain http is for this machine only. */
const Endpoint = z.string().superRefine((text, check) => {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) return reject(check, NOT_A_URL)
  if (!isSafePlace(url)) return reject(check, IN_THE_CLEAR)
  if (url.username || url.password || text.includes('#')) reject(check, NOT_AN_ENDPOINT)
})

const NOT_A_URL = { reason: 'is not an https address', fix: 'Write the whole address, like https://example.com/token' }
const IN_THE_CLEAR = { reason: 'is plain http beyond this machine', fix: 'Use https, or a loopback address' }
const NOT_AN_ENDPOINT = {
  reason: 'holds a user name, a password or a #',
  fix: 'Write scheme, host, path and query only',
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.3 RFC 6749 §3.3} */
export const Scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'is not a scope')

/** @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.2 RFC 6749 §5.2} */
const ErrorWord = z.string().regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]{1,100}$/, 'is not an error of OAuth')

/** Names of fields, one inside the other. */
const Way = z.string().regex(/^\w+(?:\.\w+)*$/, 'is not a way to a field, like user.name')

/** What the gate itself says in an authorization request. */
const OWN_PARAMETERS: ReadonlySet<string> = new Set([
  'response_type',
  'client_id',
  'redirect_uri',
  'scope',
  'state',
  'code_challenge',
  'code_challenge_method',
  'resource',
])

const Parameters = z.record(z.string(), z.string()).superRefine((parameters, check) => {
  const own = Object.keys(parameters).filter((name) => OWN_PARAMETERS.has(name))
  for (const name of own)
    check.addIssue({ code: 'custom', message: OWN.reason, params: { fix: OWN.fix }, path: [name] })
})

const OWN = { reason: 'is said by the gate itself', fix: 'Remove it' }

const Revocation = z.strictObject({
  style: z
    .enum(['rfc7009', 'delete-grant'])
    .describe('`rfc7009`: a POST for each token. `delete-grant`: a DELETE with the access token, as GitHub has it.'),
  url: Endpoint.describe('Where to. `{clientId}` stands for the client id.'),
})

const TokenReply = z.strictObject({
  format: z
    .enum(['json', 'form', 'auto'])
    .optional()
    .describe('How the reply is written; `auto` goes by its Content-Type. Default: `json`.'),
  errorsWithStatus200: z
    .boolean()
    .optional()
    .describe('Whether errors come with status 200, like successes. Default: `false`.'),
  path: Way.optional().describe('Where the tokens are in the reply, where they are not at its top: `authed_user`.'),
  grantErrors: z
    .array(ErrorWord)
    .optional()
    .describe('What it says beside `invalid_grant` where a refresh token is good for nothing any more.'),
  clientErrors: z
    .array(ErrorWord)
    .optional()
    .describe('What it says beside `invalid_client` where it does not know this gate.'),
})

const Refresh = z.strictObject({
  rotates: z
    .enum(['always', 'optional', 'never', 'none'])
    .describe(
      'What a refresh gives: a new refresh token `always`, sometimes (`optional`), or `never`; `none` where there is no refresh.',
    ),
  expiresIn: z
    .int()
    .min(1)
    .max(315_360_000)
    .optional()
    .describe(
      'For how many seconds an access token is taken to be good where the reply does not say. Default: until it is refused.',
    ),
})

const Account = z.strictObject({
  url: Endpoint.describe('Tells, asked with the access token, whose it is.'),
  name: Way.describe('Where the name of the account is in the answer.'),
  id: Way.optional().describe('Where its id is; shown where there is no name.'),
})

const Help = z.strictObject({
  url: Endpoint.describe('Where an operator registers an application.'),
  steps: z.string().min(1).max(1_000).describe('How, in a few sentences.'),
})

/** Every key of a definition, none with a default: an entry of the file may leave all of them to the definition. */
const keys = {
  name: z.string().min(1).max(64).describe('What people call it.'),
  authorizationUrl: Endpoint.describe('The authorization endpoint (RFC 6749 §3.1), https except on loopback.'),
  tokenUrl: Endpoint.describe('The token endpoint (RFC 6749 §3.2), https except on loopback.'),
  issuer: z.string().min(1).optional().describe('What it calls itself in `iss` (RFC 9207), where it does.'),
  revocation: Revocation.optional().describe('How tokens are revoked. Default: they are only forgotten.'),
  authorizationParameters: Parameters.optional().describe(
    'What the authorization request says besides, like `{"access_type": "offline"}`.',
  ),
  pkce: z.enum(['S256', 'plain', 'none']).optional().describe('The method of RFC 7636 it knows. Default: `S256`.'),
  clientAuthentication: z
    .enum(['body', 'basic', 'none'])
    .optional()
    .describe('Where the client secret goes (RFC 6749 §2.3.1); `none` sends none. Default: `body`.'),
  scopes: z.array(Scope).optional().describe('What is asked for. Default: nothing, which leaves it to the provider.'),
  scopeSeparator: z.enum([' ', ',']).optional().describe('What stands between scopes. Default: a space.'),
  tokenReply: TokenReply.optional().describe('How its token endpoint answers.'),
  refresh: Refresh.optional().describe('How access tokens are renewed. Default: `{"rotates": "optional"}`.'),
  account: Account.optional().describe('How to learn which account was connected. Default: nothing is asked.'),
  apiBaseUrl: Endpoint.optional().describe('Where its API begins, for servers that come with the gate.'),
  redirect: z
    .enum(['exact', 'loopback-any-port'])
    .optional()
    .describe('Which redirect addresses it takes beside the registered one. Default: none (`exact`).'),
  help: Help.optional().describe('What an operator has to do there.'),
  docs: Endpoint.optional().describe('Where its documentation is.'),
}

/** Lower case, so that two can always be told apart; no colon, which stands in the ids of servers found by discovery. */
export const PROVIDER_ID = /^[a-z0-9][a-z0-9-]{0,63}$/

/** A provider as it comes with the gate. A new key wants an RFC or two providers behind it. */
export const ProviderDefinition = z.strictObject({
  id: z.string().regex(PROVIDER_ID).describe('What the configuration calls it.'),
  ...keys,
})
export type ProviderDefinition = z.output<typeof ProviderDefinition>

/** A text, or one from the environment; `$userToken` and `$user` make no sense for what is the operator's. */
const OperatorValue = z
  .unknown()
  .superRefine((raw, check) => {
    const value = readValue(raw)
    if ('reason' in value) return reject(check, value)
    if (value.kind !== 'text' && value.kind !== 'env') reject(check, NOT_THE_OPERATORS)
  })
  .meta({
    anyOf: [
      { type: 'string' },
      { type: 'object', properties: { $env: { type: 'string' } }, required: ['$env'], additionalProperties: false },
    ],
  })

const NOT_THE_OPERATORS = { reason: 'differs from user to user', fix: 'Write a text, or {"$env": "NAME"}' }

/** What an authorization server calls this gate, and knows it by. */
export const clientKeys = {
  clientId: OperatorValue.optional().describe(
    'The client id that the application was given: a text or `{"$env": "NAME"}`.',
  ),
  clientSecret: OperatorValue.optional().describe('Its client secret, where it has one; best `{"$env": "NAME"}`.'),
}

/** One entry of `providers`: a client id and secret, and whatever differs from the definition that comes with the gate. */
export const ProviderEntry = z.strictObject({
  like: z
    .string()
    .regex(PROVIDER_ID)
    .optional()
    .describe(
      'Another provider that this one is but for what stands here, its client id and secret included: so that one user connects several accounts of one provider, each for a server of its own.',
    ),
  ...clientKeys,
  ...z.strictObject(keys).partial().shape,
})
export type ProviderEntry = z.output<typeof ProviderEntry>

/** `oauth` of a server: what need not be found out by discovery. */
export const ServerOAuth = z.strictObject({
  ...clientKeys,
  scopes: z.array(Scope).optional().describe('What is asked for. Default: what the server says.'),
})
export type ServerOAuth = z.output<typeof ServerOAuth>

/** The keys of a definition with what they mean, for the reference page. */
export const definitionKeys: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(ProviderDefinition.shape).map(([key, { description = '' }]) => [key, description]),
)
