import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { secret } from '../base/secret.ts'
import type { Fetch } from '../http/guarded-fetch.ts'
import { isFields } from '../config/values.ts'
import { toFailure, type Failure } from './failure.ts'
import type { KnownClient, Party } from './party.ts'
import { valueAt } from './reply.ts'
import type { Tokens } from './tokens.ts'

export interface EndpointNeeds {
  readonly fetch: Fetch
  readonly clock: Clock
}

export type TokenAnswer =
  | { readonly ok: true; readonly tokens: Tokens }
  | { readonly ok: false; readonly failure: Failure }

export type Grant = Readonly<Record<string, string>> & { readonly grant_type: string }

/** How long one request to a provider may take. */
export const ASK_MS = 10_000

/**
 * Asks a token endpoint. Never throws: whatever came back is either tokens or one of the ways to fail.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5 RFC 6749 §5}
 */
export async function askForTokens(needs: EndpointNeeds, party: Party, grant: Grant): Promise<TokenAnswer> {
  try {
    const resource = party.resource === undefined ? {} : { resource: party.resource }
    const reply = await needs.fetch(party.tokenUrl, {
      ...authenticated(party.client, { ...grant, ...resource }),
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(ASK_MS),
    })
    const text = await reply.text()
    return readAnswer({ status: reply.status, type: reply.headers.get('content-type') ?? '', text }, party, needs.clock)
  } catch (cause) {
    return { ok: false, failure: toFailure(cause) }
  }
}

/**
 * Puts the client's own credentials where the provider wants them; a public client names itself only, since an empty
 * secret is refused by some.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1 RFC 6749 §2.3.1}
 */
export function authenticated(client: KnownClient, parameters: Readonly<Record<string, string>>) {
  const { clientId, clientSecret, clientAuthentication } = client
  const body = new URLSearchParams(parameters)
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (clientAuthentication === 'basic' && clientSecret !== undefined) {
    const pair = `${formEncoded(clientId)}:${formEncoded(clientSecret.reveal())}`
    headers['Authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`
  } else {
    body.set('client_id', clientId)
    if (clientSecret !== undefined && clientAuthentication !== 'none') body.set('client_secret', clientSecret.reveal())
  }
  return { headers, body }
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}

interface Reply {
  readonly status: number
  readonly type: string
  readonly text: string
}

function readAnswer(reply: Reply, party: Party, clock: Clock): TokenAnswer {
  const { tokenReply } = party
  const fields = parseReply(reply, tokenReply.format)
  const isError = reply.status >= 400 || (tokenReply.errorsWithStatus200 && typeof fields?.['error'] === 'string')
  if (isError) return { ok: false, failure: explain(reply.status, fields?.['error'], party) }
  if (reply.status !== 200 && reply.status !== 201) return malformed(`status_${reply.status}`)
  if (fields === undefined) return malformed('not_json')
  return readTokens(tokenReply.path === undefined ? fields : valueAt(fields, tokenReply.path), party, clock)
}

function malformed(error: string): TokenAnswer {
  return { ok: false, failure: { kind: 'malformed', error } }
}

function parseReply(
  { type, text }: Reply,
  format: 'json' | 'form' | 'auto',
): Readonly<Record<string, unknown>> | undefined {
  const isForm = format === 'form' || (format === 'auto' && /^application\/x-www-form-urlencoded\b/i.test(type))
  if (isForm) return /^\s*</.test(text) ? undefined : Object.fromEntries(new URLSearchParams(text))
  try {
    const parsed: unknown = JSON.parse(text)
    return isFields(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

/** Words that say the gate itself is at fault. @see RFC 6749 §5.2 */
const CLIENT_ERRORS: readonly string[] = [
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_target',
]
const TEMPORARY: readonly string[] = ['server_error', 'temporarily_unavailable', 'slow_down']
const OTHER: readonly string[] = ['invalid_request', 'invalid_scope', 'access_denied']

/** A server that is down may say anything: only what is no fault of its own counts as a refusal. */
function explain(status: number, error: unknown, { tokenReply }: Party): Failure {
  const word = typeof error === 'string' ? error : ''
  const clientErrors = [...CLIENT_ERRORS, ...tokenReply.clientErrors]
  const grantErrors = ['invalid_grant', ...tokenReply.grantErrors]
  if (status >= 500 || status === 429 || TEMPORARY.includes(word))
    return { kind: 'temporary', error: `status_${status}` }
  if (grantErrors.includes(word)) return { kind: 'grant', error: word }
  if (clientErrors.includes(word)) return { kind: 'client', error: word }
  return { kind: 'malformed', error: OTHER.includes(word) ? word : `status_${status}` }
}

/** A token goes into a header: visible ASCII only, and no longer than a header may be. */
const Token = z.string().regex(/^[\x21-\x7e]{1,16384}$/)
const Seconds = z.coerce.number().positive().max(315_360_000)

const Granted = z.object({
  access_token: Token,
  refresh_token: z.union([Token, z.literal(''), z.null()]).optional(),
  token_type: z.string().max(40).nullish(),
  expires_in: z
    .union([z.literal(''), z.null(), Seconds])
    .optional()
    .catch(undefined),
  scope: z.union([z.string(), z.array(z.string())]).nullish(),
})

/** Kinds of token that want a proof or are none; anything else is sent as a bearer token, whatever it is called. */
const NO_BEARER: ReadonlySet<string> = new Set(['dpop', 'mac', 'pop', 'n_a'])

function readTokens(raw: unknown, { scopeSeparator, refresh }: Party, clock: Clock): TokenAnswer {
  const obtainedAt = clock.now()
  const { data } = Granted.safeParse(raw)
  if (data === undefined) return malformed('no_access_token')
  const tokenType = data.token_type ?? 'Bearer'
  if (NO_BEARER.has(tokenType.toLowerCase())) return malformed('no_bearer_token')
  const seconds = data.expires_in || refresh.expiresIn
  const tokens: Tokens = {
    accessToken: secret(data.access_token),
    refreshToken: data.refresh_token ? secret(data.refresh_token) : undefined,
    tokenType,
    scopes: readScopes(data.scope, scopeSeparator),
    obtainedAt,
    expiresAt: seconds === undefined ? undefined : obtainedAt + seconds * 1000,
  }
  return { ok: true, tokens }
}

/** Some separate with commas what they want separated with spaces. */
function readScopes(scope: string | readonly string[] | null | undefined, separator: ' ' | ','): string[] | undefined {
  if (scope === null || scope === undefined || scope === '') return undefined
  const list = typeof scope === 'string' ? scope.split(separator === ',' || !scope.includes(' ') ? ',' : ' ') : scope
  return list.map((each) => each.trim()).filter((each) => each !== '')
}
