import { z } from 'zod'
import { redirectKind } from './redirects.ts'
import { CLIENT_AUTH_METHODS, DEVICE_GRANT, JWT_BEARER_GRANT, knownScope, type KnownClient } from './settings.ts'

/** What a client says of itself, as JSON has it. */
export type Metadata = Readonly<Record<string, unknown>>

/**
 * Makes of a client's own words what it means. Clients of MCP leave out that they run on the user's machine, ask for
 * scopes of other gates, forget that they will refresh, and send fields of other protocols; none of that is a reason
 * to turn one away. What no client can be let in with stays as it is, for the library to refuse.
 *
 * @see RFC 7591 §2 and §3.2.1 (a server may replace what a client asks for), OpenID Connect Registration §2
 */
export function normaliseMetadata(asked: Metadata): Metadata {
  const redirectUris = strings(asked['redirect_uris'])
  const grantTypes = grantTypesOf(asked)
  const redirects = grantTypes.includes('authorization_code')
  const isNative =
    !redirects || redirectUris.some((uri) => redirectKind(uri) === 'loopback' || redirectKind(uri) === 'private')
  const scope = keptScope(asked['scope'])
  return {
    ...pick(asked),
    redirect_uris: redirects ? asked['redirect_uris'] : [],
    application_type: isNative ? 'native' : 'web',
    token_endpoint_auth_method: authMethod(asked, isNative),
    grant_types: grantTypes,
    response_types: redirects ? ['code'] : [],
    ...(scope === undefined ? {} : { scope }),
  }
}

/**
 * The same for a client that is known by the address of its metadata document. It can have no secret in common with
 * anybody; whether it says otherwise is left for the library to see.
 *
 * @see draft-ietf-oauth-client-id-metadata-document §4.1
 */
export function normaliseDocument(document: Metadata): Metadata {
  const { client_id, client_secret } = document
  const normal = normaliseMetadata({ ...document, token_endpoint_auth_method: document[METHOD] ?? 'none' })
  return { ...normal, client_id, ...(client_secret === undefined ? {} : { client_secret }) }
}

/** Every client may do the usual, but for a terminal without an address that an answer could be sent to. */
function grantTypesOf(asked: Metadata): readonly string[] {
  const others = strings(asked['grant_types']).filter((type) => OPTIONAL_GRANTS.includes(type))
  return isTerminalOnly(asked) ? ['refresh_token', ...others] : ['authorization_code', 'refresh_token', ...others]
}

const OPTIONAL_GRANTS: readonly string[] = [DEVICE_GRANT, JWT_BEARER_GRANT]

/** Whether a client only ever asks with a code that its user enters elsewhere. @see RFC 8628 §3.1 */
function isTerminalOnly(asked: Metadata): boolean {
  const types = strings(asked['grant_types'])
  return types.includes(DEVICE_GRANT) && !types.includes('authorization_code') && isEmpty(asked['redirect_uris'])
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0)
}

const METHOD = 'token_endpoint_auth_method'

/**
 * Whether every address may be sent an answer; only a terminal that shows a code needs none.
 *
 * @see MCP 2026-07-28, basic/authorization, "Communication Security"
 */
export function hasGoodRedirects(asked: Metadata): boolean {
  const redirectUris = asked['redirect_uris']
  if (isTerminalOnly(asked)) return true
  if (!Array.isArray(redirectUris) || redirectUris.length === 0 || redirectUris.length > MAX_REDIRECTS) return false
  return redirectUris.every((uri) => typeof uri === 'string' && redirectKind(uri) !== undefined)
}

const MAX_REDIRECTS = 32

/** A client of the configuration: one without a secret, as programs on people's machines are, or one with keys. */
export function describeKnown({ clientId, name, redirectUris, jwksUri }: KnownClient): Metadata {
  const asked = {
    client_name: name,
    redirect_uris: [...redirectUris],
    token_endpoint_auth_method: jwksUri === undefined ? 'none' : 'private_key_jwt',
    jwks_uri: jwksUri,
    grant_types: OPTIONAL_GRANTS,
  }
  return { ...normaliseMetadata(asked), client_id: clientId }
}

function authMethod(asked: Metadata, isNative: boolean): string {
  const method = asked[METHOD]
  if (method === undefined || method === null) return isNative ? 'none' : 'client_secret_basic'
  return CLIENT_AUTH_METHODS.find((known) => known === method) ?? 'client_secret_basic'
}

/** Without a scope of its own a client may ask for every scope there is. */
function keptScope(scope: unknown): string | undefined {
  return typeof scope === 'string' ? knownScope(scope) : undefined
}

/** What is taken over, where it can be. */
function pick(asked: Metadata): Metadata {
  const kept = new Map<string, unknown>()
  for (const name of WEB_ADDRESSES) {
    const value = asked[name]
    if (typeof value === 'string' && /^https?:$/.test(URL.parse(value)?.protocol ?? '')) kept.set(name, value)
  }
  const name = asked['client_name']
  if (typeof name === 'string' && name.trim() !== '') kept.set('client_name', name.slice(0, MAX_NAME))
  const jwks = KeySet.safeParse(asked['jwks'])
  if (jwks.success) kept.set('jwks', jwks.data)
  return Object.fromEntries(kept)
}

const WEB_ADDRESSES = ['client_uri', 'tos_uri', 'policy_uri', 'jwks_uri']
const MAX_NAME = 200

/** Flat, as keys are: what a stranger nests without end is not walked through. @see RFC 7517 §4 and §5 */
const KeyMember = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])
const KeySet = z.object({ keys: z.array(z.record(z.string(), KeyMember)) })

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}
