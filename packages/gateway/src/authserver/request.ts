import { IncomingMessage } from 'node:http'
import { knownScope } from './settings.ts'
import type { Resources } from './resources.ts'

export interface HandedOver {
  readonly publicUrl: string
  readonly url: string
  readonly body?: Buffer | undefined
  /** The page's own, or what only answers with JSON. */
  readonly accept?: string | undefined
  readonly cookie?: string | undefined
  /** Where it came from, where that is kept. */
  readonly address?: string | undefined
}

/**
 * The request as the library is given it. It stands behind us as behind a proxy, so where it is comes from
 * `publicUrl` and never from what the client wrote; and what a page may read is decided before.
 */
export function standIn(
  request: IncomingMessage,
  { publicUrl, url, body, accept, cookie, address }: HandedOver,
): IncomingMessage {
  const { protocol, host } = new URL(publicUrl)
  const copy = new IncomingMessage(request.socket)
  copy.method = request.method ?? 'GET'
  copy.url = url
  copy.httpVersion = request.httpVersion
  const { authorization, 'content-type': type } = request.headers
  copy.headers = {
    host,
    'x-forwarded-proto': protocol.slice(0, -1),
    'x-forwarded-host': host,
    ...(address === undefined ? {} : { 'x-forwarded-for': address }),
    ...(accept === undefined ? {} : { accept }),
    ...(authorization === undefined ? {} : { authorization }),
    ...(cookie === undefined ? {} : { cookie }),
    ...(body === undefined || type === undefined ? {} : { 'content-type': type }),
    ...(body === undefined ? {} : { 'content-length': String(body.length) }),
  }
  if (body !== undefined) copy.push(body)
  copy.push(null)
  copy.complete = true
  return copy
}

/** What means something only together with `openid`; without it, it is left out rather than refused. */
const OPENID_ONLY = ['acr_values', 'claims', 'claims_locales', 'id_token_hint', 'max_age', 'nonce']

/**
 * Makes of an authorization request what its client means: `mcp` and no scope of others, resources in our spelling,
 * and no words that the library would refuse where they do no harm. What is given twice stays as it is, and is refused.
 */
export function normaliseAuthorization(
  asked: URLSearchParams,
  { resources, signedInFor }: { readonly resources: Resources; readonly signedInFor: number | undefined },
): URLSearchParams {
  const query = new URLSearchParams(asked)
  const single = (name: string) => (query.getAll(name).length === 1 ? query.get(name) : undefined)
  if (query.getAll('scope').length < 2) query.set('scope', knownScope(query.get('scope') ?? ''))
  spellResources(query, resources)
  const mode = single('response_mode')
  if (typeof mode === 'string' && mode !== 'query') query.set('response_mode', 'unsupported')
  if (single('prompt') === 'select_account') query.set('prompt', 'login')
  if (!(query.get('scope') ?? '').split(' ').includes('openid')) {
    const maxAge = single('max_age')
    if (typeof maxAge === 'string' && isOlder(signedInFor, maxAge) && !query.has('prompt')) query.set('prompt', 'login')
    for (const name of OPENID_ONLY) query.delete(name)
  }
  return query
}

/** The same for a token request, whose scope can only become less; an agent's is what opens something. */
export function normaliseTokenRequest(asked: URLSearchParams, resources: Resources): URLSearchParams {
  const form = new URLSearchParams(asked)
  spellResources(form, resources)
  if (form.get('grant_type') === 'client_credentials') form.set('scope', 'mcp')
  const scopes = form.getAll('scope')
  if (scopes.length === 1) {
    const known = (scopes[0] ?? '').split(' ').filter((scope) => scope === 'openid' || scope === 'mcp')
    if (known.length > 0) form.set('scope', known.join(' '))
    else form.delete('scope')
  }
  return form
}

/** One that is named twice, in whichever spelling, is one. */
function spellResources(params: URLSearchParams, resources: Resources): void {
  const asked = params.getAll('resource')
  if (asked.length === 0) return
  params.delete('resource')
  const spelled = new Set(asked.map((resource) => resources.find(resource) ?? resource))
  for (const resource of spelled) params.append('resource', resource)
}

function isOlder(signedInFor: number | undefined, maxAge: string): boolean {
  return signedInFor === undefined || signedInFor > Number(maxAge) * 1000
}
